# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Goods on the move: receipts, deliveries, backorders, single movements, lots."""

from __future__ import annotations

from typing import Any

from odoo import fields

from .batch import Batch, location, read_ahead
from .text import compact, date_text, instant

KINDS = {"incoming": "receipt", "outgoing": "delivery", "internal": "internal_transfer"}


def receipts(pickings) -> dict[int, dict[str, Any]]:
    """Return the goods receipt of each incoming transfer that is done, by id."""
    batch = _batch(pickings)
    return {picking.id: _receipt(batch, picking) for picking in pickings}


def shipments(pickings) -> dict[int, dict[str, Any]]:
    """Return the shipment of each outgoing transfer that is done, by id."""
    batch = _batch(pickings)
    return {picking.id: _shipment(batch, picking) for picking in pickings}


def backorders(pickings) -> dict[int, dict[str, Any]]:
    """Return what is left to move, for each backorder, by id."""
    batch = _batch(pickings)
    return {picking.id: _backorder(batch, picking) for picking in pickings}


def _batch(pickings) -> Batch:
    read_ahead(
        pickings,
        "shipment_notice_ids",
        "backorder_id",
        "location_dest_id.warehouse_id",
        "move_ids.move_line_ids.lot_id",
        "move_ids.product_uom",
        "move_ids.purchase_line_id.order_id",
        "move_ids.sale_line_id.order_id",
    )
    partners = (
        pickings.partner_id
        | pickings.company_id.partner_id
        | pickings.picking_type_id.warehouse_id.partner_id
    )
    return Batch(pickings.env, partners=partners, products=pickings.move_ids.product_id)


def _receipt(batch: Batch, picking) -> dict[str, Any]:
    orders = picking.move_ids.purchase_line_id.order_id
    return {
        "receipt": compact(
            {
                "number": picking.name,
                "kind": _receipt_kind(picking),
                "received_at": instant(picking.date_done),
                "purchase_order": orders.name if len(orders) == 1 else None,
                "shipment_numbers": picking.shipment_notice_ids.mapped("name"),
                "source": picking.origin or None,
                "backorder_of": picking.backorder_id.name or None,
                "destination": location(picking.location_dest_id),
            }
        ),
        "receiver": batch.party(_site(picking)),
        **_counterpart(batch, picking, "sender"),
        "lines": [_moved_line(batch, move) for move in _done(picking)],
    }


def _shipment(batch: Batch, picking) -> dict[str, Any]:
    orders = picking.move_ids.sale_line_id.order_id
    order = orders if len(orders) == 1 else orders.browse()
    return {
        "shipment": compact(
            {
                "number": picking.name,
                "kind": _shipment_kind(picking),
                "shipped_at": instant(picking.date_done),
                "sales_order": order.name or None,
                "customer_reference": order.client_order_ref or None,
                "source": picking.origin or None,
                "backorder_of": picking.backorder_id.name or None,
                **_carrier(picking),
            }
        ),
        "sender": batch.party(_site(picking)),
        **_counterpart(batch, picking, "receiver"),
        "lines": [_moved_line(batch, move) for move in _done(picking)],
    }


def _backorder(batch: Batch, picking) -> dict[str, Any]:
    moves = picking.move_ids.filtered(lambda move: move.state != "cancel")
    return {
        "backorder": compact(
            {
                "number": picking.name,
                "backorder_of": picking.backorder_id.name or None,
                "kind": KINDS.get(picking.picking_type_code, "other"),
                "scheduled_at": instant(picking.scheduled_date),
                "source": picking.origin or None,
            }
        ),
        **_counterpart(batch, picking, "partner"),
        "lines": [
            compact(
                {
                    **_line_head(batch, move),
                    "quantity": batch.quantity(move.product_uom_qty),
                }
            )
            for move in moves
        ],
    }


def _counterpart(batch: Batch, picking, role: str) -> dict[str, Any]:
    return {role: batch.party(picking.partner_id)} if picking.partner_id else {}


def _site(picking):
    return (
        picking.picking_type_id.warehouse_id.partner_id or picking.company_id.partner_id
    )


def _done(picking):
    return picking.move_ids.filtered(lambda move: move.state == "done")


def _receipt_kind(picking) -> str:
    if picking.location_id.usage == "customer":
        return "customer_return"
    return "purchase_receipt" if picking.location_id.usage == "supplier" else "other"


def _shipment_kind(picking) -> str:
    if picking.location_dest_id.usage == "supplier":
        return "supplier_return"
    return (
        "customer_delivery" if picking.location_dest_id.usage == "customer" else "other"
    )


def _carrier(picking) -> dict[str, str | None]:
    """Return carrier and tracking number; the fields come with Odoo's delivery addons."""
    if "carrier_tracking_ref" not in picking._fields:
        return {}
    return {
        "carrier": picking.carrier_id.name or None,
        "tracking_number": picking.carrier_tracking_ref or None,
    }


def _line_head(batch: Batch, move) -> dict[str, Any]:
    purchase_line, sale_line = move.purchase_line_id, move.sale_line_id
    line_ref = (
        purchase_line.integration_line_ref or (sale_line and str(sale_line.id)) or None
    )
    return {
        "line_ref": line_ref or f"M{move.id}",
        "purchase_order": purchase_line.order_id.name or None,
        "sales_order": sale_line.order_id.name or None,
        "item": batch.item(move.product_id),
        "unit": batch.unit(move.product_uom),
    }


def _moved_line(batch: Batch, move) -> dict[str, Any]:
    return compact(
        {
            **_line_head(batch, move),
            "ordered_quantity": batch.quantity(move.product_uom_qty),
            "quantity": batch.quantity(move.quantity),
            "lots": batch.lots(move.move_line_ids),
        }
    )


