# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo import fields, models


class StockWarehouse(models.Model):
    _inherit = "stock.warehouse"

    operator_id = fields.Many2one(
        "res.partner",
        "Operated by",
        index="btree_not_null",
        check_company=True,
        help="The logistics provider that runs this warehouse. Only its systems may "
        "confirm receipts and report stock levels here.",
    )
    damaged_location_id = fields.Many2one(
        "stock.location",
        "Damaged Goods",
        check_company=True,
        domain="[('usage', '=', 'internal')]",
        help="Where damaged goods are received to. Without it they are not received.",
    )
