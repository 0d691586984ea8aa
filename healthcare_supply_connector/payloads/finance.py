# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Invoices, bills, credit notes and payments, once they are booked."""

from __future__ import annotations

from typing import Any

from .batch import Batch, read_ahead
from .text import compact, date_text, decimal_text

DOCUMENT_TYPES = {
    "out_invoice": "invoice",
    "in_invoice": "invoice",
    "out_refund": "credit_note",
    "in_refund": "credit_note",
    "out_receipt": "receipt",
    "in_receipt": "receipt",
}


def invoices(moves) -> dict[int, dict[str, Any]]:
    """Return each invoice, bill or credit note with its lines, by id."""
    read_ahead(
        moves,
        "invoice_line_ids.tax_ids",
        "invoice_line_ids.product_uom_id",
        "invoice_line_ids.account_id",
        "invoice_line_ids.purchase_line_id.order_id",
        "invoice_line_ids.sale_line_ids.order_id",
    )
    lines = moves.invoice_line_ids
    batch = Batch(moves.env, partners=_parties(moves), products=lines.product_id)
    return {
        move.id: {
            **_invoice(batch, move),
            "lines": [_line(batch, line) for line in _lines(move)],
        }
        for move in moves
    }


def invoice_states(moves) -> dict[int, dict[str, Any]]:
    """Return each invoice without lines, by id: for what happens to it afterwards."""
    batch = Batch(moves.env, partners=_parties(moves))
    return {move.id: _invoice(batch, move) for move in moves}


def _parties(moves):
    return moves.partner_id | moves.company_id.partner_id


def _lines(move):
    return move.invoice_line_ids.filtered(lambda line: line.display_type == "product")


def _invoice(batch: Batch, move) -> dict[str, Any]:
    company, partner = (
        batch.party(move.company_id.partner_id),
        batch.party(move.partner_id),
    )
    ours = move.is_sale_document(include_receipts=True)
    return compact(
        {
            "invoice": _header(batch, move),
            "seller": company if ours else partner,
            "buyer": partner if ours else company,
        }
    )


def _header(batch: Batch, move) -> dict[str, Any]:
    currency = move.currency_id
    return compact(
        {
            "number": move.name,
            "document_type": DOCUMENT_TYPES[move.move_type],
            "direction": "issued"
            if move.is_sale_document(include_receipts=True)
            else "received",
            "status": {"posted": "posted", "draft": "withdrawn", "cancel": "cancelled"}[
                move.state
            ],
            "payment_status": move.payment_state or None,
            "supplier_reference": move.ref or None,
            "issue_date": date_text(move.invoice_date),
            "accounting_date": date_text(move.date),
            "due_date": date_text(move.invoice_date_due),
            "currency": currency.name,
            "journal": move.journal_id.code,
            "payment_terms": move.invoice_payment_term_id.name or None,
            "payment_reference": move.payment_reference or None,
            "source": move.invoice_origin or None,
            "credited_invoice": move.reversed_entry_id.name or None,
            "untaxed_amount": batch.amount(move.amount_untaxed, currency),
            "tax_amount": batch.amount(move.amount_tax, currency),
            "total_amount": batch.amount(move.amount_total, currency),
            "amount_due": batch.amount(move.amount_residual, currency),
        }
    )


def _line(batch: Batch, line) -> dict[str, Any]:
    purchase_line = line.purchase_line_id
    sales_order = line.sale_line_ids.order_id[:1]
    return compact(
        {
            "line_ref": str(line.id),
            "item": batch.item(line.product_id),
            "description": line.name or None,
            "quantity": batch.quantity(line.quantity),
            "unit": batch.unit(line.product_uom_id) if line.product_uom_id else None,
            "unit_price": decimal_text(line.price_unit),
            "discount_percent": decimal_text(line.discount) if line.discount else None,
            "net_amount": batch.amount(line.price_subtotal, line.currency_id),
            "account": line.account_id.code or None,
            "taxes": [_tax(tax) for tax in line.tax_ids],
            "purchase_order": purchase_line.order_id.name or None,
            "purchase_line_ref": purchase_line.integration_line_ref or None,
            "sales_order": sales_order.name or None,
        }
    )


def _tax(tax) -> dict[str, Any]:
    rate = decimal_text(tax.amount) if tax.amount_type == "percent" else None
    return compact({"name": tax.name, "rate_percent": rate})


def payments(records) -> dict[int, dict[str, Any]]:
    """Return each payment with the documents it pays, by id."""
    read_ahead(records, "invoice_ids", "reconciled_invoice_ids", "reconciled_bill_ids")
    partners = records.partner_id | records.company_id.partner_id
    batch = Batch(records.env, partners=partners)
    return {payment.id: _payment(batch, payment) for payment in records}


def _payment(batch: Batch, payment) -> dict[str, Any]:
    company, partner = (
        batch.party(payment.company_id.partner_id),
        batch.party(payment.partner_id),
    )
    received = payment.payment_type == "inbound"
    return compact(
        {
            "payment": compact(
                {
                    "number": payment.name or payment.move_id.name,
                    "direction": "received" if received else "sent",
                    "status": payment.state,
                    "date": date_text(payment.date),
                    "amount": batch.amount(payment.amount, payment.currency_id),
                    "currency": payment.currency_id.name,
                    "method": payment.payment_method_line_id.name or None,
                    "journal": payment.journal_id.code,
                    "memo": payment.memo or None,
                    "reference": payment.payment_reference or None,
                }
            ),
            "payer": partner if received else company,
            "payee": company if received else partner,
        }
    ) | {"invoices": [_paid(batch, move) for move in _documents(payment)]}


def _documents(payment):
    """Return the invoices and bills of a payment: chosen for it, or reconciled with it."""
    return (
        payment.invoice_ids
        | payment.reconciled_invoice_ids
        | payment.reconciled_bill_ids
    )


def _paid(batch: Batch, move) -> dict[str, Any]:
    return compact(
        {
            "number": move.name,
            "supplier_reference": move.ref or None,
            "payment_status": move.payment_state or None,
            "amount_due": batch.amount(move.amount_residual, move.currency_id),
        }
    )
