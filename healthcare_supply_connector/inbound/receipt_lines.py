# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""The lines of a confirmed receipt: which item, how much of which lot, in what condition."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from odoo.addons.healthcare_integration_base.protocol.errors import Rejected

from . import identify
from .packages import read
from .resolve import order_lines

GOOD, DAMAGED, REFUSED = "good", "damaged", "rejected"


@dataclass
class Counted:
    """A quantity of one lot in one condition, in the product's own unit."""

    index: int
    product: Any
    order_line: Any
    condition: str
    quantity: float
    lot: str | None = None
    expiry_date: str | None = None
    sscc: str | None = None
    reason: str | None = None

    def vals(self) -> dict[str, Any]:
        """Return the values of the confirmation's line."""
        return {
            "product_id": self.product.id,
            "lot_name": self.lot,
            "sscc": self.sscc,
            "condition": self.condition,
            "quantity": self.quantity,
            "reason": self.reason,
        }


def counted(env, data, message, pickings) -> list[Counted]:
    """Return what was counted, line by line.

    :param pickings: the receipts it may be about
    :raise Rejected: ``line_unknown``, ``item_unknown``, ``item_not_ordered``,
        ``unit_unknown``, ``lot_missing``, ``lot_quantity_mismatch``, ``serial_quantity``,
        ``quantity_missing``
    """
    found = _Lines(env, data, message, pickings)
    rows = [
        one
        for index, row in enumerate(data["lines"])
        for one in found.split(index, row)
    ]
    if not rows:
        raise refused(0, "quantity", "quantity_missing", "nothing was received")
    return rows


def tally(rows) -> Counter:
    """Return what came in good condition, by product and lot."""
    found: Counter = Counter()
    for row in rows:
        if row.condition == GOOD:
            found[row.product.id, row.lot or ""] += Decimal(str(row.quantity))
    return +found


def tally_of(pickings) -> Counter:
    """Return what receipts that are done brought, by product and lot."""
    found: Counter = Counter()
    for line in pickings.move_line_ids.filtered(lambda one: one.state == "done"):
        quantity = line.product_id.uom_id.round(line.quantity_product_uom)
        key = line.product_id.id, line.lot_id.name or line.lot_name or ""
        found[key] += Decimal(str(quantity))
    return +found


def refused(index: int, member: str, code: str, message: str, **kwargs) -> Rejected:
    """Return the refusal of a line."""
    return Rejected(
        "The receipt does not fit to what was ordered.",
        code=code,
        details=[{"path": f"/lines/{index}/{member}", "message": message}],
        **kwargs,
    )


class _Lines:
    def __init__(self, env, data, message, pickings):
        self.env, self.message = env, message
        moves = pickings.move_ids.filtered(lambda move: move.state != "cancel")
        self.ordered = moves.purchase_line_id
        self.products = moves.product_id
        self.items = self._items(data["lines"])
        self.by_ref = self._by_ref(data["lines"])

    def _items(self, rows) -> dict[int, Any]:
        refs = [
            (index, (row["item"], f"/lines/{index}/item"))
            for index, row in enumerate(rows)
            if "item" in row
        ]
        found = identify.items(
            self.env,
            self.message,
            [ref for _index, ref in refs],
            supplier=self.ordered.order_id.partner_id.commercial_partner_id[:1],
        )
        return dict(zip((index for index, _ref in refs), found, strict=True))

    def _by_ref(self, rows) -> dict[str, Any]:
        """Return the order lines by reference; two orders on one receipt need items."""
        refs = [row.get("line_ref") for row in rows]
        if not any(refs):
            return {}
        orders = self.ordered.order_id
        if len(orders) != 1:
            index = next(i for i, ref in enumerate(refs) if ref)
            raise refused(
                index, "line_ref", "line_ambiguous", "the receipt is of several orders"
            )
        known = order_lines(orders, [])
        for index, ref in enumerate(refs):
            if ref and ref not in known:
                raise refused(index, "line_ref", "line_unknown", "not on the order")
        return known

    def split(self, index: int, row) -> list[Counted]:
        """Return what one line counts."""
        product, order_line = self._item(index, row)
        uom = self._unit(index, row, product, order_line)
        reason = row.get("reason")

        def make(condition, quantity, **vals):
            own = uom._compute_quantity(
                float(quantity), product.uom_id, rounding_method="HALF-UP"
            )
            return Counted(
                index, product, order_line, condition, own, reason=reason, **vals
            )

        rows = [
            make(GOOD, quantity, **vals)
            for quantity, vals in self._good(index, row, product)
        ]
        lot = row.get("damaged_lot") if product.tracking != "none" else None
        for condition in (DAMAGED, REFUSED):
            quantity = Decimal(row.get(f"{condition}_quantity", "0"))
            if quantity:
                rows.append(make(condition, quantity, lot=lot))
        return rows

    def _item(self, index: int, row):
        line = self.by_ref.get(row.get("line_ref"), self.ordered.browse())
        found = self.items.get(index)
        product = found.product if found else line.product_id
        if line and product != line.product_id:
            raise refused(index, "item", "item_not_ordered", "is not the line's item")
        if product not in self.products:
            raise refused(index, "item", "item_not_ordered", "is not on the receipt")
        return product, line

    def _unit(self, index: int, row, product, order_line):
        if "unit" in row:
            path = f"/lines/{index}/unit"
            return identify.unit(self.env, self.message, row["unit"], product, path)
        found = self.items.get(index)
        if found and found.uom:
            return found.uom
        lines = order_line or self.ordered.filtered(lambda o: o.product_id == product)
        return (
            lines.product_uom_id if len(lines.product_uom_id) == 1 else product.uom_id
        )

    def _good(self, index: int, row, product) -> list[tuple[str, dict[str, Any]]]:
        lots, total = row.get("lots", []), Decimal(row["quantity"])
        own = row.get("sscc") and read(row["sscc"], f"/lines/{index}/sscc")
        if lots and sum(Decimal(lot["quantity"]) for lot in lots) != total:
            raise refused(
                index, "lots", "lot_quantity_mismatch", "does not add up to the line"
            )
        if not total:
            return []
        if product.tracking == "none" and not any("sscc" in lot for lot in lots):
            return [(row["quantity"], {"sscc": own})]
        if not lots:
            raise refused(index, "lots", "lot_missing", "the item is tracked by lots")
        return [self._lot(index, lot, product, own) for lot in lots]

    @staticmethod
    def _lot(index: int, lot, product, own):
        if product.tracking == "serial" and Decimal(lot["quantity"]) != 1:
            raise refused(
                index, "lots", "serial_quantity", "a serial number stands for one piece"
            )
        tracked = product.tracking != "none"
        vals = {
            "lot": lot["lot"] if tracked else None,
            "expiry_date": lot.get("expiry_date") if tracked else None,
            "sscc": read(lot["sscc"], f"/lines/{index}/lots") if "sscc" in lot else own,
        }
        return lot["quantity"], vals
