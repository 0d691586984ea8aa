# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo import fields, models


class SupplyTolerance(models.Model):
    """How far a supplier's bill may be from order and receipt before a person decides."""

    _inherit = "supply.tolerance"

    invoice_price_percent = fields.Float("Billed Price (%)", digits=(5, 2), default=2.0)
    invoice_price_amount = fields.Float(
        "Billed Price (Amount)",
        digits=(16, 2),
        help="For the whole line, in the currency of the bill. A price is within the "
        "tolerance if it is within the percentage or within the amount.",
    )
    invoice_quantity_percent = fields.Float(
        "Billed Quantity (%)",
        digits=(5, 2),
        help="How much more may be billed than was received and is not billed yet.",
    )
    invoice_quantity_amount = fields.Float("Billed Quantity (Amount)", digits=(16, 2))
    invoice_charge_amount = fields.Float(
        "Charges (Amount)",
        digits=(16, 2),
        help="Freight, handling and other charges of a bill that nobody ordered.",
    )
    invoice_total_amount = fields.Float(
        "Tax and Total (Amount)",
        digits=(16, 2),
        default=0.05,
        help="How far the tax and the total that the supplier states may be from those "
        "of the bill; roundings differ.",
    )

    _invoice_not_negative = models.Constraint(
        "CHECK(invoice_price_percent >= 0 AND invoice_price_amount >= 0"
        " AND invoice_quantity_percent >= 0 AND invoice_quantity_amount >= 0"
        " AND invoice_charge_amount >= 0 AND invoice_total_amount >= 0)",
        "A tolerance cannot be negative.",
    )
