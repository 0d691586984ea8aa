# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Three-way match: what is billed against what was ordered and what was received."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

TINY = 1e-6


class Match:
    """The rows of one bill: each a comparison, with what is tolerated.

    :param move: draft bill or credit note, as superuser
    :param tolerance: ``supply.tolerance``
    """

    def __init__(self, move, tolerance):
        self.move, self.tolerance, self.env = move, tolerance, move.env
        self.refund = move.move_type == "in_refund"
        self.lines = move.invoice_line_ids.filtered(
            lambda line: line.display_type == "product"
        )

    def rows(self) -> list[dict[str, Any]]:
        """Return the values of the bill's match lines, in the order of the bill."""
        found = list(self._prices())
        found += self._quantities()
        found += self._not_ordered()
        found += self._charges()
        found += self._stated()
        for sequence, row in enumerate(found):
            row["sequence"] = sequence
        return found

    # -- price ----------------------------------------------------------------------------

    def _prices(self) -> Iterator[dict[str, Any]]:
        for line in self.lines.filtered("purchase_line_id"):
            yield self._price(line)

    def _price(self, line) -> dict[str, Any]:
        ordered = line.purchase_line_id
        if ordered.currency_id != self.move.currency_id:
            return self._currency(line, ordered)
        net = ordered.price_unit * (1 - ordered.discount / 100)
        ours = ordered.product_uom_id._compute_price(net, line.product_uom_id)
        theirs = line.price_unit * (1 - line.discount / 100)
        difference = theirs - ours
        amount = abs(difference * line.quantity)
        allowed = abs(ours) * self.tolerance.invoice_price_percent / 100
        fits = (
            abs(difference) <= allowed + TINY
            or amount <= self.tolerance.invoice_price_amount + TINY
            or self._favours_us(difference)
        )
        return {
            **_of(ordered),
            "kind": "price",
            "ours": ours,
            "theirs": theirs,
            "tolerance": allowed,
            "amount": amount,
            "ok": fits,
            "text": self.env._(
                "Price %(theirs)s against %(ours)s on %(order)s",
                theirs=self._number(theirs),
                ours=self._number(ours),
                order=ordered.order_id.name,
            ),
        }

    def _favours_us(self, difference: float) -> bool:
        return difference > -TINY if self.refund else difference < TINY

    def _currency(self, line, ordered) -> dict[str, Any]:
        return {
            **_of(ordered),
            "kind": "currency",
            "ours": 0.0,
            "theirs": 0.0,
            "tolerance": 0.0,
            "amount": line.price_subtotal,
            "ok": False,
            "text": self.env._(
                "Billed in %(theirs)s, ordered in %(ours)s on %(order)s",
                theirs=self.move.currency_id.name,
                ours=ordered.currency_id.name,
                order=ordered.order_id.name,
            ),
        }

    # -- quantity -------------------------------------------------------------------------

    def _quantities(self) -> Iterator[dict[str, Any]]:
        for ordered, lines in self.lines.grouped("purchase_line_id").items():
            if ordered:
                yield self._quantity(ordered, lines)

    def _quantity(self, ordered, lines) -> dict[str, Any]:
        unit = ordered.product_uom_id
        theirs = sum(
            line.product_uom_id._compute_quantity(line.quantity, unit, round=False)
            for line in lines
        )
        billed = _billed(ordered, self.move)
        base = self._base(ordered)
        ours = max(0.0, billed if self.refund else base - billed)
        excess = max(0.0, theirs - ours)
        price = ordered.price_unit * (1 - ordered.discount / 100)
        allowed = ours * self.tolerance.invoice_quantity_percent / 100
        fits = (
            unit.compare(excess, allowed) <= 0
            or excess * price <= self.tolerance.invoice_quantity_amount + TINY
        )
        return {
            **_of(ordered),
            "kind": "quantity",
            "ours": ours,
            "theirs": theirs,
            "tolerance": allowed,
            "amount": excess * price,
            "ok": fits,
            "text": self._quantity_text(ordered, theirs, ours),
        }

    @staticmethod
    def _base(ordered) -> float:
        if ordered.product_id.purchase_method == "purchase":
            return ordered.product_qty
        return ordered.qty_received

    def _quantity_text(self, ordered, theirs: float, ours: float) -> str:
        values = {
            "theirs": self._number(theirs),
            "ours": self._number(ours),
            "order": ordered.order_id.name,
        }
        if self.refund:
            return self.env._(
                "Quantity %(theirs)s credited, %(ours)s billed on %(order)s", **values
            )
        if ordered.product_id.purchase_method == "purchase":
            return self.env._(
                "Quantity %(theirs)s billed, %(ours)s ordered and not billed on %(order)s",
                **values,
            )
        return self.env._(
            "Quantity %(theirs)s billed, %(ours)s received and not billed on %(order)s",
            **values,
        )

    # -- what nobody ordered --------------------------------------------------------------

    def _not_ordered(self) -> Iterator[dict[str, Any]]:
        lines = self.lines.filtered(
            lambda line: not line.purchase_line_id and not line.integration_charge
        )
        for line in lines:
            yield {
                "kind": "not_ordered",
                "product_id": line.product_id.id,
                "ours": 0.0,
                "theirs": line.quantity,
                "tolerance": 0.0,
                "amount": line.price_subtotal,
                "ok": False,
                "text": self.env._(
                    "%s is on no order that the invoice names",
                    line.product_id.display_name or line.name,
                ),
            }

    def _charges(self) -> Iterator[dict[str, Any]]:
        total = sum(self.lines.filtered("integration_charge").mapped("price_subtotal"))
        if total:
            allowed = self.tolerance.invoice_charge_amount
            yield {
                "kind": "charge",
                "ours": 0.0,
                "theirs": total,
                "tolerance": allowed,
                "amount": total,
                "ok": total <= allowed + TINY,
                "text": self.env._(
                    "Charges of %(total)s that were not ordered, %(allowed)s are tolerated",
                    total=self._number(total),
                    allowed=self._number(allowed),
                ),
            }

    # -- totals ---------------------------------------------------------------------------

    def _stated(self) -> Iterator[dict[str, Any]]:
        move = self.move
        if move.integration_stated_tax:
            yield self._total(
                "tax", float(move.integration_stated_tax), move.amount_tax
            )
        if move.integration_stated_total:
            yield self._total(
                "total", float(move.integration_stated_total), move.amount_total
            )

    def _total(self, kind: str, theirs: float, ours: float) -> dict[str, Any]:
        allowed = self.tolerance.invoice_total_amount
        difference = abs(theirs - ours)
        if kind == "tax":
            text = self.env._("Tax %(theirs)s stated, %(ours)s computed")
        else:
            text = self.env._("Total %(theirs)s stated, %(ours)s on the bill")
        values = {"theirs": self._number(theirs), "ours": self._number(ours)}
        return {
            "kind": kind,
            "ours": ours,
            "theirs": theirs,
            "tolerance": allowed,
            "amount": difference,
            "ok": difference <= allowed + TINY,
            "text": text % values,
        }

    @staticmethod
    def _number(value: float) -> str:
        """Return a number with at least two decimals and no more than needed."""
        text = f"{value:.6f}".rstrip("0")
        whole, _point, decimals = text.partition(".")
        return f"{whole}.{decimals.ljust(2, '0')}"


def _of(ordered) -> dict[str, Any]:
    return {"purchase_line_id": ordered.id, "product_id": ordered.product_id.id}


def _billed(ordered, move) -> float:
    """Return what other bills, credit notes deducted, have billed of an order's line."""
    total = 0.0
    for line in ordered.invoice_lines - move.invoice_line_ids:
        if line.parent_state != "cancel":
            quantity = line.product_uom_id._compute_quantity(
                line.quantity, ordered.product_uom_id, round=False
            )
            total += -quantity if line.move_id.move_type == "in_refund" else quantity
    return total
