# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo import fields, models

ITEM_UPDATED = "supply.item.updated"
WATCHED = (
    "name",
    "type",
    "is_storable",
    "tracking",
    "use_expiration_date",
    "expiration_time",
    "uom_id",
    "categ_id",
    "active",
    "purchase_ok",
    "sale_ok",
    "description_purchase",
)


class ProductTemplate(models.Model):
    _name = "product.template"
    _inherit = ["product.template", "integration.document"]

    minimum_shelf_life_days = fields.Integer(
        "Minimum Shelf Life (Days)",
        help="Goods that are notified with less left at their arrival are shown to a "
        "person. 0: what is agreed with the supplier counts.",
    )

    _minimum_shelf_life_positive = models.Constraint(
        "CHECK(minimum_shelf_life_days >= 0)",
        "The minimum shelf life cannot be negative.",
    )

    def write(self, vals):
        names = [name for name in WATCHED if name in vals]
        before = self._integration_before(names, ITEM_UPDATED) if names else None
        result = super().write(vals)
        changed = self._integration_changed(before, names)
        if changed:
            variants = changed.with_context(active_test=False).product_variant_ids
            variants._integration_emit_updated()
        return result
