# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo import fields, models

LINE_STATUS = [
    ("accepted", "Accepted"),
    ("changed", "Changed"),
    ("backordered", "Backordered"),
    ("substituted", "Substitute Offered"),
    ("rejected", "Rejected"),
]


class PurchaseOrderAcknowledgementLine(models.Model):
    """One answer to one order line; several where the supplier splits it."""

    _name = "purchase.order.acknowledgement.line"
    _description = "Purchase Order Acknowledgement Line"

    acknowledgement_id = fields.Many2one(
        "purchase.order.acknowledgement", required=True, ondelete="cascade", index=True
    )
    company_id = fields.Many2one(related="acknowledgement_id.company_id", store=True)
    order_line_id = fields.Many2one(
        "purchase.order.line", required=True, ondelete="cascade", index=True
    )
    line_ref = fields.Char(related="order_line_id.integration_line_ref")
    product_id = fields.Many2one(related="order_line_id.product_id")
    product_uom_id = fields.Many2one(related="order_line_id.product_uom_id")
    status = fields.Selection(LINE_STATUS, required=True)
    ordered_quantity = fields.Float(digits="Product Unit")
    quantity = fields.Float("Confirmed Quantity", digits="Product Unit")
    ordered_price = fields.Float(digits="Product Price")
    price_given = fields.Boolean()
    unit_price = fields.Float(digits="Product Price")
    requested_date = fields.Date(
        help="What was asked for before the supplier's answers changed it."
    )
    promised_date = fields.Date()
    substitute_id = fields.Many2one("product.product", ondelete="set null")
    substitute_reference = fields.Char(help="What the supplier calls the substitute.")
    reason = fields.Char()
