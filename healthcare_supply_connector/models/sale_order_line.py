# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo import api, fields, models

from .sale_order import CHANGED

WATCHED = (
    "product_id",
    "product_uom_qty",
    "product_uom_id",
    "price_unit",
    "discount",
    "name",
)


class SaleOrderLine(models.Model):
    """Lines of sales orders: changes of them are changes of the order."""

    _name = "sale.order.line"
    _inherit = ["sale.order.line", "integration.emitter"]

    integration_asked_price = fields.Float(
        "Customer's Price",
        digits="Product Price",
        readonly=True,
        copy=False,
        help="What the customer's order expects; the order is at our price.",
    )
    integration_price_asked = fields.Boolean(readonly=True, copy=False)

    @api.model_create_multi
    def create(self, vals_list):
        lines = super().create(vals_list)
        lines._integration_order_changed()
        return lines

    def write(self, vals):
        lines, before = self.browse(), None
        if any(name in vals for name in WATCHED) and self._integration_wanted(CHANGED):
            lines = self.filtered(lambda line: line.state == "sale")
            before = {line.id: [line[name] for name in WATCHED] for line in lines}
        result = super().write(vals)
        if before:
            lines.filtered(
                lambda line: [line[name] for name in WATCHED] != before[line.id]
            )._integration_order_changed()
        if "qty_delivered" in vals:
            self.order_id._integration_check_completed()
        return result

    def _integration_order_changed(self):
        lines = self.filtered(lambda line: line.state == "sale")
        lines.order_id._integration_emit(CHANGED)

    # -- prices ---------------------------------------------------------------------------

    def _integration_net_price(self):
        return self.price_unit * (1 - self.discount / 100)

    def _integration_price_gap(self):
        """Return what the customer's price differs by, for the whole line."""
        gap = self._integration_net_price() - self.integration_asked_price
        return gap * self.product_uom_qty

    def _integration_price_is_off(self):
        if not self.integration_price_asked:
            return False
        ours = self._integration_net_price()
        allowed = abs(ours) * self.company_id.sudo().order_price_tolerance / 100
        return abs(ours - self.integration_asked_price) > allowed + 1e-6

    def _integration_price_text(self):
        return self.env._(
            "%(item)s at %(ours)s, the customer expects %(theirs)s",
            item=self.product_id.display_name,
            ours=f"{self._integration_net_price():.2f}",
            theirs=f"{self.integration_asked_price:.2f}",
        )
