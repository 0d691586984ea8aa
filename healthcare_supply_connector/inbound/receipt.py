# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""A goods receipt confirmed by the operator of a warehouse: booked once, or recognised."""

from __future__ import annotations

from decimal import Decimal

from odoo import Command
from odoo.fields import Domain

from odoo.addons.healthcare_integration_base.protocol.cause import Cause
from odoo.addons.healthcare_integration_base.protocol.errors import Filtered, Rejected

from ..payloads.text import amount_text, decimal_text
from . import documents, resolve
from .booking import Booking
from .receipt_lines import DAMAGED, GOOD, counted, tally, tally_of

DIFFERS = "receipt_differs"
DAMAGES = "goods_damaged"
FINISHED = ("done", "cancel")


def apply(env, data, message):
    """Validate the receipt as the operator counted it, or recognise it as received.

    :return: the receipt
    :raise Rejected: ``warehouse_not_operated``, ``receipt_unknown``,
        ``purchase_order_unknown``, ``receipt_not_open``, ``no_open_receipt``,
        ``receipt_reference_reused``, ``receipt_confirmed_before``; with a cause:
        ``receipt_differs``, ``over_receipt``, ``item_unknown``, ``unit_unknown``
    :raise Filtered: ``receipt_repeated``
    """
    received_at = resolve.past(data["received_at"], "/received_at")
    _check_reference(env, data, message)
    pickings = _receipts(env, data, resolve.warehouses(env, message))
    rows = counted(env, data, message, pickings)
    by_hand = _received_by_hand(pickings, rows, data, message)
    if by_hand:
        done, outcome = by_hand, "recognised"
        text = env._("Already received by hand; confirmed as %s", data["reference"])
    else:
        done, outcome = _book(pickings, rows, data), "booked"
        text = env._("Received by the operator of the warehouse: %s", data["reference"])
    _record(done, rows, data, message, received_at=received_at, outcome=outcome)
    for picking in done:
        picking.message_post(body=text)
    _raise_damages(done, rows, message)
    _attach(done, data, message)
    return done[:1]


# -- which receipt ---------------------------------------------------------------------


def _check_reference(env, data, message) -> None:
    known = (
        env["stock.receipt.confirmation"]
        .sudo()
        .search(
            [
                ("name", "=", data["reference"]),
                ("system_id", "=", message.sudo().endpoint_id.system_id.id),
                ("company_id", "=", env.company.id),
                ("outcome", "!=", "by_hand"),
            ]
        )
    )
    if known and known.digest == resolve.digest(data):
        raise Filtered("This receipt was confirmed before.", code="receipt_repeated")
    if known:
        raise Rejected(
            "The reference was used for another receipt.",
            code="receipt_reference_reused",
            details=[{"path": "/reference", "message": "was used before"}],
        )


def _receipts(env, data, warehouses):
    """Return the receipts the message may be about, in the sender's warehouses."""
    domain = Domain("picking_type_id.warehouse_id", "in", warehouses.ids) & Domain(
        "picking_type_code", "=", "incoming"
    )
    if "transfer" in data:
        domain &= Domain("name", "=", data["transfer"])
    if "purchase_order" in data:
        domain &= Domain(
            "move_ids.purchase_line_id.order_id",
            "any",
            [
                ("name", "=", data["purchase_order"]),
                ("company_id", "=", env.company.id),
            ],
        )
    found = env["stock.picking"].search(domain, order="scheduled_date, id")
    if not found and "transfer" in data:
        raise Rejected("There is no such receipt.", code="receipt_unknown")
    if not found:
        raise Rejected(
            "There is no such purchase order.", code="purchase_order_unknown"
        )
    return _of_shipment(_not_cancelled(found, data), data)


def _not_cancelled(pickings, data):
    left = pickings.filtered(lambda one: one.state != "cancel")
    if not left and "transfer" in data:
        raise Rejected("The receipt is cancelled.", code="receipt_not_open")
    if not left:
        raise Rejected("The order has no open receipt.", code="no_open_receipt")
    return left


def _of_shipment(pickings, data):
    """Return those of the notified shipment, where it is known."""
    number = data.get("shipment_number")
    announced = pickings.filtered(
        lambda one: number in one.shipment_notice_ids.mapped("name")
    )
    return announced or pickings


# -- received by hand before -----------------------------------------------------------


