# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""The money at stake in a case: the latest amount of each document, added up."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from odoo import fields

from ..protocol.cause import Cause

# A case of more documents than that is no longer about money, and its row stays small.
MOST = 500


def of(cause: Cause) -> dict[str, dict[str, Any]]:
    """Return what one failure puts at stake, by document (``model,id``; empty: none)."""
    key = "{},{}".format(*cause.document) if cause.document else ""
    amount = None if cause.amount is None else format(cause.amount, "f")
    if not key and amount is None:
        return {}
    return {key: {"amount": amount, "currency": cause.currency}}


def values(case, causes: Sequence[Cause]) -> dict[str, Any]:
    """Return the fields of a case that further failures change."""
    known = dict(case.stakes or {})
    for cause in causes:
        known.update(of(cause))
    if known == (case.stakes or {}):
        return {}
    known = dict(list(known.items())[-MOST:])
    amount, currency_id = total(case.env, known, case.company_id.id)
    document = causes[-1].document
    changed = {"stakes": known, "amount": amount, "currency_id": currency_id}
    if document:
        changed.update(res_model=document[0], res_id=document[1])
    return changed


def columns(env, known: Mapping[str, Any], company_id: int | None) -> dict[str, Any]:
    """Return the columns of a new case."""
    amount, currency_id = total(env, known, company_id)
    return {
        "stakes": json.dumps(known) if known else None,
        "amount": amount,
        "currency_id": currency_id or None,
    }


def total(env, known: Mapping[str, Any], company_id: int | None) -> tuple[float, int]:
    """Return the sum and its currency: the common one, else the company's at today's rate."""
    company = env["res.company"].browse(company_id or env.company.id)
    by_currency: dict[str, Decimal] = {}
    for stake in known.values():
        if stake["amount"] is not None:
            name = stake["currency"] or company.currency_id.name
            amount = by_currency.get(name, Decimal(0)) + Decimal(stake["amount"])
            by_currency[name] = amount
    currencies = _currencies(env, by_currency)
    if len(by_currency) == 1 and len(currencies) == 1:
        return float(next(iter(by_currency.values()))), currencies.id
    today = fields.Date.context_today(company)
    amount = sum(
        currency._convert(
            float(by_currency[currency.name]), company.currency_id, company, today
        )
        for currency in currencies
    )
    return amount, company.currency_id.id


def _currencies(env, names):
    Currency = env["res.currency"].sudo().with_context(active_test=False)
    return Currency.search([("name", "in", list(names))])
