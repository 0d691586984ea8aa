# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""What the books say: the balance of an account, the state of an invoice."""

from __future__ import annotations

from typing import Any

from odoo import fields

from odoo.addons.healthcare_integration_base.engine.resource import Part, Query
from odoo.addons.healthcare_integration_base.protocol.instants import parse_date

from ..payloads.text import amount_text, compact, date_text
from . import forms


def balance(account, values) -> dict[str, Any]:
    """Return what is booked on an account up to a day, in the company's currency."""
    day = values.get("date") or fields.Date.today()
    company = account.env.company
    domain = [
        ("account_id", "=", account.id),
        ("parent_state", "=", "posted"),
        ("company_id", "=", company.id),
        ("date", "<=", day),
    ]
    [(debit, credit, total)] = account.env["account.move.line"]._read_group(
        domain, [], ["debit:sum", "credit:sum", "balance:sum"]
    )
    digits = company.currency_id.decimal_places
    return compact(
        {
            "account": account.code or None,
            "date": day.isoformat(),
            "currency": company.currency_id.name,
            "debit": amount_text(debit, digits),
            "credit": amount_text(credit, digits),
            "balance": amount_text(total, digits),
        }
    )


BALANCE = Part(
    "balance",
    "Debit, credit and balance of posted entries up to a day, that day included.",
    balance,
    forms.document(
        {
            "account": forms.TEXT,
            "date": forms.ref("date"),
            "currency": forms.ref("currency"),
            "debit": forms.ref("decimal"),
            "credit": forms.ref("decimal"),
            "balance": forms.ref("decimal"),
        }
    ),
    queries=(
        Query(
            "date",
            "Up to this day; default today (UTC).",
            parse_date,
            "2026-12-31",
            {"type": "string", "format": "date"},
        ),
    ),
)


def status(move, _values) -> dict[str, Any]:
    """Return whether an invoice or bill is posted and paid, and by what."""
    currency = move.currency_id
    return compact(
        {
            "number": move.name or None,
            "supplier_reference": move.ref or None,
            "status": _STATUS[move.state],
            "payment_status": move.payment_state or None,
            "currency": currency.name,
            "total_amount": amount_text(move.amount_total, currency.decimal_places),
            "amount_due": amount_text(move.amount_residual, currency.decimal_places),
            "issue_date": date_text(move.invoice_date),
            "due_date": date_text(move.invoice_date_due),
        }
    ) | {"payments": _payments(move), "credits": _credits(move)}


_STATUS = {"draft": "draft", "posted": "posted", "cancel": "cancelled"}


def _payments(move) -> list[dict[str, Any]]:
    return [
        compact(
            {
                "number": payment.name or None,
                "status": payment.state,
                "date": date_text(payment.date),
                "amount": amount_text(
                    payment.amount, payment.currency_id.decimal_places
                ),
                "currency": payment.currency_id.name,
                "reference": payment.payment_reference or payment.memo or None,
            }
        )
        for payment in move.reconciled_payment_ids
    ]


def _credits(move) -> list[dict[str, Any]]:
    """Return what settled a part of it otherwise: credit notes, entries."""
    partials = move._get_all_reconciled_invoice_partials() or []
    return [
        {
            "number": partial["aml"].move_id.name,
            "date": date_text(partial["aml"].date),
            "amount": amount_text(
                partial["amount"], partial["currency"].decimal_places
            ),
            "currency": partial["currency"].name,
        }
        for partial in partials
        if not partial["aml"].payment_id and not partial["is_exchange"]
    ]


STATUS = Part(
    "status",
    "Whether it is posted, what is still due, and what paid it: payments, or credit notes"
    " and other entries.",
    status,
    forms.document(
        {
            "number": forms.TEXT,
            "supplier_reference": forms.TEXT,
            "status": {"type": "string", "enum": list(_STATUS.values())},
            "payment_status": forms.TEXT,
            "currency": forms.ref("currency"),
            "total_amount": forms.ref("decimal"),
            "amount_due": forms.ref("decimal"),
            "issue_date": forms.ref("date"),
            "due_date": forms.ref("date"),
            "payments": forms.lists(
                number=forms.TEXT,
                status=forms.TEXT,
                date=forms.ref("date"),
                amount=forms.ref("decimal"),
                currency=forms.ref("currency"),
                reference=forms.TEXT,
            ),
            "credits": forms.lists(
                number=forms.TEXT,
                date=forms.ref("date"),
                amount=forms.ref("decimal"),
                currency=forms.ref("currency"),
            ),
        }
    ),
)
