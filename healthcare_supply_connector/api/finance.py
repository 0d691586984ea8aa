# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Invoices and bills, payments, accounts, cost centres, payment terms."""

from __future__ import annotations

from typing import Any

from odoo.fields import Domain

from odoo.addons.healthcare_integration_base.engine.resource import Resource

from ..payloads import finance
from ..payloads.batch import read_ahead
from ..payloads.text import compact, decimal_text
from . import forms, ledger

ACCOUNTANT = "account.group_account_readonly"

_TYPES = {
    "customer_invoice": ("out_invoice", "out_receipt"),
    "customer_credit_note": "out_refund",
    "vendor_bill": ("in_invoice", "in_receipt"),
    "vendor_credit_note": "in_refund",
}
_INVOICE_STATES = {"draft": "draft", "posted": "posted", "cancelled": "cancel"}
_PAYMENT_STATES = (
    "not_paid",
    "in_payment",
    "paid",
    "partial",
    "reversed",
    "blocked",
    "invoicing_legacy",
)


def _of_partner(partner) -> Domain:
    return Domain("partner_id.commercial_partner_id", "=", partner.id)


def _told_to(partner) -> Domain:
    """Return what a partner knows of: what was posted, or what it has sent itself.

    Our drafts, and those we gave up, are nobody's business yet.
    """
    known = Domain("posted_before", "=", True) | Domain(
        "integration_match_state", "not in", (False, "none")
    )
    return _of_partner(partner) & known


def _same(*values: str) -> dict[str, str]:
    return {value: value for value in values}


def invoices(moves) -> dict[int, dict[str, Any]]:
    """Return each invoice or bill as its events have it; one never posted is a draft."""
    documents = finance.invoices(moves)
    for move in moves.filtered(lambda one: one.state == "draft"):
        header = documents[move.id]["invoice"]
        if not move.posted_before:
            header["status"] = "draft"
        if not move.name:
            header.pop("number", None)
    return documents


def _invoice_schema() -> dict[str, Any]:
    schema = forms.of_event("finance.invoice.issued.v1")
    forms.widen(schema, "invoice.status", "draft", "posted", "withdrawn", "cancelled")
    forms.widen(schema, "invoice.direction", "issued", "received")
    forms.widen(schema, "invoice.payment_status", *_PAYMENT_STATES)
    return forms.widen(
        schema, "invoice.document_type", "invoice", "credit_note", "receipt"
    )


INVOICES = Resource(
    name="invoices",
    title="Invoices and bills",
    text="Customer invoices, vendor bills and their credit notes.",
    model="account.move",
    build=invoices,
    schema=_invoice_schema(),
    domain=lambda _env: Domain("move_type", "!=", "entry"),
    of_partner=_told_to,
    filters=(
        forms.choice("type", "Only of this type.", _TYPES, "move_type"),
        forms.choice("state", "Only in this state.", _INVOICE_STATES, "state"),
        forms.choice(
            "payment_status",
            "Only in this state of payment.",
            _same(*_PAYMENT_STATES),
            "payment_state",
        ),
        forms.by_record(
            "partner", "Only of this customer or supplier.", "partner_id", number="ref"
        ),
        forms.by_text(
            "supplier_reference", "Only of this number at the supplier.", "ref"
        ),
        forms.by_text(
            "purchase_order",
            "Only with a line of this purchase order.",
            "invoice_line_ids.purchase_line_id.order_id.name",
        ),
    ),
    parts=(ledger.STATUS,),
    needs=ACCOUNTANT,
)


def payments(records) -> dict[int, dict[str, Any]]:
    """Return each payment as its events have it; a draft has no number."""
    documents = finance.payments(records)
    for record in records:
        header = documents[record.id]["payment"]
        if not header.get("number"):
            header.pop("number", None)
    return documents


_PAYMENT = forms.of_event("finance.payment.received.v1")


def _payments_of_partner(partner) -> Domain:
    """Return the partner's payments, as far as they are more than our intention."""
    return _of_partner(partner) & Domain(
        "state", "not in", ("draft", "canceled", "rejected")
    )


