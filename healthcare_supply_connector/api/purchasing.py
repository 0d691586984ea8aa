# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Purchase orders and goods receipts."""

from __future__ import annotations

from typing import Any

from odoo.fields import Domain

from odoo.addons.healthcare_integration_base.engine.resource import Resource

from ..payloads import purchase, stock
from ..payloads.batch import read_ahead
from . import forms

_ORDER_STATES = {
    "draft": ("draft", "sent"),
    "approval_requested": "to approve",
    "released": "purchase",
    "cancelled": "cancel",
}
_SUPPLIER = forms.by_record(
    "supplier", "Only of this supplier.", "partner_id", number="ref"
)


def _ordered_from(partner) -> Domain:
    """Return the orders a supplier knows of; drafts and what was never sent stay ours."""
    sent = Domain("state", "in", ("sent", "purchase"))
    withdrawn = Domain("state", "=", "cancel") & Domain("date_approve", "!=", False)
    return Domain("partner_id.commercial_partner_id", "=", partner.id) & (
        sent | withdrawn
    )


PURCHASE_ORDERS = Resource(
    name="purchase-orders",
    title="Purchase orders",
    text="Purchase orders with their lines, as supply.purchase_order.* events have them.",
    model="purchase.order",
    build=purchase.orders,
    schema=forms.widen(
        forms.of_event("supply.purchase_order.released.v1"),
        "order.status",
        *_ORDER_STATES,
    ),
    of_partner=_ordered_from,
    filters=(
        _SUPPLIER,
        forms.choice("state", "Only in this state.", _ORDER_STATES, "state"),
        forms.by_record(
            "product",
            "Only with a line of this product.",
            "order_line.product_id",
            number="default_code",
        ),
        forms.by_text(
            "supplier_reference", "Only of this number at the supplier.", "partner_ref"
        ),
    ),
    touched=(("purchase_order_line", "order_id"),),
    needs="purchase.group_purchase_user",
)

_RECEIPT_STATES = {
    "expected": ("waiting", "confirmed", "assigned"),
    "done": "done",
    "cancelled": "cancel",
}
_STATE_OF = {
    own: name
    for name, states in _RECEIPT_STATES.items()
    for own in ([states] if isinstance(states, str) else states)
}


def receipts(pickings) -> dict[int, dict[str, Any]]:
    """Return what came in with each receipt and, before it is done, what is to come."""
    # rows of products and templates at once: each document would read its own
    read_ahead(
        pickings,
        "move_ids.product_id.uom_id",
        "move_ids.product_id.product_tmpl_id.categ_id",
    )
    documents = stock.receipts(pickings)
    waiting = pickings.filtered(lambda p: _STATE_OF.get(p.state) == "expected")
    expected = stock.backorders(waiting) if waiting else {}
    return {
        picking.id: {
            **documents[picking.id],
            "state": _STATE_OF.get(picking.state, "expected"),
            "expected_lines": expected.get(picking.id, {}).get("lines", []),
        }
        for picking in pickings
    }


def _received_from(partner) -> Domain:
    return Domain("partner_id.commercial_partner_id", "=", partner.id) & Domain(
        "location_id.usage", "=", "supplier"
    )


RECEIPTS = Resource(
    name="receipts",
    title="Receipts",
    text="Goods receipts: what came in with its lots, and what is still expected.",
    model="stock.picking",
    build=receipts,
    schema=forms.of_event(
        "supply.goods.received.v1",
        state={"type": "string", "enum": list(_RECEIPT_STATES)},
        expected_lines=forms._file("supply.backorder.created.v1")["properties"][
            "lines"
        ],
    ),
    domain=lambda _env: Domain(
        [("picking_type_id.code", "=", "incoming"), ("state", "!=", "draft")]
    ),
    of_partner=_received_from,
    filters=(
        _SUPPLIER,
        forms.choice("state", "Only in this state.", _RECEIPT_STATES, "state"),
        forms.by_text(
            "purchase_order",
            "Only of this purchase order.",
            "move_ids.purchase_line_id.order_id.name",
        ),
        forms.by_record(
            "product",
            "Only with this product.",
            "move_ids.product_id",
            number="default_code",
        ),
        forms.by_text(
            "lot", "Only with this lot.", "move_ids.move_line_ids.lot_id.name"
        ),
    ),
    touched=(("stock_move", "picking_id"),),
    needs="stock.group_stock_user",
)

RESOURCES = (PURCHASE_ORDERS, RECEIPTS)
