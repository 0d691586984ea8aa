# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Purchase orders as they leave: released, changed, cancelled, in approval."""

from __future__ import annotations

from typing import Any

from .batch import Batch, read_ahead
from .text import compact, date_text, decimal_text, instant

STATUS = {
    "draft": "draft",
    "sent": "draft",
    "to approve": "approval_requested",
    "purchase": "released",
    "cancel": "cancelled",
}


def orders(records) -> dict[int, dict[str, Any]]:
    """Return the document of each purchase order, by id."""
    read_ahead(
        records,
        "order_line.product_id.seller_ids.partner_id",
        "order_line.product_uom_id",
    )
    lines = records.order_line
    partners = (
        records.partner_id | records.company_id.partner_id | _destinations(records)
    )
    batch = Batch(records.env, partners=partners, products=lines.product_id)
    return {order.id: _order(batch, order) for order in records}


def _order(batch: Batch, order) -> dict[str, Any]:
    lines = order.order_line.filtered(lambda line: not line.display_type)
    return compact(
        {
            "order": _header(batch, order),
            "buyer": batch.party(order.company_id.partner_id),
            "supplier": batch.party(order.partner_id),
            "ship_to": batch.party(_destination(order)),
            "line_count": len(lines),
        }
    ) | {"lines": [_line(batch, line) for line in lines]}


def _header(batch: Batch, order) -> dict[str, Any]:
    currency = order.currency_id
    return compact(
        {
            "number": order.name,
            "status": STATUS[order.state],
            "ordered_at": instant(order.date_approve),
            "deadline": instant(order.date_order),
            "requested_date": date_text(order.date_planned),
            "priority": "urgent" if order.priority == "1" else "normal",
            "currency": currency.name,
            "payment_terms": order.payment_term_id.name or None,
            "incoterm": order.incoterm_id.code or None,
            "supplier_reference": order.partner_ref or None,
            "source": order.origin or None,
            "untaxed_amount": batch.amount(order.amount_untaxed, currency),
            "tax_amount": batch.amount(order.amount_tax, currency),
            "total_amount": batch.amount(order.amount_total, currency),
        }
    )


def _line(batch: Batch, line) -> dict[str, Any]:
    seller = batch.seller_of(line.product_id, line.order_id.partner_id)
    return compact(
        {
            "line_ref": line.integration_line_ref,
            "item": batch.item(line.product_id, seller),
            "description": line.name,
            "quantity": batch.quantity(line.product_qty),
            "unit": batch.unit(line.product_uom_id),
            "unit_price": decimal_text(line.price_unit),
            "discount_percent": decimal_text(line.discount) if line.discount else None,
            "net_amount": batch.amount(line.price_subtotal, line.order_id.currency_id),
            "requested_date": date_text(line.date_planned),
            "lead_time_days": seller.delay if seller else None,
        }
    )


def _destination(order):
    """Return where the goods go: the drop-ship address, the warehouse, else the company."""
    return (
        order.dest_address_id
        or order.picking_type_id.warehouse_id.partner_id
        or order.company_id.partner_id
    )


def _destinations(records):
    return records.dest_address_id | records.picking_type_id.warehouse_id.partner_id
