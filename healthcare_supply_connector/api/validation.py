# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Check accounts, cost centres and items before they are sent in documents."""

from __future__ import annotations

from collections import defaultdict

from odoo.fields import Domain

from odoo.addons.healthcare_integration_base.engine import reading
from odoo.addons.healthcare_integration_base.engine.resource import Resource
from odoo.addons.healthcare_integration_base.engine.validation import Verdict

from ..inbound import identify
from ..payloads.text import gtin14
from .finance import ACCOUNTS, COST_CENTERS
from .master import PRODUCTS, SERVICES

# The fields that may hold the text, the first that fits counts.
_ITEM_FIELDS = ("default_code", "barcode")


def _verdicts(env, resource: Resource, domain, values, names) -> dict[str, Verdict]:
    """Return the verdict on each text, in one query per field."""
    verdicts: dict[str, Verdict] = {}
    for name in names:
        left = [value for value in values if value not in verdicts]
        for value, records in _found(env, resource, domain, left, name).items():
            verdicts[value] = _verdict(resource, records)
    return {
        value: verdicts.get(value)
        or Verdict("invalid", "There is none of this number.")
        for value in values
    }


def _found(env, resource, domain, values, name):
    Model = env[resource.model].with_context(active_test=False)
    spellings = {
        spelling: value for value in values for spelling in _spellings(name, value)
    }
    found = defaultdict(Model.browse)
    for record in Model.search(domain & Domain(name, "in", list(spellings))):
        if record[name] in spellings:
            found[spellings[record[name]]] |= record
    return found


def _spellings(name: str, value: str) -> set[str]:
    """Return how a value may be stored: a GTIN with or without leading zeros."""
    gtin = gtin14(value) if name == "barcode" else None
    return {value, *(identify.stored_forms(gtin) if gtin else ())}


def _verdict(resource: Resource, records) -> Verdict:
    active = records.filtered("active") or records
    if len(active) > 1:
        return Verdict("ambiguous", "Several fit; use another number.")
    number = active[resource.number] or None
    if not active.active:
        return Verdict("archived", "It is no longer in use.", str(active.id), number)
    return Verdict("valid", None, str(active.id), number)


def accounts(env, client, values) -> dict[str, Verdict]:
    """Check codes of the client's company's chart of accounts."""
    return _verdicts(env, ACCOUNTS, ACCOUNTS.domain(env), values, ["code"])


def cost_centers(env, client, values) -> dict[str, Verdict]:
    """Check codes of analytic accounts."""
    company = Domain("company_id", "in", [env.company.id, False])
    return _verdicts(env, COST_CENTERS, company, values, ["code"])


def items(env, client, values) -> dict[str, Verdict]:
    """Check our codes and GTINs, then the codes the client's own system uses.

    A client bound to its partner knows what that one sells.
    """
    products = reading.allowed(env, PRODUCTS, client) | reading.allowed(
        env, SERVICES, client
    )
    verdicts = _verdicts(env, PRODUCTS, products, values, _ITEM_FIELDS)
    left = [value for value in values if verdicts[value].result == "invalid"]
    return verdicts | _own_items(env, client, products, left)


def _own_items(env, client, allowed: Domain, values) -> dict[str, Verdict]:
    """Return the verdicts on supplier codes and crosswalked names the client may know."""
    named = identify.own_items(env, client.system_id, values)
    ids = {product.id for products in named.values() for product in products}
    usable = env[PRODUCTS.model].search(allowed & Domain("id", "in", list(ids)))
    return {
        value: _verdict(PRODUCTS, products & usable)
        for value, products in named.items()
        if products & usable
    }


VALIDATORS = {"account": accounts, "cost_center": cost_centers, "item": items}
