# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Holds and releases of lots."""

from __future__ import annotations

from typing import Any

from .batch import Batch, read_ahead
from .stock import lot_head
from .text import compact, instant


def placed(lots) -> dict[int, dict[str, Any]]:
    """Return each lot with its last hold, by id."""
    return _holds(lots, "placed")


def released(lots) -> dict[int, dict[str, Any]]:
    """Return each lot with its last release, by id."""
    return _holds(lots, "released")


def _holds(lots, action: str) -> dict[int, dict[str, Any]]:
    """Return each lot with the last entry of its history, by id.

    What is on hand depends on the company, so only lots of one company tell it.
    """
    read_ahead(lots, "hold_ids.system_id")
    batch = Batch(lots.env, products=lots.product_id)
    return {
        lot.id: compact(
            {
                **lot_head(batch, lot),
                "hold": _hold(lot.hold_ids, action),
                "on_hand_quantity": batch.quantity(lot.product_qty)
                if lot.company_id
                else None,
            }
        )
        for lot in lots
    }


def _hold(history, action: str) -> dict[str, Any]:
    hold = history.filtered(lambda one: one.action == action).sorted("id")[-1:]
    return compact(
        {
            "action": hold.action,
            "reason": hold.reason,
            "reference": hold.reference or None,
            "at": instant(hold.at),
            "requested_by": hold.system_id.code or None,
        }
    )
