# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""A ship notice laid out on the open receipts of its order, before anything is written."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from odoo import Command

from odoo.addons.healthcare_integration_base.protocol.errors import Filtered, Rejected

from . import identify, shelf_life
from .packages import Packages, read
from .resolve import digest, noon, order_lines, utc

__all__ = ["Plan", "check_number", "digest", "utc"]


@dataclass
class Part:
    """A quantity of one lot (or of none), in the product's own unit."""

    quantity: float
    lot: str | None = None
    expiry_date: str | None = None
    sscc: str | None = None


@dataclass
class Proposal:
    """A part of a shipped line, laid on one move of a receipt."""

    move: Any
    part: Part


def check_number(notices, order, data) -> None:
    """Refuse a shipment number that was used before.

    :raise Filtered: ``shipment_repeated``: same number, same content
    :raise Rejected: ``shipment_number_reused``: same number, other content
    """
    known = notices.sudo().search(
        [
            ("name", "=", data["shipment_number"]),
            ("partner_id", "=", order.partner_id.commercial_partner_id.id),
            ("company_id", "=", order.company_id.id),
        ],
        limit=1,
    )
    if known and known.digest == digest(data):
        raise Filtered("This shipment was notified before.", code="shipment_repeated")
    if known:
        raise Rejected(
            "The shipment number was used for another content.",
            code="shipment_number_reused",
        )


