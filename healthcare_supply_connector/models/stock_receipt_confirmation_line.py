# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo import fields, models


class StockReceiptConfirmationLine(models.Model):
    """A quantity of one lot as the operator counted it, in the product's own unit."""

    _name = "stock.receipt.confirmation.line"
    _description = "Receipt Confirmation Line"

    confirmation_id = fields.Many2one(
        "stock.receipt.confirmation", required=True, ondelete="cascade", index=True
    )
    company_id = fields.Many2one(related="confirmation_id.company_id", store=True)
    product_id = fields.Many2one("product.product", required=True, ondelete="restrict")
    product_uom_id = fields.Many2one(related="product_id.uom_id")
    lot_name = fields.Char("Lot")
    sscc = fields.Char("SSCC")
    condition = fields.Selection(
        [("good", "Good"), ("damaged", "Damaged"), ("rejected", "Rejected")],
        required=True,
    )
    quantity = fields.Float(digits="Product Unit", required=True)
    reason = fields.Char()