def _received_by_hand(pickings, rows, data, message):
    """Return the receipt a user has validated before the message came; empty: none.

    :raise Rejected: ``receipt_differs`` when one was validated with another content,
        ``receipt_confirmed_before``
    """
    done = pickings.filtered(lambda one: one.state == "done")
    by_hand = done.filtered(lambda one: not one.sudo().receipt_confirmation_ids)
    if "transfer" in data and any(_confirmed(one) for one in done):
        raise Rejected(
            "This receipt was confirmed under another reference.",
            code="receipt_confirmed_before",
        )
    theirs = tally(rows)
    same = by_hand.filtered(lambda one: tally_of(one) == theirs)[:1]
    if not same and tally_of(by_hand) == theirs:
        same = by_hand
    if by_hand and not same:
        raise _differs(by_hand, theirs, message)
    return same


def _confirmed(picking) -> bool:
    """Tell whether an operator has confirmed this very receipt."""
    outcomes = picking.sudo().receipt_confirmation_ids.mapped("outcome")
    return bool(set(outcomes) - {"by_hand"})


def _differs(by_hand, theirs, message) -> Rejected:
    ours = tally_of(by_hand)
    products = by_hand.env["product.product"]
    rows = [
        {
            "item": products.browse(product_id).display_name,
            "lot": lot,
            "ours": decimal_text(float(ours[product_id, lot])),
            "theirs": decimal_text(float(theirs[product_id, lot])),
        }
        for product_id, lot in sorted(set(ours) | set(theirs))
    ]
    names = ", ".join(by_hand.mapped("name"))
    different = sum(row["ours"] != row["theirs"] for row in rows)
    cause = Cause(
        code=DIFFERS,
        key=names,
        title=f"{names} was received by hand and confirmed otherwise: "
        f"{different} difference{'s' if different > 1 else ''}",
        document=(by_hand._name, by_hand[0].id),
        data={"picking_ids": by_hand.ids, "rows": rows},
    )
    return Rejected(f"{names} was received by hand with another content.", cause=cause)


# -- booking ---------------------------------------------------------------------------


def _book(pickings, rows, data):
    # a receipt that was said to be another delivery leaves its backorder to be booked
    candidates = pickings | pickings.backorder_ids
    waiting = candidates.filtered(lambda one: one.state not in FINISHED)
    if not waiting:
        raise Rejected("The order has no open receipt.", code="no_open_receipt")
    return Booking(waiting, rows).apply(backorder=data.get("backorder", True))


def _record(pickings, rows, data, message, **vals) -> None:
    system = message.sudo().endpoint_id.system_id
    pickings.env["stock.receipt.confirmation"].sudo().create(
        {
            "name": data["reference"],
            "system_id": system.id,
            "partner_id": system.partner_id.id,
            "picking_ids": [Command.set(pickings.ids)],
            "company_id": pickings.company_id.id,
            "message_uid": message.sudo().uid,
            "digest": resolve.digest(data),
            "line_ids": [Command.create(row.vals()) for row in rows],
            **vals,
        }
    )


def _attach(pickings, data, message) -> None:
    """Keep the documents: those of the receipt on it, those of a lot on the lot."""
    documents.attach(pickings[:1], data, message)
    lots = {lot.name: lot for lot in pickings.move_line_ids.lot_id}
    for row in data["lines"]:
        for told in row.get("lots", []):
            if told["lot"] in lots:
                documents.attach(lots[told["lot"]], told, message)


# -- what did not come in good condition -----------------------------------------------


def _raise_damages(pickings, rows, message) -> None:
    bad = [row for row in rows if row.condition != GOOD]
    if not bad:
        return
    picking = pickings[:1]
    parts = [
        f"{decimal_text(row.quantity, 5)} {row.product.default_code or row.product.name}"
        f" {'damaged' if row.condition == DAMAGED else 'rejected'}"
        for row in bad
    ]
    currency = picking.company_id.currency_id
    cause = Cause(
        code=DAMAGES,
        key=picking.name,
        title=f"{', '.join(parts)} on {picking.name}",
        amount=Decimal(
            amount_text(
                sum(row.quantity * row.product.standard_price for row in bad),
                currency.decimal_places,
            )
        ),
        currency=currency.name,
        document=(picking._name, picking.id),
    )
    pickings.env["integration.exception"]._raise_case(
        cause, message=message, company=picking.company_id
    )
