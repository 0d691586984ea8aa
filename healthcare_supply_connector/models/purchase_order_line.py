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
        self._integration_number(vals_list)
        lines = super().create(vals_list)
        orders = lines.order_id.filtered(lambda order: order.state == "purchase")
        orders._integration_emit(CHANGED)
        return lines

    def _integration_number(self, vals_list):
        """Give lines to be created the next references of their order.

        Together with the order's counter in one write, not line by line.
        """
        display_type = self.env.context.get("default_display_type")
        by_order = {}
        for vals in vals_list:
            vals.pop("integration_line_ref", None)
            order_id = vals.get("order_id") or self.env.context.get("default_order_id")
            if order_id and not vals.get("display_type", display_type):
                by_order.setdefault(order_id, []).append(vals)
        for order_id, rows in by_order.items():
            order = self.env["purchase.order"].sudo().browse(order_id)
            last = order.integration_line_count
            for number, vals in enumerate(rows, last + 1):
                vals["integration_line_ref"] = str(number)
            order.integration_line_count = last + len(rows)

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
