# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Items, units and supplier prices as systems propose them."""

from __future__ import annotations

from ...payloads.text import gtin14
from .. import identify, resolve
from ..identify.items import stored_forms
from .kind import Field, Kind, alike, best, by_first_word, known, number, refused

MANAGER = "product.group_product_manager"


def _unit(context, value, path):
    units = context.env["uom.uom"].search(
        ["|", ("unece_code", "=", value), ("name", "=ilike", value)], limit=2
    )
    coded = units.filtered(lambda unit: unit.unece_code == value) or units
    if len(coded) != 1:
        raise refused("unit_unknown", path, "There is no such unit.")
    return coded.id


def _gtin(_context, value, path):
    gtin = gtin14(value)
    if not gtin:
        raise refused("gtin_invalid", path, "This is no GTIN.")
    return gtin.lstrip("0").zfill(13) if gtin.startswith("0") else gtin


# -- items ------------------------------------------------------------------------------


def _item_reference(data):
    ref = {"identifier": {"kind": "item_code", "value": data["code"]}}
    if "gtin" in data:
        ref["gtin"] = data["gtin"]
    if "our_code" in data:
        ref["code"] = data["our_code"]
    return {**ref, "supplier_code": data["code"]}


def _find_item(context, data):
    def find():
        ref = _item_reference(data)
        return identify.item(context.env, context.message, ref, "/item").product

    return known(find, context.env["product.product"])


def _item_candidates(context, data):
    Product = context.env["product.product"].with_context(active_test=False)
    codes = [code for code in (data.get("our_code"), data["code"]) if code]
    same_code = Product.search([("default_code", "in", codes)], limit=10)
    forms = stored_forms(gtin14(data["gtin"])) if gtin14(data.get("gtin", "")) else []
    same_gtin = Product.search([("barcode", "in", forms)], limit=10) if forms else []
    env = context.env
    return best(
        [(product, 98, env._("Same GTIN")) for product in same_gtin],
        [(product, 90, env._("Same code")) for product in same_code],
        alike(
            by_first_word(context.env, "product.product", data["name"]),
            data["name"],
            env._("Similar name"),
        ),
    )


def _item_defaults(_context, _data):
    return {"type": "consu", "is_storable": True, "purchase_ok": True}


ITEM = Kind(
    "item",
    "product.product",
    MANAGER,
    (
        Field("name", "name"),
        Field("our_code", "default_code"),
        Field("gtin", "barcode", _gtin),
        Field("description", "description_purchase"),
        Field("unit", "uom_id", _unit),
        Field("tracking", "tracking"),
        Field("expiry_tracked", "use_expiration_date"),
        Field("weight_kg", "weight", number),
        Field("volume_m3", "volume", number),
        Field("list_price", "list_price", number),
        Field("cost", "standard_price", number),
        Field("active", "active"),
    ),
    _find_item,
    _item_candidates,
    _item_defaults,
)


# -- units ------------------------------------------------------------------------------


def _find_unit(context, data):
    found = context.env["uom.uom"].search([("unece_code", "=", data["code"])], limit=2)
    return found if len(found) == 1 else found.browse()


def _unit_candidates(context, data):
    units = context.env["uom.uom"].search([])
    return best(alike(units, data["name"], context.env._("Similar name")))


UNIT = Kind(
    "unit",
    "uom.uom",
    MANAGER,
    (
        Field("name", "name"),
        Field("code", "unece_code"),
        Field("relative_to", "relative_uom_id", _unit),
        Field("factor", "relative_factor", number),
        Field("active", "active"),
    ),
    _find_unit,
    _unit_candidates,
    lambda _context, _data: {},
)


# -- prices -----------------------------------------------------------------------------


def _seller(context, data):
    path = "/price/supplier"
    seller = identify.supplier(
        context.env, context.message, data.get("supplier"), path
    ).commercial_partner_id
    if context.message._name == "integration.message":  # not while a person decides
        resolve.check_own(context.message, seller, "supplier_unknown", path)
    return seller


def _product(context, data):
    return identify.item(
        context.env,
        context.message,
        data["item"],
        "/price/item",
        supplier=_seller(context, data),
    ).product


def _currency(context, value, path):
    found = context.env["res.currency"].search([("name", "=", value)], limit=1)
    if not found:
        raise refused("currency_unknown", path, "This currency is not in use.")
    return found.id


def _prices(context, data):
    product = _product(context, data)
    return context.env["product.supplierinfo"].search(
        [
            ("partner_id", "child_of", _seller(context, data).id),
            ("product_tmpl_id", "=", product.product_tmpl_id.id),
            ("product_id", "in", [False, product.id]),
            ("company_id", "in", [False, context.env.company.id]),
        ]
    )


def _find_price(context, data):
    quantity = float(data.get("minimum_quantity", "0"))
    start = data.get("valid_from")
    found = _prices(context, data).filtered(
        lambda row: row.min_qty == quantity
        and row.currency_id.name == data["currency"]
        and (not start or str(row.date_start or "") == start)
    )
    return found[:1]


def _price_candidates(context, data):
    why = context.env._("Another price of this supplier for this item")
    found = _prices(context, data) - _find_price(context, data)
    return [(row, 70, why) for row in found[:10]]


def _price_defaults(context, data):
    product = _product(context, data)
    return {
        "partner_id": _seller(context, data).id,
        "product_tmpl_id": product.product_tmpl_id.id,
        "product_id": product.id,
        "company_id": context.env.company.id,
    }


def _price_key(data):
    item = data["item"]
    name = item.get("supplier_code") or item.get("code") or item.get("gtin")
    name = name or item.get("identifier", {}).get("value")
    parts = (name, data.get("minimum_quantity", "0"), data["currency"])
    return " / ".join((*parts, data.get("valid_from", "")))[:500]


PRICE = Kind(
    "price",
    "product.supplierinfo",
    MANAGER,
    (
        Field("price", "price", number),
        Field("currency", "currency_id", _currency),
        Field("unit", "product_uom_id", _unit),
        Field("minimum_quantity", "min_qty", number),
        Field("valid_from", "date_start"),
        Field("valid_to", "date_end"),
        Field("lead_time_days", "delay"),
        Field("supplier_code", "product_code"),
        Field("supplier_name", "product_name"),
    ),
    _find_price,
    _price_candidates,
    _price_defaults,
    _price_key,
    _price_key,
)
