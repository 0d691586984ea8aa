# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Where a lot is and who got it."""

from __future__ import annotations

from typing import Any

from odoo.addons.healthcare_integration_base.engine.resource import Part

from ..payloads.batch import Batch, location, read_ahead
from ..payloads.text import compact, date_text, instant
from . import forms

# A lot has rarely more than some hundred; the newest are what a recall looks for.
MAX_MOVES = 1000
USAGES = ("internal", "transit")
# Where goods are gone for good, or to somebody.
USED = ("customer", "production", "inventory", "supplier")


def trace(lot, _values) -> dict[str, Any]:
    """Return where a lot is now, what brought it, and who got it."""
    lines = _moves(lot)
    read_ahead(
        lines,
        "location_id.warehouse_id",
        "location_dest_id.warehouse_id",
        "picking_id.partner_id",
        "move_id.purchase_line_id.order_id",
        "move_id.sale_line_id.order_id",
    )
    batch = Batch(lot.env, products=lot.product_id)
    shown = lines[:MAX_MOVES]
    came = shown.filtered(lambda line: line.location_id.usage == "supplier")
    went = shown.filtered(lambda line: line.location_dest_id.usage in USED)
    return {
        "lot": compact(
            {"number": lot.name, "expiry_date": date_text(lot.expiration_date)}
        ),
        "item": batch.item(lot.product_id),
        "unit": batch.unit(lot.product_uom_id),
        "on_hand": _on_hand(batch, lot),
        "received": [_move(batch, line) for line in came],
        "issued": [_move(batch, line) for line in went],
        "moved": [_move(batch, line) for line in shown - came - went],
        "complete": len(lines) <= MAX_MOVES,
    }


def _moves(lot):
    return lot.env["stock.move.line"].search(
        [("lot_id", "=", lot.id), ("state", "=", "done")],
        order="date desc, id desc",
        limit=MAX_MOVES + 1,
    )


def _on_hand(batch: Batch, lot) -> list[dict[str, Any]]:
    groups = lot.env["stock.quant"]._read_group(
        [("lot_id", "=", lot.id), ("location_id.usage", "in", USAGES)],
        ["location_id"],
        ["quantity:sum", "reserved_quantity:sum"],
    )
    return [
        {
            "location": location(place),
            "quantity": batch.quantity(quantity),
            "reserved_quantity": batch.quantity(reserved),
        }
        for place, quantity, reserved in groups
        if quantity
    ]


def _move(batch: Batch, line) -> dict[str, Any]:
    move = line.move_id
    return compact(
        {
            "document": line.reference or None,
            "moved_at": instant(line.date),
            "quantity": batch.quantity(line.quantity_product_uom),
            "from": location(line.location_id),
            "to": location(line.location_dest_id),
            "purchase_order": move.purchase_line_id.order_id.name or None,
            "sales_order": move.sale_line_id.order_id.name or None,
            "partner": _partner(line.picking_id.partner_id),
        }
    )


def _partner(partner) -> dict[str, Any] | None:
    """Return who sent or got it. A person may be a patient: then only the number is told."""
    if not partner:
        return None
    organization = partner.commercial_partner_id
    if not organization.is_company:
        return {"id": str(partner.id), "kind": "person"}
    return compact(
        {
            "id": str(organization.id),
            "kind": "organization",
            "name": organization.name,
            "reference": organization.ref or None,
        }
    )


_MOVES = forms.lists(
    document=forms.TEXT,
    moved_at=forms.ref("instant"),
    quantity=forms.ref("decimal"),
    **{"from": forms.ref("location")},
    to=forms.ref("location"),
    purchase_order=forms.TEXT,
    sales_order=forms.TEXT,
    partner=forms.objects(
        id=forms.TEXT,
        kind={"type": "string", "enum": ["organization", "person"]},
        name=forms.TEXT,
        reference=forms.TEXT,
    ),
)

TRACE = Part(
    "trace",
    "Where the lot is now, which receipts brought it, and who got it: deliveries, use,"
    f" returns, newest first. complete is false beyond {MAX_MOVES} movements.",
    trace,
    forms.document(
        {
            "lot": forms.objects(number=forms.TEXT, expiry_date=forms.ref("date")),
            "item": forms.ref("item"),
            "unit": forms.ref("unit"),
            "on_hand": forms.lists(
                location=forms.ref("location"),
                quantity=forms.ref("decimal"),
                reserved_quantity=forms.ref("decimal"),
            ),
            "received": _MOVES,
            "issued": _MOVES,
            "moved": _MOVES,
            "complete": forms.TRUTH,
        }
    ),
)
