# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Suppliers as systems propose them."""

from __future__ import annotations

from .. import identify
from .kind import Field, Kind, alike, best, by_first_word, known, refused


def _reference(data):
    ref = {"identifier": {"kind": "supplier_code", "value": data["code"]}}
    return {
        **ref,
        "code": data["code"],
        **{name: data[name] for name in ("gln", "vat", "reference") if name in data},
    }


def _find(context, data):
    return known(
        lambda: identify.supplier(
            context.env, context.message, _reference(data), "/supplier"
        ),
        context.env["res.partner"],
    )


def _candidates(context, data):
    Partner = context.env["res.partner"].with_context(active_test=False)
    company = [("parent_id", "=", False)]
    vat = data.get("vat", "").replace(" ", "")
    same_vat = (
        Partner.search([("vat", "=ilike", vat), *company], limit=10) if vat else []
    )
    email = data.get("email", "")
    same_mail = Partner.search([("email", "=ilike", email)], limit=10) if email else []
    env = context.env
    names = by_first_word(context.env, "res.partner", data["name"], company)
    return best(
        [(partner, 97, env._("Same tax number")) for partner in same_vat],
        [(partner, 75, env._("Same e-mail address")) for partner in same_mail],
        alike(names, data["name"], env._("Similar name")),
    )


def _country(context, value, path):
    found = context.env["res.country"].search([("code", "=", value)], limit=1)
    if not found:
        raise refused("country_unknown", path, "There is no such country.")
    return found.id


def _term(context, value, path):
    return identify.payment_term(context.env, context.message, value, path).id


SUPPLIER = Kind(
    "supplier",
    "res.partner",
    "purchase.group_purchase_manager",
    (
        Field("name", "name"),
        Field("reference", "ref"),
        Field("vat", "vat"),
        Field("gln", "global_location_number"),
        Field("street", "street"),
        Field("street2", "street2"),
        Field("city", "city"),
        Field("zip", "zip"),
        Field("country", "country_id", _country),
        Field("email", "email"),
        Field("phone", "phone"),
        Field("website", "website"),
        Field("payment_term", "property_supplier_payment_term_id", _term),
        # A changed account is how payments are stolen: people enter it, after a call.
        Field("bank_account", "bank_ids", told=True),
        Field("active", "active"),
    ),
    _find,
    _candidates,
    lambda _context, _data: {"is_company": True, "supplier_rank": 1},
)
