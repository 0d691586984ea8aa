# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Sales orders as they leave: confirmed, changed, cancelled, completed."""

from __future__ import annotations

from typing import Any

from .batch import Batch, read_ahead
from .text import compact, date_text, decimal_text, instant


def orders(records) -> dict[int, dict[str, Any]]:
    """Return the document of each sales order, by id."""
    read_ahead(records, "order_line.product_uom_id", "order_line.invoice_lines")
    partners = (
        records.partner_id | records.partner_shipping_id | records.company_id.partner_id
    )
    products = records.order_line.product_id
    batch = Batch(records.env, partners=partners, products=products)
    return {order.id: _order(batch, order) for order in records}


def _order(batch: Batch, order) -> dict[str, Any]:
    lines = order.order_line.filtered(lambda line: not line.display_type)
    return compact(
        {
            "order": _header(batch, order),
            "seller": batch.party(order.company_id.partner_id),
            "customer": batch.party(order.partner_id),
            "ship_to": batch.party(order.partner_shipping_id),
            "line_count": len(lines),
        }
    ) | {"lines": [_line(batch, line) for line in lines]}


def _status(order) -> str:
    if order.state == "sale":
        return "completed" if order.integration_completed else "confirmed"
    return "cancelled" if order.state == "cancel" else "draft"


def _header(batch: Batch, order) -> dict[str, Any]:
    currency = order.currency_id
    return compact(
        {
            "number": order.name,
            "status": _status(order),
            "customer_reference": order.client_order_ref or None,
            "ordered_at": instant(order.date_order),
            "promised_date": date_text(order.commitment_date or order.expected_date),
            "currency": currency.name,
            "untaxed_amount": batch.amount(order.amount_untaxed, currency),
            "tax_amount": batch.amount(order.amount_tax, currency),
            "total_amount": batch.amount(order.amount_total, currency),
            "payment_terms": order.payment_term_id.name or None,
            "source": order.origin or None,
        }
    )


def _line(batch: Batch, line) -> dict[str, Any]:
    return compact(
        {
            "line_ref": str(line.id),
            "item": batch.item(line.product_id),
            "description": line.name or None,
            "quantity": batch.quantity(line.product_uom_qty),
            "unit": batch.unit(line.product_uom_id),
            "unit_price": decimal_text(line.price_unit),
            "discount_percent": decimal_text(line.discount) if line.discount else None,
            "net_amount": batch.amount(line.price_subtotal, line.currency_id),
            "delivered_quantity": batch.quantity(line.qty_delivered),
            "invoiced_quantity": batch.quantity(line.qty_invoiced),
        }
    )
