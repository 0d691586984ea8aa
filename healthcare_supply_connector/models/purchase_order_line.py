# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo import api, fields, models

from .purchase_order import CHANGED

WATCHED = (
    "product_id",
    "name",
    "product_qty",
    "product_uom_id",
    "price_unit",
    "discount",
    "date_planned",
)


class PurchaseOrderLine(models.Model):
    _name = "purchase.order.line"
    _inherit = ["purchase.order.line", "integration.emitter"]

    integration_line_ref = fields.Char(
        "Line Reference",
        readonly=True,
        copy=False,
        help="Number of the line in messages: it stays when lines are moved and is never reused.",
    )

    @api.model_create_multi
    def create(self, vals_list):
        lines = super().create(vals_list)
        lines._integration_number()
        orders = lines.order_id.filtered(lambda order: order.state == "purchase")
        orders._integration_emit(CHANGED)
        return lines

    def _integration_number(self):
        """Give new lines the next references of their order."""
        lines = self.filtered(lambda line: not line.display_type)
        for order, new in lines.grouped("order_id").items():
            for number, line in enumerate(new, order.integration_line_count + 1):
                line.integration_line_ref = str(number)
            order.sudo().integration_line_count += len(new)

    def write(self, vals):
        lines, before = self.browse(), None
        if any(name in vals for name in WATCHED) and self._integration_wanted(CHANGED):
            lines = self.filtered(
                lambda line: not line.display_type and line.order_id.state == "purchase"
            )
            before = {line.id: [line[name] for name in WATCHED] for line in lines}
        result = super().write(vals)
        if before:
            changed = lines.filtered(
                lambda line: [line[name] for name in WATCHED] != before[line.id]
            )
            changed.order_id._integration_emit(CHANGED)
        return result
