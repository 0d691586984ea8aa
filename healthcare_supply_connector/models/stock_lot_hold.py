# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo import fields, models
from odoo.exceptions import AccessError


class StockLotHold(models.Model):
    """Each hold and release of a lot: who, when, why. Never changed, never deleted."""

    _name = "stock.lot.hold"
    _description = "Quality Hold"
    _order = "id desc"
    _rec_name = "reason"

    lot_id = fields.Many2one(
        "stock.lot", required=True, readonly=True, ondelete="restrict", index=True
    )
    company_id = fields.Many2one(related="lot_id.company_id", store=True, index=True)
    action = fields.Selection(
        [("placed", "Hold"), ("released", "Release")], required=True, readonly=True
    )
    reason = fields.Char(required=True, readonly=True)
    reference = fields.Char(readonly=True, help="The number of the case elsewhere.")
    user_id = fields.Many2one("res.users", "By", required=True, readonly=True)
    system_id = fields.Many2one(
        "integration.system", "Asked for by", readonly=True, ondelete="restrict"
    )
    at = fields.Datetime(
        required=True, readonly=True, default=fields.Datetime.now, string="When"
    )
    message_uid = fields.Char("Message ID", readonly=True)

    def write(self, vals):
        """Refuse: what was decided stays as it was.

        :raises AccessError: always, but for what Odoo computes
        """
        if set(vals) - {"company_id"}:
            raise AccessError(self.env._("Holds are history; they are not changed."))
        return super().write(vals)
