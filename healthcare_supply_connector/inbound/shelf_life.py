# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Whether goods arrive with enough of their shelf life left."""

from __future__ import annotations

import datetime
from decimal import Decimal

from odoo import fields

from odoo.addons.healthcare_integration_base.protocol.cause import Cause

from ..payloads.text import amount_text

CODE = "shelf_life_short"


def required_days(product, tolerance) -> int:
    """Return how many days must be left: the product's own value, else the agreed one."""
    return product.minimum_shelf_life_days or tolerance.minimum_shelf_life_days


def remaining_days(expiry: str | None, arrival: datetime.datetime | bool) -> int | None:
    """Return the days between arrival (today if unknown) and expiry; None without expiry."""
    if not expiry:
        return None
    arrives = (arrival or fields.Datetime.now()).date()
    return (datetime.date.fromisoformat(expiry) - arrives).days


def key_of(line) -> str:
    """Return what tells the case of a lot on a notice from others."""
    order = line.purchase_line_id.order_id
    return f"{order.name}/{line.line_ref}/{line.lot_name or ''}"


def cause(line, required: int) -> Cause:
    """Return the cause of the case about a line of a notice.

    :param line: ``stock.shipment.notice.line``
    :param required: days that must be left
    """
    order_line, notice = line.purchase_line_id, line.notice_id
    currency = order_line.currency_id
    item = line.product_id.default_code or line.product_id.name
    quantity = line.product_uom_id._compute_quantity(
        line.quantity, order_line.product_uom_id
    )
    picking = notice.picking_ids[:1]
    return Cause(
        code=CODE,
        key=key_of(line),
        title=f"{item} lot {line.lot_name or '?'} on {order_line.order_id.name}:"
        f" {line.remaining_days} days left at arrival, {required} required",
        amount=Decimal(
            amount_text(order_line.price_unit * quantity, currency.decimal_places)
        ),
        currency=currency.name,
        deadline=notice.expected_at or None,
        document=(picking._name, picking.id),
        data={"notice_line_id": line.id, "lot": line.lot_name or ""},
    )


def raise_cases(notice, message, tolerance) -> None:
    """Open a case for each flagged line of a notice."""
    cases = notice.env["integration.exception"]
    for line in notice.line_ids.filtered("shelf_life_short"):
        cases._raise_case(
            cause(line, required_days(line.product_id, tolerance)),
            message=message,
            company=notice.company_id,
        )


def settle(notices, resolution: str) -> None:
    """Resolve the cases about lines of notices whose goods have come."""
    for notice in notices.sudo():
        for line in notice.line_ids.filtered("shelf_life_short"):
            notice.env["integration.exception"]._settle_case(
                CODE, key_of(line), resolution, notice.company_id, notice.system_id
            )