def _batch_of_moves(moves) -> Batch:
    read_ahead(
        moves,
        "move_line_ids.lot_id",
        "location_id.warehouse_id",
        "location_dest_id.warehouse_id",
        "sale_line_id.order_id",
    )
    return Batch(moves.env, products=moves.product_id)


def movements(moves) -> dict[int, dict[str, Any]]:
    """Return what each move that is done took from where to where, by id."""
    batch = _batch_of_moves(moves)
    return {move.id: _movement(batch, move) for move in moves}


def _movement(batch: Batch, move) -> dict[str, Any]:
    return {
        "movement": compact(
            {
                "id": str(move.id),
                "document": move.reference or None,
                "kind": _movement_kind(move),
                "moved_at": instant(move.date),
                "from": location(move.location_id),
                "to": location(move.location_dest_id),
            }
        ),
        **_moved_item(batch, move),
    }


def _moved_item(batch: Batch, move) -> dict[str, Any]:
    return compact(
        {
            "item": batch.item(move.product_id),
            "quantity": batch.quantity(move.quantity),
            "unit": batch.unit(move.product_uom),
            "lots": batch.lots(move.move_line_ids),
        }
    )


def _movement_kind(move) -> str:
    if move.scrap_id:
        return "scrap"
    usages = move.location_id.usage, move.location_dest_id.usage
    return {
        ("supplier", "internal"): "receipt",
        ("internal", "supplier"): "supplier_return",
        ("internal", "customer"): "delivery",
        ("customer", "internal"): "customer_return",
        ("internal", "internal"): "internal_transfer",
        ("internal", "production"): "consumption",
        ("production", "internal"): "production",
    }.get(usages, "other")


def adjustments(moves) -> dict[int, dict[str, Any]]:
    """Return what each inventory adjustment added or took away, by id; the sign tells which."""
    batch = _batch_of_moves(moves)
    return {move.id: _adjustment(batch, move) for move in moves}


def _adjustment(batch: Batch, move) -> dict[str, Any]:
    gained = move.location_id.usage == "inventory"
    place = move.location_dest_id if gained else move.location_id
    return {
        "adjustment": compact(
            {
                "id": str(move.id),
                "reason": move.reference or None,
                "adjusted_at": instant(move.date),
                "location": location(place),
            }
        ),
        **_moved_item(batch, move),
        "quantity_change": batch.quantity(move.quantity if gained else -move.quantity),
    }


def shortages(moves) -> dict[int, dict[str, Any]]:
    """Return what is missing for each move that could not be reserved in full, by id."""
    batch = _batch_of_moves(moves)
    return {move.id: _shortage(batch, move) for move in moves}


def _shortage(batch: Batch, move) -> dict[str, Any]:
    missing = move.product_uom_qty - move.quantity
    return {
        "shortage": compact(
            {
                "id": str(move.id),
                "document": move.reference or None,
                "needed_at": instant(move.date),
                "location": location(move.location_id),
                "sales_order": move.sale_line_id.order_id.name or None,
            }
        ),
        "item": batch.item(move.product_id),
        "unit": batch.unit(move.product_uom),
        "required_quantity": batch.quantity(move.product_uom_qty),
        "reserved_quantity": batch.quantity(move.quantity),
        "missing_quantity": batch.quantity(missing),
    }


def lots(records) -> dict[int, dict[str, Any]]:
    """Return each lot with its dates, by id."""
    batch = Batch(records.env, products=records.product_id)
    return {lot.id: lot_head(batch, lot) for lot in records}


def expiring_lots(records) -> dict[int, dict[str, Any]]:
    """Return each lot with its dates and the days left, by id.

    What is on hand depends on the company, so only lots of one company tell it.
    """
    batch = Batch(records.env, products=records.product_id)
    today = fields.Date.today()
    return {
        lot.id: compact(
            {
                **lot_head(batch, lot),
                "days_left": (lot.expiration_date.date() - today).days,
                "on_hand_quantity": batch.quantity(lot.product_qty)
                if lot.company_id
                else None,
            }
        )
        for lot in records
    }


def lot_head(batch: Batch, lot) -> dict[str, Any]:
    """Return a lot with its dates, its item and unit."""
    return {
        "lot": compact(
            {
                "number": lot.name,
                "manufacturer_reference": lot.ref or None,
                "created_at": instant(lot.create_date),
                "expiry_date": date_text(lot.expiration_date),
                "best_before_date": date_text(lot.use_date),
                "removal_date": date_text(lot.removal_date),
                "alert_date": date_text(lot.alert_date),
            }
        ),
        "item": batch.item(lot.product_id),
        "unit": batch.unit(lot.product_uom_id),
    }


def replenishments(orderpoints) -> dict[int, dict[str, Any]]:
    """Return what each reordering rule has just asked for, by id."""
    batch = Batch(orderpoints.env, products=orderpoints.product_id)
    return {rule.id: _replenishment(batch, rule) for rule in orderpoints}


def _replenishment(batch: Batch, rule) -> dict[str, Any]:
    return {
        "replenishment": compact(
            {
                "rule": rule.name,
                "triggered_at": instant(rule.integration_triggered_at),
                "warehouse": rule.warehouse_id.code or None,
                "location": location(rule.location_id),
                "minimum_quantity": batch.quantity(rule.product_min_qty),
                "maximum_quantity": batch.quantity(rule.product_max_qty),
            }
        ),
        "item": batch.item(rule.product_id),
        "quantity": batch.quantity(rule.integration_triggered_qty),
        "unit": batch.unit(rule.product_uom),
    }
