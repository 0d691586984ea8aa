# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Products, services, suppliers, customers."""

from __future__ import annotations

from typing import Any

from odoo.fields import Domain

from odoo.addons.healthcare_integration_base.engine.resource import Resource

from ..payloads import master
from ..payloads.batch import Batch
from ..payloads.text import compact
from . import forms

_ITEM = forms.of_event("supply.item.updated.v1")


def _supplied_by(partner) -> Domain:
    vendors = Domain("commercial_partner_id", "=", partner.id)
    return Domain("product_tmpl_id.seller_ids.partner_id", "any", vendors)


_SUPPLIER = forms.by_record(
    "supplier",
    "Only what this supplier sells.",
    "product_tmpl_id.seller_ids.partner_id",
    number="ref",
)
_BARCODE = forms.by_text("barcode", "Only of this barcode.", "barcode")

PRODUCTS = Resource(
    name="products",
    title="Products",
    text="Goods and materials: one item per product variant, without prices and costs.",
    model="product.product",
    build=master.items,
    schema=_ITEM,
    number="default_code",
    domain=lambda _env: Domain("type", "!=", "service"),
    of_partner=_supplied_by,
    filters=(_SUPPLIER, _BARCODE),
    touched=(("product_uom", "product_id"),),
)

SERVICES = Resource(
    name="services",
    title="Services",
    text="What is sold or bought as a service.",
    model="product.product",
    build=master.items,
    schema=_ITEM,
    number="default_code",
    domain=lambda _env: Domain("type", "=", "service"),
    of_partner=_supplied_by,
    filters=(_SUPPLIER,),
)


def _is_supplier(_env) -> Domain:
    assessed = Domain("supplier_approval_state", "not in", (False, "draft"))
    return Domain("supplier_rank", ">", 0) | assessed


SUPPLIERS = Resource(
    name="suppliers",
    title="Suppliers",
    text="Who we buy from, with the state of the approval.",
    model="res.partner",
    build=master.suppliers,
    schema=forms.of_event("supply.supplier.updated.v1"),
    number="ref",
    domain=_is_supplier,
    of_partner=lambda partner: Domain("commercial_partner_id", "=", partner.id),
    filters=(
        forms.by_text("vat", "Only with this tax id.", "vat"),
        forms.choice(
            "approval",
            "Only in this state of approval.",
            {
                "draft": (False, "draft"),
                "pending": "pending",
                "approved": "approved",
                "blocked": "blocked",
            },
            "supplier_approval_state",
        ),
    ),
)


def customers(partners) -> dict[int, dict[str, Any]]:
    """Return the business facts of each customer, by id."""
    batch = Batch(partners.env, partners=partners)
    return {partner.id: _customer(batch, partner) for partner in partners}


def _customer(batch: Batch, partner) -> dict[str, Any]:
    return compact(
        {
            "customer": batch.party(partner),
            "active": partner.active,
            "payment_terms": partner.property_payment_term_id.name or None,
            "language": partner.lang or None,
            "website": partner.website or None,
        }
    )


CUSTOMERS = Resource(
    name="customers",
    title="Customers",
    text="Organizations that we bill. Persons are not published here, whatever they buy:"
    " they may be patients.",
    model="res.partner",
    build=customers,
    schema=forms.document(
        {
            "customer": forms.ref("party"),
            "active": forms.TRUTH,
            "payment_terms": forms.TEXT,
            "language": forms.TEXT,
            "website": forms.TEXT,
        }
    ),
    number="ref",
    domain=lambda _env: Domain(
        [
            ("customer_rank", ">", 0),
            ("is_company", "=", True),
            ("parent_id", "=", False),
        ]
    ),
    filters=(forms.by_text("vat", "Only with this tax id.", "vat"),),
)

RESOURCES = (PRODUCTS, SERVICES, SUPPLIERS, CUSTOMERS)
