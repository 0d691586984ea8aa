# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Taxes, accounts, cost centres, payment terms."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from odoo.tools import float_compare

from .sender import KINDS, Kind, Sender, pair_of, text_of

TAX = KINDS["tax"]
RATE_DIGITS = 4


def tax(env, message, ref: Mapping[str, Any], type_tax_use: str, path: str):
    """Return the tax a reference means.

    :param ref: ``identifier``, ``code`` (the partner's own), ``rate`` (percent, decimal
        text), ``country`` (ISO 3166 alpha-2, default the company's fiscal country)
    :param type_tax_use: ``purchase`` or ``sale``
    :param path: JSON pointer of the reference
    :return: an account.tax of the company; what a person has picked before goes before
        the rate, since several taxes may have the same
    :raises Rejected: ``tax_unknown``, ``tax_ambiguous`` with a cause, ``tax_missing``,
        ``tax_rate_invalid``
    """
    sender, pair = Sender(env, message), pair_of(ref)
    rate = _rate(sender, ref, path)
    country = (text_of(ref, "country") or "").upper()
    code = (pair and pair[1]) or text_of(ref, "code")
    key = code or (rate is not None and _rate_key(type_tax_use, rate, country))
    if not key:
        raise sender.missing(TAX, path)
    found = env[TAX.model]
    if pair:
        found = sender.identifiers(TAX.model, [pair]).get(pair, found)
    found = found or sender.translated(
        TAX, [key], lambda text: _usable(sender, type_tax_use, [("name", "=", text)])
    ).get(key, found)
    if not found and rate is not None:
        found = _by_rate(sender, type_tax_use, rate, country)
    return sender.one(TAX, found, key, path, type_tax_use=type_tax_use)


def _rate(sender: Sender, ref, path: str) -> float | None:
    text = text_of(ref, "rate")
    try:
        rate = None if text is None else Decimal(text)
    except InvalidOperation:
        rate = Decimal("NaN")
    if rate is not None and not (rate.is_finite() and 0 <= rate <= 1000):
        raise sender.invalid("tax_rate_invalid", f"{path}/rate", "is no percentage")
    return None if rate is None else float(rate)


def _rate_key(type_tax_use: str, rate: float, country: str) -> str:
    return f"{type_tax_use} {rate:g}% {country}".strip()


def _usable(sender: Sender, type_tax_use: str, domain: list):
    company = sender.company_domain(TAX.model)
    return sender.env[TAX.model].search(
        [("type_tax_use", "=", type_tax_use), *domain, *company]
    )


def _by_rate(sender: Sender, type_tax_use: str, rate: float, country: str):
    code = country or sender.env.company.account_fiscal_country_id.code
    taxes = _usable(
        sender,
        type_tax_use,
        [("amount_type", "=", "percent"), ("country_id.code", "=", code)],
    )
    return taxes.filtered(
        lambda one: not float_compare(one.amount, rate, precision_digits=RATE_DIGITS)
    )


def account(env, message, ref: Mapping[str, Any] | str, path: str):
    """Return the account a reference means.

    :param ref: a text, or ``identifier``, ``code`` (of the chart, or the partner's own)
    :param path: JSON pointer of the reference
    :raises Rejected: ``account_unknown``, ``account_ambiguous`` with a cause,
        ``account_missing``
    """
    return _coded(env, message, KINDS["account"], ref, path, "code")


def cost_center(env, message, ref: Mapping[str, Any] | str, path: str):
    """Return the analytic account a reference means; see ``account``.

    :raises Rejected: ``cost_center_unknown``, ``cost_center_ambiguous`` with a cause,
        ``cost_center_missing``
    """
    return _coded(env, message, KINDS["cost_center"], ref, path, "code", "name")


def payment_term(env, message, ref: Mapping[str, Any] | str, path: str):
    """Return the payment term a reference means.

    :param ref: a text, or ``identifier``, ``code`` (the partner's own), ``name``,
        ``days`` (net, from the invoice date)
    :raises Rejected: ``payment_term_unknown``, ``payment_term_ambiguous`` with a cause,
        ``payment_term_missing``
    """
    days = text_of(ref, "days") if isinstance(ref, Mapping) else None
    if days and not text_of(ref, "code", "name") and not pair_of(ref):
        return _net(Sender(env, message), days, path)
    return _coded(env, message, KINDS["payment_term"], ref, path, "name")


def _coded(env, message, kind: Kind, ref, path: str, *fields: str):
    """Return the record a code means: identifier, our own code or name, crosswalk."""
    sender = Sender(env, message)
    ref = {"code": ref} if isinstance(ref, str) else ref
    pair, key = pair_of(ref), text_of(ref, "code", "name")
    key = key or (pair and pair[1])
    if not key:
        raise sender.missing(kind, path)
    found = env[kind.model]
    if pair:
        found = sender.identifiers(kind.model, [pair]).get(pair, found)
    for name in fields:
        found = found or _named(sender, kind, name, key)
    if len(found) != 1:
        picked = sender.translated(
            kind, [key], lambda text: _named(sender, kind, fields[0], text)
        )
        found = picked.get(key, found)
    return sender.one(kind, found, key, path)


def _named(sender: Sender, kind: Kind, field: str, text: str):
    company = sender.company_domain(kind.model)
    return sender.env[kind.model].search([(field, "=", text), *company])


def _net(sender: Sender, days: str, path: str):
    """Return the term that asks for everything so many days after the invoice."""
    kind = KINDS["payment_term"]
    if not days.isdecimal() or len(days) > 4:
        raise sender.invalid(
            "payment_term_invalid", f"{path}/days", "is no number of days"
        )
    key = f"{int(days)} days"
    terms = sender.env[kind.model].search(sender.company_domain(kind.model))
    found = terms.filtered(lambda term: _is_net(term, int(days)))
    if len(found) != 1:
        found = sender.translated(kind, [key]).get(key, found)
    return sender.one(kind, found, key, path)


def _is_net(term, days: int) -> bool:
    line = term.line_ids
    return (
        len(line) == 1
        and line.value == "percent"
        and line.value_amount == 100
        and line.delay_type == "days_after"
        and line.nb_days == days
        and not term.early_discount
    )
