# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Supplier bills on their way to being posted: received, matched, blocked, approved."""

from __future__ import annotations

from typing import Any

from .batch import Batch, read_ahead
from .text import compact, date_text, decimal_text, instant


def bills(moves) -> dict[int, dict[str, Any]]:
    """Return each bill with what its match found outside of the tolerances, by id."""
    read_ahead(
        moves,
        "integration_match_line_ids.purchase_line_id.order_id",
        "integration_match_line_ids.product_id",
        "invoice_line_ids.purchase_line_id.order_id",
    )
    batch = Batch(moves.env, partners=moves.partner_id | moves.company_id.partner_id)
    return {move.id: _bill(batch, move) for move in moves}


def _bill(batch: Batch, move) -> dict[str, Any]:
    failing = move.integration_match_line_ids.filtered(lambda line: not line.ok)
    document = {
        "invoice": _header(batch, move),
        "seller": batch.party(move.partner_id),
        "buyer": batch.party(move.company_id.partner_id),
        "differences": [_difference(batch, line) for line in failing],
    }
    if move.integration_match_state == "approved":
        document["approval"] = _approval(batch, move)
    return document


def _header(batch: Batch, move) -> dict[str, Any]:
    currency = move.currency_id
    orders = move.invoice_line_ids.purchase_line_id.order_id
    stake = move.integration_match_amount
    return compact(
        {
            "id": str(move.id),
            "number": move.name or None,
            "supplier_reference": move.ref,
            "document_type": "credit_note"
            if move.move_type == "in_refund"
            else "invoice",
            "status": move.integration_match_state,
            "issue_date": date_text(move.invoice_date),
            "due_date": date_text(move.invoice_date_due),
            "currency": currency.name,
            "untaxed_amount": batch.amount(move.amount_untaxed, currency),
            "tax_amount": batch.amount(move.amount_tax, currency),
            "total_amount": batch.amount(move.amount_total, currency),
            "amount_at_stake": batch.amount(stake, currency) if stake else None,
            "purchase_orders": sorted(orders.mapped("name")),
        }
    )


def _difference(batch: Batch, line) -> dict[str, Any]:
    return compact(
        {
            "kind": line.kind,
            "purchase_order": line.order_id.name or None,
            "line_ref": line.line_ref or None,
            "item": line.product_id.default_code or line.product_id.name or None,
            "ours": decimal_text(line.ours),
            "theirs": decimal_text(line.theirs),
            "difference": decimal_text(line.difference),
            "tolerance": decimal_text(line.tolerance),
            "amount": batch.amount(line.amount, line.currency_id),
            "text": line.text,
        }
    )


def _approval(batch: Batch, move) -> dict[str, Any]:
    return compact(
        {
            "approved_at": instant(move.integration_accepted_at),
            "approved_by": move.integration_accepted_by_id.name,
            "reason": move.integration_accepted_reason or None,
            "accepted_amount": batch.amount(
                move.integration_accepted_amount, move.currency_id
            ),
        }
    )
