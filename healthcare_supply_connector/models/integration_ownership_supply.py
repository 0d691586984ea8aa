# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo import api, models


class IntegrationOwnership(models.Model):
    """Groups of fields of masters that can have an owner."""

    _inherit = "integration.ownership"

    @api.model
    def _field_groups(self):
        return {
            **super()._field_groups(),
            "product.product:identification": (
                "Item: codes",
                ("default_code", "barcode"),
            ),
            "product.product:description": (
                "Item: name and description",
                ("name", "description_purchase"),
            ),
            "product.product:logistics": (
                "Item: unit, tracking, weight",
                ("uom_id", "tracking", "use_expiration_date", "weight", "volume"),
            ),
            "product.product:prices": (
                "Item: price and cost",
                ("list_price", "standard_price"),
            ),
            "product.product:status": ("Item: active", ("active",)),
            "res.partner:identification": (
                "Supplier: codes and tax number",
                ("ref", "vat", "global_location_number"),
            ),
            "res.partner:name": ("Supplier: name", ("name",)),
            "res.partner:address": (
                "Supplier: address and contact",
                (
                    "street",
                    "street2",
                    "city",
                    "zip",
                    "country_id",
                    "email",
                    "phone",
                    "website",
                ),
            ),
            "res.partner:terms": (
                "Supplier: payment terms",
                ("property_supplier_payment_term_id",),
            ),
            "res.partner:status": ("Supplier: active", ("active",)),
            "product.supplierinfo:price": (
                "Supplier price: price and currency",
                ("price", "currency_id"),
            ),
            "product.supplierinfo:conditions": (
                "Supplier price: quantity, validity, lead time",
                ("min_qty", "date_start", "date_end", "delay", "product_uom_id"),
            ),
            "uom.uom:definition": (
                "Unit: name, code, factor",
                ("name", "unece_code", "relative_uom_id", "relative_factor"),
            ),
            "account.payment.term:definition": (
                "Payment term: name and instalments",
                ("name", "note", "line_ids", "discount_percentage", "discount_days"),
            ),
            "account.analytic.account:definition": (
                "Cost centre: code, name, plan",
                ("code", "name", "plan_id"),
            ),
        }
