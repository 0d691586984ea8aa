# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Counted goods laid on the moves of open receipts, which are validated with them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from odoo.addons.healthcare_integration_base.protocol.cause import Cause

from ..payloads.text import decimal_text
from .receipt_lines import DAMAGED, REFUSED, Counted, refused
from .resolve import noon

OVER = "over_receipt"


@dataclass
class Piece:
    """A part of what was counted, on one move."""

    move: Any
    row: Counted


class Booking:
    """Lays what was counted on the open moves.

    :param pickings: open receipts, the earliest first
    :param rows: list of ``Counted``
    :raise Rejected: ``receipt_in_progress``, ``item_not_ordered``; ``over_receipt`` with
        its cause
    """

    def __init__(self, pickings, rows):
        self.env = pickings.env
        moves = pickings.move_ids.filtered(
            lambda move: move.state not in ("done", "cancel")
        )
        self.open = {move: move.product_qty for move in moves.sorted("date")}
        self._check_not_counted(moves)
        self.pieces = [piece for row in rows for piece in self._lay(row)]

    @staticmethod
    def _check_not_counted(moves) -> None:
        if any(moves.move_line_ids.mapped("picked")):
            raise refused(0, "quantity", "receipt_in_progress", "is being counted")

    def _lay(self, row: Counted) -> list[Piece]:
        if row.condition == REFUSED or (
            row.condition == DAMAGED and not self._damaged_location(row)
        ):
            return []
        moves = self._moves_of(row)
        if not moves:
            raise refused(
                row.index, "quantity", "nothing_open", "nothing of this is open"
            )
        uom, left, pieces = row.product.uom_id, row.quantity, []
        for move in moves:
            quantity = min(left, self.open[move])
            if uom.compare(quantity, 0.0) > 0:
                pieces.append(Piece(move, replace(row, quantity=quantity)))
                self.open[move] -= quantity
                left = uom.round(left - quantity)
        if uom.compare(left, 0.0) > 0:
            self._check_over(moves, row, left)
            pieces.append(Piece(moves[-1], replace(row, quantity=left)))
            self.open[moves[-1]] -= left
        return pieces

    def _moves_of(self, row: Counted):
        return [
            move
            for move in self.open
            if move.product_id == row.product
            and (not row.order_line or move.purchase_line_id == row.order_line)
        ]

    def _check_over(self, moves, row: Counted, more: float) -> None:
        """Refuse more than is tolerated, unless a person has accepted it."""
        picking = moves[-1].picking_id
        if picking.over_receipt_accepted:
            return
        ordered = sum(move.product_qty for move in moves)
        over = more - min(0.0, self.open[moves[-1]])
        tolerance = self.env["supply.tolerance"]._for(
            picking.company_id, picking.partner_id
        )
        allowed = ordered * tolerance.over_receipt_percent / 100
        if row.product.uom_id.compare(over, allowed) > 0:
            raise self._too_much(picking, row, over, ordered)

    @staticmethod
    def _too_much(picking, row: Counted, over: float, ordered: float):
        item = row.product.default_code or row.product.name
        cause = Cause(
            code=OVER,
            key=f"{picking.name}/{item}",
            title=f"{decimal_text(over, 5)} {item} more than the"
            f" {decimal_text(ordered, 5)} of {picking.name}",
            document=(picking._name, picking.id),
            data={"picking_id": picking.id},
        )
        return refused(
            row.index, "quantity", OVER, "more than is open and tolerated", cause=cause
        )

    def _damaged_location(self, row: Counted):
        moves = self._moves_of(row)
        warehouse = moves and moves[0].picking_type_id.warehouse_id
        return warehouse and warehouse.damaged_location_id

    # -- writing -----------------------------------------------------------------------

    def apply(self, backorder: bool):
        """Validate the receipts with what was counted.

        :param backorder: whether what is missing is still to come; else it is cancelled
        :return: the receipts that are done
        """
        moves = self.env["stock.move"].union(*(piece.move for piece in self.pieces))
        pickings = moves.picking_id
        if not pickings:
            return next(iter(self.open)).picking_id  # all was refused: nothing came in
        notices = self._notices(pickings)
        packages = self._packages()
        pickings.move_line_ids.unlink()
        self.env["stock.move.line"].create(
            [self._prepare(piece, notices, packages) for piece in self.pieces]
        )
        pickings.with_context(
            skip_backorder=True, cancel_backorder=not backorder
        )._action_done()
        return pickings

    @staticmethod
    def _notices(pickings) -> dict[tuple[Any, str], Any]:
        """Return the ship notices that proposed each lot on each move."""
        return {
            (line.move_id, line.lot_name or ""): line.shipment_notice_id
            for line in pickings.move_line_ids.filtered("shipment_notice_id")
        }

    def _packages(self) -> dict[str, Any]:
        """Return the packages by SSCC: those of the ship notice, else new ones."""
        codes = {piece.row.sscc for piece in self.pieces if piece.row.sscc}
        register = self.env["stock.shipment.notice.package"].search(
            [("sscc", "in", list(codes)), ("company_id", "=", self.env.company.id)]
        )
        found = {row.sscc: row.package_id for row in register if row.package_id}
        for code in sorted(codes - set(found)):
            found[code] = self.env["stock.package"].create({"name": code})
        return found

    def _prepare(self, piece: Piece, notices, packages) -> dict[str, Any]:
        row, move = piece.row, piece.move
        vals = move._prepare_move_line_vals(quantity=row.quantity)
        notice = notices.get((move, row.lot or ""))
        vals.update(
            picked=True,
            lot_name=row.lot or False,
            shipment_notice_id=notice.id if notice else False,
        )
        if row.sscc:
            vals["result_package_id"] = packages[row.sscc].id
        if row.expiry_date:
            vals["expiration_date"] = noon(row.expiry_date)
        if row.condition == DAMAGED:
            vals["location_dest_id"] = self._damaged_location(row).id
        return vals
