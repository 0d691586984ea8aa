# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Master data: items, prices, suppliers."""

from __future__ import annotations

from typing import Any

from .batch import Batch, read_ahead
from .text import compact, date_text, decimal_text, gtin14, instant

TYPES = {"consu": "goods", "service": "service", "combo": "combo"}


def items(products) -> dict[int, dict[str, Any]]:
    """Return each product variant as an item, by id.

    Neither cost nor prices: the first depends on the company, the second have their own event.
    """
    products = products.with_context(active_test=False)
    read_ahead(products, "product_uom_ids.uom_id")
    batch = Batch(products.env, products=products)
    weight_unit = batch.unit(
        products.product_tmpl_id._get_weight_uom_id_from_ir_config_parameter()
    )
    return {product.id: _item(batch, product, weight_unit) for product in products}


def _item(batch: Batch, product, weight_unit: dict[str, str]) -> dict[str, Any]:
    return {
        "item": batch.item(product),
        "type": TYPES.get(product.type, "goods"),
        "active": product.active,
        "purchasable": product.purchase_ok,
        "sellable": product.sale_ok,
        "stocked": product.is_storable,
        "tracking": product.tracking,
        "uses_expiry_date": product.use_expiration_date,
        "unit": batch.unit(product.uom_id),
        "packages": [_package(batch, row) for row in product.product_uom_ids],
        **compact(
            {
                "shelf_life_days": product.expiration_time or None
                if product.use_expiration_date
                else None,
                "category": product.categ_id.complete_name or None,
                "description": product.description_purchase or None,
                "weight": decimal_text(product.weight) if product.weight else None,
                "weight_unit": weight_unit if product.weight else None,
            }
        ),
    }


def _package(batch: Batch, row) -> dict[str, Any]:
    return compact(
        {
            "gtin": gtin14(row.barcode),
            "barcode": row.barcode,
            "unit": batch.unit(row.uom_id),
            "contained_quantity": decimal_text(
                row.uom_id._compute_quantity(1, row.product_id.uom_id)
            ),
        }
    )


def prices(sellers) -> dict[int, dict[str, Any]]:
    """Return each vendor price, by id, with the items it holds for."""
    products = sellers.product_id | sellers.product_tmpl_id.product_variant_ids
    batch = Batch(sellers.env, partners=sellers.partner_id, products=products)
    return {seller.id: _price(batch, seller) for seller in sellers}


def _price(batch: Batch, seller) -> dict[str, Any]:
    products = seller.product_id or seller.product_tmpl_id.product_variant_ids
    return {
        "price": compact(
            {
                "id": str(seller.id),
                "unit_price": decimal_text(seller.price),
                "currency": seller.currency_id.name,
                "unit": batch.unit(seller.product_uom_id),
                "minimum_quantity": batch.quantity(seller.min_qty),
                "discount_percent": decimal_text(seller.discount)
                if seller.discount
                else None,
                "lead_time_days": seller.delay,
                "valid_from": date_text(seller.date_start),
                "valid_to": date_text(seller.date_end),
            }
        ),
        "supplier": batch.party(seller.partner_id),
        "items": [batch.item(product, seller) for product in products],
    }


def suppliers(partners) -> dict[int, dict[str, Any]]:
    """Return each supplier with the state of its approval, by id."""
    batch = Batch(partners.env, partners=partners)
    return {partner.id: _supplier(batch, partner) for partner in partners}


def _supplier(batch: Batch, partner) -> dict[str, Any]:
    return {
        "supplier": batch.party(partner),
        "active": partner.active,
        "approval": compact(
            {
                "state": partner.supplier_approval_state or "draft",
                "decided_at": instant(partner.supplier_approval_at),
                "decided_by": partner.supplier_approval_by_id.name or None,
            }
        ),
        **compact(
            {
                "company_type": "company" if partner.is_company else "person",
                "website": partner.website or None,
                "language": partner.lang or None,
            }
        ),
    }
