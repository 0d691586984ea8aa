# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo import fields, models


class StockShipmentNoticeLine(models.Model):
    """A quantity of one lot on its way, in the product's own unit."""

    _name = "stock.shipment.notice.line"
    _description = "Shipment Notice Line"

    notice_id = fields.Many2one(
        "stock.shipment.notice", required=True, ondelete="cascade", index=True
    )
    company_id = fields.Many2one(related="notice_id.company_id", store=True)
    purchase_line_id = fields.Many2one(
        "purchase.order.line", required=True, ondelete="cascade", index=True
    )
    line_ref = fields.Char(related="purchase_line_id.integration_line_ref")
    product_id = fields.Many2one("product.product", required=True, ondelete="restrict")
    product_uom_id = fields.Many2one("uom.uom", required=True, ondelete="restrict")
    quantity = fields.Float(digits="Product Unit", required=True)
    lot_name = fields.Char("Lot")
    expiry_date = fields.Date()
    sscc = fields.Char("SSCC")
    remaining_days = fields.Integer("Days Left at Arrival")
    shelf_life_short = fields.Boolean()
