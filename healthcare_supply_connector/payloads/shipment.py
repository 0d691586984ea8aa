# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Where shipments are: the last milestone that was told about a transfer."""

from __future__ import annotations

from typing import Any

from .batch import Batch, read_ahead
from .text import compact, instant


def delays(pickings) -> dict[int, dict[str, Any]]:
    """Return how late each transfer's shipment is, by id."""
    return {
        picking_id: {**told, "delay_days": days}
        for picking_id, (told, days) in _milestones(pickings).items()
    }


def arrivals(pickings) -> dict[int, dict[str, Any]]:
    """Return where and when each transfer's shipment has arrived, by id."""
    return {
        picking_id: told for picking_id, (told, _days) in _milestones(pickings).items()
    }


def _milestones(pickings) -> dict[int, tuple[dict[str, Any], int]]:
    read_ahead(
        pickings, "milestone_ids.notice_id", "move_ids.purchase_line_id.order_id"
    )
    batch = Batch(pickings.env, partners=pickings.partner_id)
    return {
        picking.id: (
            _milestone(batch, picking, picking.milestone_ids[:1]),
            picking.milestone_ids[:1].delay_days,
        )
        for picking in pickings
    }


def _milestone(batch: Batch, picking, milestone) -> dict[str, Any]:
    return compact(
        {
            "shipment": _shipment(picking, milestone.notice_id),
            "status": milestone.status,
            "occurred_at": instant(milestone.occurred_at),
            "planned_at": instant(milestone.planned_at),
            "expected_at": instant(milestone.expected_at),
            "place": milestone.place or None,
            "reason": milestone.reason or None,
            "sender": batch.party(picking.partner_id) if picking.partner_id else None,
        }
    )


def _shipment(picking, notice) -> dict[str, Any]:
    orders = picking.move_ids.purchase_line_id.order_id
    return compact(
        {
            "number": notice.name or None,
            "transfer": picking.name,
            "purchase_order": orders.name if len(orders) == 1 else None,
            "carrier": notice.carrier or None,
            "tracking_number": notice.tracking_number or None,
            "shipped_at": instant(notice.shipped_at),
        }
    )
