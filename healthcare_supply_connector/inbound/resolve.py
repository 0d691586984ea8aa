# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Find the documents a partner's message refers to; only ever his own."""

from __future__ import annotations

import datetime
import hashlib
import json

from odoo import fields

from odoo.addons.healthcare_integration_base.protocol.errors import Rejected


def supplier(message):
    """Return the commercial partner of the system the message came from.

    :raise Rejected: ``supplier_not_set`` when the system has no partner
    """
    partner = message.sudo().endpoint_id.system_id.partner_id.commercial_partner_id
    if not partner:
        raise Rejected(
            "The system of this endpoint has no partner, so no document can be its own.",
            code="supplier_not_set",
        )
    return partner


def only_partner(message):
    """Return the partner whose documents alone the sender may touch; empty: the company's all.

    That is what its client may see; a message without a client goes by its system's partner.
    """
    message = message.sudo()
    partner = message.endpoint_id.system_id.partner_id.commercial_partner_id
    client = message.client_id
    if client and client.record_scope == "company":
        return partner.browse()
    if client and not partner:
        return supplier(message)  # refuses: it could see nothing
    return partner


def check_own(message, partner, code, path):
    """Refuse what a partner says in the name of another one.

    :param partner: whom the message names; empty: nobody
    :raise Rejected: ``code``, as if there were no such partner
    """
    own = only_partner(message)
    if own and partner and partner.commercial_partner_id.id != own.id:
        raise Rejected(
            "There is no such partner that you may speak for.",
            code=code,
            details=[{"path": path, "message": "is not you"}],
        )


def warehouses(env, message):
    """Return the warehouses of the company that the sender may report about.

    :raise Rejected: ``warehouse_not_operated`` when there is none
    """
    domain = [("company_id", "=", env.company.id)]
    partner = only_partner(message)
    if partner:
        domain.append(("operator_id", "child_of", partner.id))
    found = env["stock.warehouse"].search(domain)
    if not found:
        raise Rejected(
            "The sender operates no warehouse.", code="warehouse_not_operated"
        )
    return found


def purchase_order(env, number: str, message):
    """Return the confirmed order with this number, placed with the sender.

    :raise Rejected: ``purchase_order_unknown`` (also for orders of other suppliers, of which
        the sender must not learn), ``purchase_order_not_open``
    """
    partner = supplier(message)
    order = env["purchase.order"].search(
        [
            ("name", "=", number),
            ("partner_id", "child_of", partner.id),
            ("company_id", "=", env.company.id),
        ],
        limit=1,
    )
    if not order or order.state in ("draft", "sent", "to approve"):
        raise Rejected(
            "There is no such purchase order.", code="purchase_order_unknown"
        )
    if order.state != "purchase":
        raise Rejected(
            "The purchase order is cancelled.", code="purchase_order_not_open"
        )
    return order


def order_lines(order, refs):
    """Return the order's lines by their references.

    :raise Rejected: ``line_unknown`` with the path of each unknown one
    """
    known = {
        line.integration_line_ref: line
        for line in order.order_line
        if line.integration_line_ref
    }
    unknown = [index for index, ref in enumerate(refs) if ref not in known]
    if unknown:
        raise Rejected(
            "The order has no such line.",
            code="line_unknown",
            details=[
                {"path": f"/lines/{index}/line_ref", "message": "not on the order"}
                for index in unknown
            ],
        )
    return known


def utc(text: str) -> datetime.datetime:
    """Return an ISO 8601 instant with zone as naive UTC, as Odoo stores it.

    :raise Rejected: ``time_out_of_range`` at the ends of the calendar
    """
    moment = datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))
    try:
        moment = moment.astimezone(datetime.timezone.utc)
    except OverflowError:
        raise Rejected(
            "A time is out of the calendar.", code="time_out_of_range"
        ) from None
    return moment.replace(tzinfo=None, microsecond=0)


def past(text: str, path: str) -> datetime.datetime:
    """Return an instant that has been, as ``utc`` does; a day's grace for wrong clocks.

    :param path: where it stands in the message
    :raise Rejected: ``time_in_future``, ``time_out_of_range``
    """
    moment = utc(text)
    if moment > fields.Datetime.now() + datetime.timedelta(days=1):
        raise Rejected(
            "A time of the past lies in the future.",
            code="time_in_future",
            details=[{"path": path, "message": "lies in the future"}],
        )
    return moment


def noon(text: str) -> datetime.datetime:
    """Return a date as its noon in UTC: the same day nearly everywhere on earth."""
    return datetime.datetime.combine(
        datetime.date.fromisoformat(text), datetime.time(12)
    )


def digest(data: dict) -> str:
    """Return a fingerprint of a message's content, the same for any order of its keys."""
    text = json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()
