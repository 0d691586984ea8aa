# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Stock locations: by identifier, crosswalk, barcode, complete name, warehouse code."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .sender import KINDS, Sender, pair_of, text_of

LOCATION = KINDS["location"]


def location(env, message, ref: Mapping[str, Any] | str | None, path: str):
    """Return the stock location a reference means.

    :param ref: a text, or ``identifier`` ({kind, value}), ``code`` (the partner's own),
        ``barcode``, ``name`` (complete name, ``WH/Stock``), ``warehouse`` (its short name:
        its stock), looked up in this order; a text is looked up as each of them
    :param path: JSON pointer of the reference
    :raises Rejected: ``location_unknown``, ``location_ambiguous`` with a cause,
        ``location_missing``
    """
    sender = Sender(env, message)
    if isinstance(ref, str):
        ref = dict.fromkeys(("code", "barcode", "name", "warehouse"), ref)
    pair = pair_of(ref)
    names = [
        name
        for name in (text_of(ref, n) for n in ("code", "barcode", "name", "warehouse"))
        if name
    ]
    key = (pair and pair[1]) or next(iter(names), None)
    if not key:
        raise sender.missing(LOCATION, path)
    unclear = env["stock.location"]
    for found in _steps(sender, ref, pair, [key, *names]):
        if len(found) == 1:
            return found
        unclear |= found
    return sender.one(LOCATION, unclear, key, path)


def _steps(sender: Sender, ref, pair, names):
    nothing = sender.env["stock.location"]
    if pair:
        yield sender.identifiers(LOCATION.model, [pair]).get(pair, nothing)
    picked = sender.translated(
        LOCATION, names, lambda text: _search(sender, "complete_name", text)
    )
    yield next((picked[name] for name in names if name in picked), nothing)
    for name, field in (("barcode", "barcode"), ("name", "complete_name")):
        text = text_of(ref, name)
        if text:
            yield _search(sender, field, text)
    warehouse = text_of(ref, "warehouse")
    if warehouse:
        yield _stock_of(sender, warehouse)


def _search(sender: Sender, field: str, text: str):
    company = sender.company_domain(LOCATION.model)
    return sender.env[LOCATION.model].search([(field, "=", text), *company])


def _stock_of(sender: Sender, code: str):
    warehouse = sender.env["stock.warehouse"].search(
        [("code", "=", code), ("company_id", "=", sender.env.company.id)]
    )
    return warehouse.lot_stock_id
