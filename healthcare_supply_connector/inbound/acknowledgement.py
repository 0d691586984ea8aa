# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""How a supplier's answer to an order line differs from the line, beyond what is tolerated."""

from __future__ import annotations

import datetime
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from odoo.addons.healthcare_integration_base.protocol.cause import Cause
from odoo.addons.healthcare_integration_base.protocol.errors import Rejected

from ..payloads.text import amount_text, decimal_text
from . import identify

PRICE = "price_over_order"
QUANTITY = "quantity_under_order"
DELAY = "delivery_delayed"
SUBSTITUTE = "substitution_offered"
REFUSED = "line_rejected"
CODES = (PRICE, QUANTITY, DELAY, SUBSTITUTE, REFUSED)
ORDER_REFUSED = "order_rejected"


@dataclass(frozen=True)
class Deviation:
    """One thing in an answer that a buyer has to decide."""

    code: str
    line: Any
    title: str
    amount: float | None = None
    deadline: datetime.datetime | None = None
    data: dict[str, Any] = field(default_factory=dict)

    def cause(self) -> Cause:
        """Return the cause of its case."""
        order = self.line.order_id
        currency = order.currency_id
        return Cause(
            code=self.code,
            key=key_of(self.line),
            title=self.title,
            amount=None
            if self.amount is None
            else Decimal(amount_text(self.amount, currency.decimal_places)),
            currency=currency.name,
            deadline=self.deadline,
            document=(order._name, order.id),
            data={"order_line_id": self.line.id, **self.data},
        )


def key_of(line) -> str:
    """Return what tells the cases of an order line from those of others."""
    return f"{line.order_id.name}/{line.integration_line_ref}"


def deviations(line, rows, tolerance) -> list[Deviation]:
    """Return what a buyer has to decide about the last answer to a line.

    :param line: ``purchase.order.line``
    :param rows: ``purchase.order.acknowledgement.line`` of that answer
    :param tolerance: ``supply.tolerance``
    """
    if line.product_uom_id.is_zero(line.product_qty):
        return []
    checks = (_price, _quantity, _delay, _substitute, _refused)
    found = (check(line, rows, tolerance) for check in checks)
    return [deviation for deviation in found if deviation]


def price_of(rows):
    """Return the row that names a price; empty if none does."""
    return rows.filtered("price_given")[:1]


def promised(rows):
    """Return the date at which all that is confirmed will be there; None if not told."""
    dates = rows.filtered(lambda row: row.status != "rejected").mapped("promised_date")
    return max((date for date in dates if date), default=None)


def tolerated_date(line, rows, tolerance) -> datetime.date:
    """Return the last date that is taken over without asking."""
    asked = rows[:1].requested_date or line.date_planned.date()
    return asked + datetime.timedelta(days=tolerance.delay_days)


def money(value: float) -> str:
    """Return a price with at least two decimals."""
    text = decimal_text(value, 6)
    return text if len(text.partition(".")[2]) > 2 else f"{value:.2f}"


def _price(line, rows, tolerance):
    row = price_of(rows)
    price, ours = row.unit_price, line.price_unit
    if not row or price <= ours or tolerance._price_fits(price, ours):
        return None
    share = 1 - line.discount / 100
    quantity = sum(rows.mapped("quantity")) or line.product_qty
    return Deviation(
        PRICE,
        line,
        f"Price {money(price)} against {money(ours)} on {line.order_id.name}",
        amount=(price - ours) * share * quantity,
        data={"price": decimal_text(price), "ordered_price": decimal_text(ours)},
    )


def _quantity(line, rows, tolerance):
    confirmed = sum(rows.mapped("quantity"))
    if set(rows.mapped("status")) & {"rejected", "substituted"}:
        return None  # told by another case
    if tolerance._quantity_fits(confirmed, line.product_qty):
        return None
    missing = line.product_qty - confirmed
    return Deviation(
        QUANTITY,
        line,
        f"{decimal_text(confirmed, 5)} of {decimal_text(line.product_qty, 5)}"
        f" {_item(line)} confirmed on {line.order_id.name}",
        amount=_value(line, missing),
        deadline=_needed_at(line),
        data={"confirmed": decimal_text(confirmed)},
    )