PAYMENTS = Resource(
    name="payments",
    title="Payments",
    text="Payments received and sent, with the documents they pay.",
    model="account.payment",
    build=payments,
    schema=forms.widen(_PAYMENT, "payment.direction", "received", "sent"),
    of_partner=_payments_of_partner,
    filters=(
        forms.choice(
            "direction",
            "Only received or only sent ones.",
            {"received": "inbound", "sent": "outbound"},
            "payment_type",
        ),
        forms.choice(
            "state",
            "Only in this state.",
            _same("draft", "in_process", "paid", "canceled", "rejected"),
            "state",
        ),
        forms.by_record(
            "partner", "Only of this customer or supplier.", "partner_id", number="ref"
        ),
    ),
    needs=ACCOUNTANT,
)


def accounts(records) -> dict[int, dict[str, Any]]:
    """Return each account of the chart, by id."""
    return {record.id: {"account": _account(record)} for record in records}


def _account(record) -> dict[str, Any]:
    return compact(
        {
            "code": record.code or None,
            "name": record.name,
            "type": record.account_type,
            "currency": record.currency_id.name or None,
            "reconcilable": record.reconcile,
        }
    )


def _of_company(env) -> Domain:
    """Return the accounts of the client's company, by the rule of the model itself."""
    Account = env["account.account"]
    return Domain(Account._check_company_domain(env.company))


ACCOUNTS = Resource(
    name="accounts",
    title="Accounts",
    text="The chart of accounts.",
    model="account.account",
    build=accounts,
    schema=forms.document(
        {
            "account": forms.objects(
                code=forms.TEXT,
                name=forms.TEXT,
                type=forms.TEXT,
                currency=forms.ref("currency"),
                reconcilable=forms.TRUTH,
            )
        }
    ),
    number="code",
    domain=_of_company,
    of_company=None,
    filters=(forms.by_text("type", "Only of this type of Odoo's.", "account_type"),),
    parts=(ledger.BALANCE,),
    needs=ACCOUNTANT,
)


def cost_centers(records) -> dict[int, dict[str, Any]]:
    """Return each analytic account, by id; whose it is stays untold."""
    read_ahead(records, "plan_id")
    return {
        record.id: {
            "cost_center": compact(
                {
                    "code": record.code or None,
                    "name": record.name,
                    "plan": record.plan_id.complete_name or None,
                }
            )
        }
        for record in records
    }


COST_CENTERS = Resource(
    name="cost-centers",
    title="Cost centres",
    text="Analytic accounts, by which costs are told apart.",
    model="account.analytic.account",
    build=cost_centers,
    schema=forms.document(
        {
            "cost_center": forms.objects(
                code=forms.TEXT, name=forms.TEXT, plan=forms.TEXT
            )
        }
    ),
    number="code",
    filters=(forms.by_text("plan", "Only of this plan.", "plan_id.complete_name"),),
    needs="analytic.group_analytic_accounting",
)


def payment_terms(records) -> dict[int, dict[str, Any]]:
    """Return each set of payment terms with its instalments, by id."""
    read_ahead(records, "line_ids")
    return {record.id: _term(record) for record in records}


def _term(record) -> dict[str, Any]:
    discount = record.early_discount and compact(
        {
            "percent": decimal_text(record.discount_percentage),
            "within_days": record.discount_days,
        }
    )
    return {
        "payment_term": compact(
            {"name": record.name, "early_discount": discount or None}
        ),
        "instalments": [_instalment(line) for line in record.line_ids],
    }


def _instalment(line) -> dict[str, Any]:
    return {
        "kind": line.value,
        "value": decimal_text(line.value_amount),
        "due_days": line.nb_days,
        "counted_from": line.delay_type,
    }


PAYMENT_TERMS = Resource(
    name="payment-terms",
    title="Payment terms",
    text="When invoices are due, in instalments.",
    model="account.payment.term",
    build=payment_terms,
    schema=forms.document(
        {
            "payment_term": forms.objects(
                name=forms.TEXT,
                early_discount=forms.objects(
                    percent=forms.ref("decimal"), within_days=forms.WHOLE
                ),
            ),
            "instalments": forms.lists(
                kind={"type": "string", "enum": ["percent", "fixed"]},
                value=forms.ref("decimal"),
                due_days=forms.WHOLE,
                counted_from=forms.TEXT,
            ),
        }
    ),
    touched=(("account_payment_term_line", "payment_id"),),
)

RESOURCES = (INVOICES, PAYMENTS, ACCOUNTS, COST_CENTERS, PAYMENT_TERMS)
