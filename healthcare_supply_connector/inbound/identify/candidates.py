# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Which records a reference that was not found may mean, best first, for a person to pick."""

from __future__ import annotations

import re
from collections import defaultdict
from difflib import SequenceMatcher
from typing import Any

from ...payloads.text import gtin14
from .items import stored_forms
from .sender import Kind, company_domain
from .units import own_units

MOST = 8
LOOKED_AT = 80
WORD = re.compile(r"\w{3,}")
COMPANY_PREFIX = (
    8  # digits of a GTIN-14 after its indicator: country and part of the company
)
ALIKE = 0.45


def candidates(env, kind: Kind, data: dict[str, Any]) -> list[tuple[Any, str]]:
    """Return (record, why) of what a partner may mean.

    :param env: environment of the person who picks: only what he may see is offered
    :param kind: what is looked for
    :param data: of the case's cause
    """
    scores: dict[Any, float] = defaultdict(float)
    why: dict[Any, str] = {}
    for record, score, reason in _found(env, kind, data):
        scores[record] += score
        why.setdefault(record, reason)
    best = sorted(scores, key=lambda one: (-scores[one], one.id))[:MOST]
    return [(record, why[record]) for record in best]


def _found(env, kind: Kind, data: dict[str, Any]):
    ids = [i for i in data.get("candidates") or [] if isinstance(i, int)]
    for record in _usable(env, kind, [("id", "in", ids)]):
        yield record, 3.0, env._("fits")
    if kind.name == "item":
        yield from _by_gtin(env, kind, data)
        yield from _of_supplier(env, kind, data)
    if kind.name == "unit":
        yield from _units_of_item(env, data)
    else:
        yield from _by_name(env, kind, data)


def _usable(env, kind: Kind, domain: list):
    company = company_domain(env[kind.model], env.company)
    return env[kind.model].search([*domain, *company], limit=LOOKED_AT)


def _by_gtin(env, kind: Kind, data):
    gtin = gtin14(data.get("gtin"))
    if not gtin:
        return
    prefix = gtin[1 : 1 + COMPANY_PREFIX]
    domain = [("barcode", "=like", f"%{prefix.lstrip('0')}%")]
    for product in _usable(env, kind, domain):
        stored = gtin14(product.barcode)
        if stored and stored[1:].startswith(prefix):
            yield product, 1.0, env._("GTIN of the same maker")
    packs = env["product.uom"].search([("barcode", "in", stored_forms(gtin))])
    for product in packs.product_id:
        yield product, 2.0, env._("pack with this GTIN")


def _of_supplier(env, kind: Kind, data):
    partner = env["res.partner"].browse(data.get("supplier_id") or []).exists()
    if not partner:
        return
    sellers = env["product.supplierinfo"].search(
        [("partner_id", "child_of", partner.commercial_partner_id.id)], limit=LOOKED_AT
    )
    names = _texts(data)
    for seller in sellers:
        for product in seller.product_id or seller.product_tmpl_id.product_variant_ids:
            known = [product.name, seller.product_name, seller.product_code]
            alike = max((_alike(a, b) for a in names for b in known if b), default=0)
            yield product, 0.3 + alike, env._("bought from this supplier")


def _units_of_item(env, data):
    product = env["product.product"].browse(data.get("product_id") or []).exists()
    if not product:
        return
    for uom in own_units(product):
        yield uom, 2.0, env._("unit of this item")
    for uom in env["uom.uom"].search([], limit=LOOKED_AT):
        if uom._has_common_reference(product.uom_id):
            yield uom, 0.5, env._("of the same kind")


def _by_name(env, kind: Kind, data):
    texts = _texts(data)
    words = {word for text in texts for word in WORD.findall(text)}
    ids = {
        res_id
        for word in sorted(words, key=len, reverse=True)[:4]
        for res_id, _name in env[kind.model].name_search(word, limit=20)
    }
    for record in _usable(env, kind, [("id", "in", list(ids))]):
        alike = max(_alike(text, record.display_name) for text in texts)
        if alike >= ALIKE:
            yield record, alike, env._("similar name")


def _texts(data) -> list[str]:
    names = ("description", "external_value", "supplier_code", "code")
    return [str(data[name]) for name in names if data.get(name)]


def _alike(first: str, second: str) -> float:
    return SequenceMatcher(None, first.lower(), second.lower()).ratio()
