# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Suppliers and customers: by GLN, VAT number, our reference, an identifier, the crosswalk."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from .sender import KINDS, LONGEST, Kind, Sender, pair_of, text_of

NO_VAT = re.compile(r"[\s.\-/]")


def supplier(env, message, ref: Mapping[str, Any] | None, path: str):
    """Return the supplier a reference means; without a reference the sender itself.

    :param ref: ``gln``, ``vat``, ``reference`` (ours), ``identifier`` ({kind, value}),
        ``code`` (the partner's own, found in the crosswalk domain ``supplier``), ``name``
        (for people), looked up in this order
    :param path: JSON pointer of the reference
    :return: the commercial partner, or the address a GLN or an identifier stands for
    :raises Rejected: ``supplier_unknown``, ``supplier_ambiguous`` with a cause,
        ``supplier_not_set`` when the sender's system has no partner
    """
    return partner(env, message, ref, path, KINDS["supplier"])


def customer(env, message, ref: Mapping[str, Any] | None, path: str):
    """Return the customer a reference means, as ``supplier`` does.

    :raises Rejected: ``customer_unknown``, ``customer_ambiguous``, ``customer_not_set``
    """
    return partner(env, message, ref, path, KINDS["customer"])


def partner(env, message, ref: Mapping[str, Any] | None, path: str, kind: Kind):
    """Return the partner a reference means; see ``supplier``."""
    sender = Sender(env, message)
    if not ref:
        return _itself(sender, path, kind)
    pair = pair_of(ref)
    names = ([pair[1]] if pair else []) + _names(ref)
    if not names:
        raise sender.missing(kind, path)
    key = names[0]
    found = unclear = env["res.partner"]
    for found in _steps(sender, ref, pair):
        found = found & unclear if unclear else found
        if len(found) == 1:
            return found
        unclear = found or unclear
    picked = sender.translated(kind, names, lambda text: _by_ref(sender, text))
    for name in names:
        if name in picked:
            return picked[name]
    description = None if sender.phi else (text_of(ref, "name") or "")[:LONGEST]
    return sender.one(kind, unclear, key, path, description=description)


def _itself(sender: Sender, path: str, kind: Kind):
    usable = sender.visible(kind.model, sender.partner.ids)
    if not usable:
        raise sender.invalid(
            f"{kind.name}_not_set", path, "is needed: the system has no partner"
        )
    return usable[sender.partner.id]


def _names(ref: Mapping[str, Any]) -> list[str]:
    names = (text_of(ref, n) for n in ("code", "reference", "gln", "vat", "name"))
    return [name for name in names if name]


def _steps(sender: Sender, ref: Mapping[str, Any], pair):
    gln, vat = text_of(ref, "gln"), text_of(ref, "vat")
    if gln:
        yield _by_gln(sender, gln)
    if vat:
        yield _by_vat(sender, vat)
    reference = text_of(ref, "reference")
    if reference:
        yield _by_ref(sender, reference)
    if pair:
        found = sender.identifiers("res.partner", [pair])
        yield found.get(pair, sender.env["res.partner"])


def _search(sender: Sender, domain: list):
    company = sender.company_domain("res.partner")
    return sender.env["res.partner"].search([*domain, *company])


def _by_gln(sender: Sender, gln: str):
    """Return partners with this GLN, which is the same all over the world.

    GS1 gives it to one party or place; so any system's identifier of the company counts.
    """
    rows = (
        sender.env["integration.identifier"]
        .sudo()
        .search(
            [
                ("kind", "=", "gln"),
                ("value", "=", gln),
                ("res_model", "=", "res.partner"),
                ("company_id", "in", [False, *sender.env.company.parent_ids.ids]),
            ]
        )
    )
    found = _search(sender, [("id", "in", rows.mapped("res_id"))])
    if "global_location_number" in found._fields:
        found |= _search(sender, [("global_location_number", "=", gln)])
    return found


def _by_vat(sender: Sender, vat: str):
    """Return commercial partners: their contacts carry the same number."""
    plain = NO_VAT.sub("", vat).upper()
    found = _search(sender, [("vat", "in", list({vat, plain}))])
    return found.commercial_partner_id.filtered(lambda one: one in found) or found


def _by_ref(sender: Sender, reference: str):
    return _search(sender, [("ref", "=", reference)])
