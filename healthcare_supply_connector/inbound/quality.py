# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Holds and releases of lots that quality systems, makers and operators ask for."""

from __future__ import annotations

from odoo.exceptions import AccessError

from odoo.addons.healthcare_integration_base.protocol.errors import Filtered, Rejected

from . import identify, resolve


def hold(env, data, message):
    """Put the lot on hold.

    :return: the lot
    :raise Rejected: ``lot_unknown``, ``item_unknown``, ``hold_not_permitted``
    :raise Filtered: ``lot_on_hold``, ``stale``
    """
    lot = _lot(env, data, message)
    if lot.on_hold:
        raise Filtered("The lot is on hold already.", code="lot_on_hold")
    return _decide(lot._place_hold, data, message)


def release(env, data, message):
    """Release the lot.

    :return: the lot
    :raise Rejected: ``lot_unknown``, ``item_unknown``, ``hold_not_permitted``
    :raise Filtered: ``lot_not_on_hold``, ``stale``
    """
    lot = _lot(env, data, message)
    if not lot.on_hold:
        raise Filtered("The lot is not on hold.", code="lot_not_on_hold")
    return _decide(lot._release_hold, data, message)


def _lot(env, data, message):
    resolve.past(data["requested_at"], "/requested_at")
    product = identify.item(env, message, data["item"], "/item").product
    lot = env["stock.lot"].search(
        [
            ("product_id", "=", product.id),
            ("name", "=", data["lot"]),
            ("company_id", "in", [False, env.company.id]),
        ],
        limit=1,
    )
    if not lot:
        raise Rejected(
            "There is no such lot of this item.",
            code="lot_unknown",
            details=[{"path": "/lot", "message": "is not known"}],
        )
    env["integration.freshness"]._check(
        message, f"stock.lot,{lot.id} hold", data["requested_at"]
    )
    return lot


def _decide(method, data, message):
    message = message.sudo()
    try:
        return method(
            data["reason"],
            reference=data.get("reference"),
            system_id=message.endpoint_id.system_id.id,
            message_uid=message.uid,
        )
    except AccessError:
        raise Rejected(
            "The user of this client may not hold or release lots.",
            code="hold_not_permitted",
        ) from None
