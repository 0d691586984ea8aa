# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo import fields, models


class StockMoveLine(models.Model):
    _inherit = "stock.move.line"

    shipment_notice_id = fields.Many2one(
        "stock.shipment.notice",
        copy=False,
        readonly=True,
        index="btree_not_null",
        ondelete="set null",
        help="The ship notice that proposed this line.",
    )
