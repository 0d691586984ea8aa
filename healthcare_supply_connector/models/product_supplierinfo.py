# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo import api, models

from ..payloads import master

UPDATED = "supply.price.updated"
WATCHED = (
    "partner_id",
    "product_id",
    "product_tmpl_id",
    "price",
    "currency_id",
    "discount",
    "min_qty",
    "product_uom_id",
    "delay",
    "date_start",
    "date_end",
    "product_code",
    "product_name",
    "company_id",
)


class ProductSupplierinfo(models.Model):
    _name = "product.supplierinfo"
    _inherit = ["product.supplierinfo", "integration.document"]

    @api.model
    def _integration_builders(self):
        return {UPDATED: master.prices}

    @api.model_create_multi
    def create(self, vals_list):
        sellers = super().create(vals_list)
        sellers._integration_emit(UPDATED)
        return sellers

    def write(self, vals):
        names = [name for name in WATCHED if name in vals]
        before = self._integration_before(names, UPDATED) if names else None
        result = super().write(vals)
        self._integration_changed(before, names)._integration_emit(UPDATED)
        return result