class Plan:
    """Which move gets which lots in which quantity.

    :param order: the confirmed purchase order
    :param data: canonical data of ``supply.shipment.notified``
    :param message: the integration.message it came in
    :raise Rejected: when the notice does not fit to what is open
    """

    def __init__(self, order, data, message):
        self.order, self.message = order, message
        self.data = data
        self.lines = order_lines(order, [row["line_ref"] for row in data["lines"]])
        self.packages = Packages(order.env, data)
        self._open = self._open_quantities()
        self.proposals = [
            proposal
            for index, row in enumerate(data["lines"])
            for proposal in self._lay(index, row)
        ]
        moves = order.env["stock.move"].union(
            *(proposal.move for proposal in self.proposals)
        )
        self.moves, self.pickings = moves, moves.picking_id

    def _open_quantities(self) -> dict[Any, float]:
        """Return what each open incoming move still waits for, without what is notified."""
        moves = self.order.order_line.move_ids.filtered(
            lambda move: move.state not in ("draft", "done", "cancel")
            and move.location_id.usage == "supplier"
            and move.picking_id
        )
        if not moves:
            raise Rejected("The order has no open receipt.", code="no_open_receipt")
        return {
            move: move.product_qty - _notified(move) for move in moves.sorted("date")
        }

    def _lay(self, index: int, row: dict[str, Any]) -> list[Proposal]:
        line = self.lines[row["line_ref"]]
        parts = self._parts(index, row, line)
        moves = [move for move in self._open if move.purchase_line_id == line]
        for move in moves:
            if any(move.move_line_ids.mapped("picked")):
                raise _refused(
                    index, "line_ref", "receipt_in_progress", "is being counted"
                )
        proposals = [
            p
            for part in parts
            for p in self._lay_part(part, moves, line.product_id.uom_id)
        ]
        if len(proposals) < len(parts) or any(part.quantity for part in parts):
            raise _refused(index, "quantity", "quantity_over_open", "more than is open")
        return proposals

    def _lay_part(self, part: Part, moves, uom) -> list[Proposal]:
        """Lay a part on the moves; what did not fit stays in ``part.quantity``."""
        laid = []
        for move in moves:
            quantity = min(part.quantity, self._open[move])
            if uom.compare(quantity, 0.0) > 0:
                laid.append(Proposal(move, replace(part, quantity=quantity)))
                self._open[move] -= quantity
                part.quantity = uom.round(part.quantity - quantity)
        return laid

    def _parts(self, index: int, row: dict[str, Any], line) -> list[Part]:
        uom = identify.ordered_unit(
            self.order.env, self.message, row.get("unit"), line, f"/lines/{index}/unit"
        )
        total = Decimal(row["quantity"])
        lots = row.get("lots", [])
        if lots and sum(Decimal(lot["quantity"]) for lot in lots) != total:
            raise _refused(
                index, "lots", "lot_quantity_mismatch", "does not add up to the line"
            )
        own = row.get("sscc") and read(row["sscc"], f"/lines/{index}/sscc")
        if not lots:
            return [Part(_in_product_unit(uom, total, line), sscc=own)]
        tracked = line.product_id.tracking != "none"
        parts = [
            Part(
                _in_product_unit(uom, Decimal(lot["quantity"]), line),
                lot["lot"] if tracked else None,
                lot.get("expiry_date") if tracked else None,
                read(lot["sscc"], f"/lines/{index}/lots") if "sscc" in lot else own,
            )
            for lot in lots
        ]
        if line.product_id.tracking == "serial" and any(
            part.quantity != 1 for part in parts
        ):
            raise _refused(
                index, "lots", "serial_quantity", "a serial number stands for one piece"
            )
        return parts

    def notice_lines(self, tolerance, arrival) -> list[dict[str, Any]]:
        """Return the values of the notice's lines, one per lot, in the product's unit.

        :param tolerance: ``supply.tolerance`` of the supplier
        :param arrival: when the goods will be there, False if unknown
        """
        return [
            {
                **_shelf_life(proposal, tolerance, arrival),
                "sscc": proposal.part.sscc,
                "purchase_line_id": proposal.move.purchase_line_id.id,
                "product_id": proposal.move.product_id.id,
                "product_uom_id": proposal.move.product_id.uom_id.id,
                "quantity": proposal.part.quantity,
                "lot_name": proposal.part.lot,
                "expiry_date": proposal.part.expiry_date,
            }
            for proposal in self.proposals
        ]

    def apply(self, notice) -> None:
        """Replace what Odoo proposes on the receipts by what was notified."""
        self._withdraw_default_proposals()
        self._announce(notice)
        self.packages.make()
        notice.package_ids = [Command.create(v) for v in self.packages.register()]
        vals_list = [self._prepare(proposal, notice) for proposal in self.proposals]
        lines = self.order.env["stock.move.line"].create(vals_list)
        lines._apply_putaway_strategy()
        self.moves._recompute_state()

    def _withdraw_default_proposals(self) -> None:
        """Take Odoo's own full proposal off: on a receipt's first notice, off all its moves."""
        fresh = self.pickings.filtered(lambda picking: not picking.shipment_notified)
        moves = self.moves | fresh.move_ids.filtered(
            lambda m: m.state not in ("done", "cancel")
        )
        moves.move_line_ids.filtered(
            lambda line: not line.picked and not line.shipment_notice_id
        ).unlink()

    def _announce(self, notice) -> None:
        self.pickings.write({"shipment_notified": True})
        for picking in self.pickings:
            if notice.expected_at:
                picking.scheduled_date = notice.expected_at
            if "carrier_tracking_ref" in picking._fields and notice.tracking_number:
                picking.carrier_tracking_ref = notice.tracking_number
            picking.message_post(
                body=picking.env._(
                    "Shipment %(number)s notified by the supplier.", number=notice.name
                )
            )

    def _prepare(self, proposal: Proposal, notice) -> dict[str, Any]:
        part = proposal.part
        vals = proposal.move._prepare_move_line_vals(quantity=part.quantity)
        vals.update(
            picked=False, shipment_notice_id=notice.id, lot_name=part.lot or False
        )
        if part.sscc:
            vals["result_package_id"] = self.packages.made[part.sscc].id
        if part.expiry_date:
            vals["expiration_date"] = noon(part.expiry_date)
        return vals


def _shelf_life(proposal: Proposal, tolerance, arrival) -> dict[str, Any]:
    left = shelf_life.remaining_days(proposal.part.expiry_date, arrival)
    required = shelf_life.required_days(proposal.move.product_id, tolerance)
    return {
        "remaining_days": left or 0,
        "shelf_life_short": left is not None and 0 < required and left < required,
    }


def _notified(move) -> float:
    return sum(
        move.move_line_ids.filtered("shipment_notice_id").mapped("quantity_product_uom")
    )


def _in_product_unit(uom, quantity: Decimal, line) -> float:
    return uom._compute_quantity(
        float(quantity), line.product_id.uom_id, rounding_method="HALF-UP"
    )


def _refused(index: int, member: str, code: str, message: str) -> Rejected:
    return Rejected(
        "The notice does not fit to the order.",
        code=code,
        details=[{"path": f"/lines/{index}/{member}", "message": message}],
    )
