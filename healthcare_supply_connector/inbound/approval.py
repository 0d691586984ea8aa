# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""The decision of an external approval system on a purchase order."""

from __future__ import annotations

from decimal import Decimal

from markupsafe import escape

from odoo.addons.healthcare_integration_base.protocol.errors import Filtered, Rejected

from ..payloads.text import amount_text
from . import resolve


def decide(env, data, message):
    """Approve or reject the order, with the rights of the acting user.

    :return: the order
    :raise Rejected: ``approval_not_allowed``, ``purchase_order_unknown``,
        ``purchase_order_not_waiting``, ``amount_changed``, ``limit_exceeded``,
        ``approval_not_permitted``
    :raise Filtered: ``approval_repeated``
    """
    order = _order(env, data, message)
    resolve.past(data["decided_at"], "/decided_at")
    _check_waiting(order, data)
    _check_amount(order, data)
    if data["decision"] == "approved":
        _approve(order, data)
    else:
        _reject(order, data)
    return order


def _order(env, data, message):
    if resolve.only_partner(message):
        raise Rejected(
            "A system of a trading partner cannot approve orders.",
            code="approval_not_allowed",
        )
    order = env["purchase.order"].search(
        [
            ("name", "=", data["purchase_order"]),
            ("company_id", "=", env.company.id),
            ("state", "!=", "draft"),
        ],
        limit=1,
    )
    if not order:
        raise Rejected(
            "There is no such purchase order.", code="purchase_order_unknown"
        )
    return order


def _check_waiting(order, data) -> None:
    decided = {"approved": "purchase", "rejected": "cancel"}[data["decision"]]
    if order.state == decided:
        raise Filtered(
            "The order has been decided upon like this before.",
            code="approval_repeated",
        )
    if order.state != "to approve":
        raise Rejected(
            "The order does not wait for an approval.",
            code="purchase_order_not_waiting",
        )


def _check_amount(order, data) -> None:
    total = Decimal(amount_text(order.amount_total, order.currency_id.decimal_places))
    if data["currency"] != order.currency_id.name or Decimal(data["amount"]) != total:
        raise Rejected(
            "The order was changed after the approval was asked for.",
            code="amount_changed",
            details=[{"path": "/amount", "message": "is not the order's total"}],
        )
    limit = data.get("limit")
    if data["decision"] == "approved" and limit and Decimal(limit) < total:
        raise Rejected(
            "The total is over the approver's limit.",
            code="limit_exceeded",
            details=[{"path": "/limit", "message": "is less than the order's total"}],
        )


def _approve(order, data) -> None:
    order.button_approve()
    if order.state != "purchase":
        raise Rejected(
            "The user of this client may not approve an order of this amount.",
            code="approval_not_permitted",
        )
    _note(order, order.env._("Approved externally by %s", data["approver"]), data)


def _reject(order, data) -> None:
    _note(order, order.env._("Rejected externally by %s", data["approver"]), data)
    if order.company_id.sudo().approval_rejection_policy == "cancel":
        order.button_cancel()
    else:
        order.activity_schedule(
            "mail.mail_activity_data_warning",
            summary=order.env._("Approval rejected"),
            note=escape(data.get("reason", "")),
            user_id=order.user_id.id or order.env.uid,
        )


def _note(order, text: str, data) -> None:
    parts = (text, data.get("reference"), data.get("reason"))
    order.message_post(body=" · ".join(part for part in parts if part))
