# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo import api, models

from ..payloads import master

CREATED = "supply.item.created"
UPDATED = "supply.item.updated"
WATCHED = ("default_code", "barcode", "weight", "active", "product_uom_ids")


class ProductProduct(models.Model):
    """Items: one event per variant, however many steps Odoo takes to make it."""

    _name = "product.product"
    _inherit = ["product.product", "integration.document"]

    @api.model
    def _integration_builders(self):
        return dict.fromkeys((CREATED, UPDATED), master.items)

    @api.model_create_multi
    def create(self, vals_list):
        products = super().create(vals_list)
        products._integration_emit(CREATED)
        return products

    def write(self, vals):
        names = [name for name in WATCHED if name in vals]
        before = self._integration_before(names, UPDATED) if names else None
        result = super().write(vals)
        self._integration_changed(before, names)._integration_emit_updated()
        return result

    def _integration_emit_updated(self):
        """Emit updated, but not for variants that are new in this transaction.

        A template writes barcode and reference onto the variants it has just created.
        """
        now = self.env.cr.now()
        known = self.filtered(lambda product: product.create_date != now)
        known._integration_emit(UPDATED)
