# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo import api, fields, models

KINDS = [
    ("price", "Price"),
    ("quantity", "Quantity"),
    ("currency", "Currency"),
    ("not_ordered", "Not ordered"),
    ("charge", "Charges"),
    ("tax", "Tax"),
    ("total", "Total"),
]


class AccountMoveMatchLine(models.Model):
    """One comparison of a supplier's bill with its order and receipt."""

    _name = "account.move.match.line"
    _description = "Match of a Supplier Bill"
    _order = "move_id, ok, sequence, id"

    move_id = fields.Many2one(
        "account.move", required=True, ondelete="cascade", index=True, readonly=True
    )
    company_id = fields.Many2one(related="move_id.company_id", store=True)
    currency_id = fields.Many2one(related="move_id.currency_id")
    sequence = fields.Integer(readonly=True)
    kind = fields.Selection(KINDS, required=True, readonly=True)
    purchase_line_id = fields.Many2one(
        "purchase.order.line", readonly=True, ondelete="set null"
    )
    order_id = fields.Many2one(related="purchase_line_id.order_id", string="Order")
    line_ref = fields.Char(related="purchase_line_id.integration_line_ref")
    product_id = fields.Many2one("product.product", readonly=True, ondelete="set null")
    ours = fields.Float(digits=0, readonly=True)
    theirs = fields.Float(digits=0, readonly=True)
    difference = fields.Float(digits=0, compute="_compute_difference", store=True)
    tolerance = fields.Float(
        "Tolerated", digits=0, readonly=True, help="By percentage, or as an amount."
    )
    amount = fields.Monetary(
        "At Stake", readonly=True, help="What the difference comes to in money."
    )
    ok = fields.Boolean("Fits", readonly=True)
    text = fields.Char("Explanation", readonly=True)

    @api.depends("ours", "theirs")
    def _compute_difference(self):
        for line in self:
            line.difference = line.theirs - line.ours