def _delay(line, rows, tolerance):
    date = promised(rows)
    if not date or date <= max(
        tolerated_date(line, rows, tolerance), line.date_planned.date()
    ):
        return None
    asked = line.date_planned.date()
    return Deviation(
        DELAY,
        line,
        f"{_item(line)} on {line.order_id.name}: {date} instead of {asked}",
        amount=_value(line, line.product_qty),
        deadline=_needed_at(line),
        data={"promised_date": str(date), "requested_date": str(asked)},
    )


def _substitute(line, rows, _tolerance):
    row = rows.filtered(lambda one: one.status == "substituted")[:1]
    if not row or row.substitute_id == line.product_id:
        return None
    offered = row.substitute_id.default_code or row.substitute_reference
    return Deviation(
        SUBSTITUTE,
        line,
        f"Substitute {offered} for {_item(line)} on {line.order_id.name}",
        amount=_value(line, row.quantity),
        deadline=_needed_at(line),
        data={"substitute": row.substitute_reference},
    )


def _refused(line, rows, _tolerance):
    row = rows.filtered(lambda one: one.status == "rejected")[:1]
    open_quantity = line.product_qty - sum(rows.mapped("quantity"))
    if not row or line.product_uom_id.compare(open_quantity, 0) <= 0:
        return None
    return Deviation(
        REFUSED,
        line,
        f"{_item(line)} on {line.order_id.name} rejected by the supplier",
        amount=_value(line, open_quantity),
        deadline=_needed_at(line),
    )


def _item(line) -> str:
    return line.product_id.default_code or line.product_id.name


def _value(line, quantity: float) -> float:
    return line.price_unit * (1 - line.discount / 100) * quantity


def _needed_at(line) -> datetime.datetime | None:
    """Return when the goods are needed, if that is still to come."""
    now = datetime.datetime.utcnow()
    return line.date_planned if line.date_planned > now else None


# -- what is refused -------------------------------------------------------------------


def check_currency(order, data) -> None:
    """Refuse prices in another currency than the order's.

    :raise Rejected: ``currency_mismatch``
    """
    if data.get("currency") not in (None, order.currency_id.name):
        raise Rejected(
            f"The order is in {order.currency_id.name}.",
            code="currency_mismatch",
            details=[{"path": "/currency", "message": "not the order's"}],
        )


def check_prices(rows) -> None:
    """Refuse several prices for one line: nobody could tell which one is meant.

    :raise Rejected: ``price_ambiguous``
    """
    prices: dict[str, Decimal] = {}
    for index, row in enumerate(rows):
        if "unit_price" not in row:
            continue
        price = Decimal(row["unit_price"])
        if prices.setdefault(row["line_ref"], price) != price:
            raise Rejected(
                "A line has several prices.",
                code="price_ambiguous",
                details=[
                    {"path": f"/lines/{index}/unit_price", "message": "differs above"}
                ],
            )


def substitute(env, message, row, path: str) -> tuple[Any, str]:
    """Return the substitute's product, empty if we do not know it, and what it is called.

    An unknown substitute is no failure: the buyer decides about the offer, not about codes.
    """
    ref = row.get("substitute")
    if not ref:
        return env["product.product"], ""
    identifier = ref.get("identifier", {}).get("value")
    name = next(
        text
        for text in (
            ref.get("supplier_code"),
            ref.get("code"),
            ref.get("gtin"),
            identifier,
        )
        if text
    )
    label = ": ".join(filter(None, (name, ref.get("description"))))
    try:
        return identify.item(env, message, ref, path).product, label
    except Rejected:
        return env["product.product"], label
