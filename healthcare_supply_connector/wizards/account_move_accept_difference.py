# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo import fields, models


class AccountMoveAcceptDifference(models.TransientModel):
    """Accept what a supplier's bill differs by, with a reason."""

    _name = "account.move.accept.difference"
    _description = "Accept the Difference of a Bill"

    move_id = fields.Many2one("account.move", required=True, readonly=True)
    partner_id = fields.Many2one(
        related="move_id.partner_id", string="Supplier", related_sudo=False
    )
    currency_id = fields.Many2one(related="move_id.currency_id", related_sudo=False)
    amount = fields.Monetary(
        related="move_id.integration_match_amount", related_sudo=False
    )
    line_ids = fields.One2many(
        related="move_id.integration_match_line_ids", related_sudo=False
    )
    reason = fields.Char(required=True)

    def action_accept(self):
        """Accept; the bill can be posted then."""
        self.ensure_one()
        self.move_id._accept_difference(self.reason)
        return {"type": "ir.actions.act_window_close"}

    def action_accept_and_post(self):
        """Accept and post the bill."""
        self.action_accept()
        return self.move_id.action_post() or {"type": "ir.actions.act_window_close"}
