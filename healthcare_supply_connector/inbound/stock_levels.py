# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""What an operator reports of his stock, compared with ours."""

from __future__ import annotations

from decimal import Decimal

from odoo import Command
from odoo.fields import Domain

from odoo.addons.healthcare_integration_base.protocol.cause import Cause
from odoo.addons.healthcare_integration_base.protocol.errors import Filtered, Rejected

from ..payloads.text import amount_text
from . import identify, resolve

CODE = "stock_discrepancy"


def apply(env, data, message):
    """Keep the report beside our stock; open, update or settle the location's case.

    :return: the report
    :raise Rejected: ``location_unknown``, ``location_not_operated``, ``item_unknown``,
        ``unit_unknown``, ``line_repeated``, ``report_number_reused``
    :raise Filtered: ``report_repeated``, ``stale``
    """
    counted_at = resolve.past(data["counted_at"], "/counted_at")
    _check_number(env, data, message)
    location = _location(env, data, message)
    env["integration.freshness"]._check(
        message, f"stock.location,{location.id} levels", data["counted_at"]
    )
    lines = _compared(location, _reported(env, data, message), data)
    report = _keep(location, lines, data, message, counted_at)
    _judge(report, message)
    return report


def quants(location, product=None, lot_name=None):
    """Return our stock at a place and below it, of all items, of one, or of one lot."""
    domain = Domain("location_id", "child_of", location.id) & Domain(
        "location_id.usage", "in", ("internal", "transit")
    )
    if product:
        domain &= Domain("product_id", "=", product.id)
    if lot_name:
        domain &= Domain("lot_id.name", "=", lot_name)
    return location.env["stock.quant"].search(domain)


def on_hand(location, product, lot_name=None) -> float:
    """Return how much of an item, or of one lot of it, is at a place and below it."""
    own = quants(location, product, lot_name)
    return product.uom_id.round(sum(own.mapped("quantity")))


# -- what was reported -----------------------------------------------------------------


def _check_number(env, data, message) -> None:
    known = (
        env["stock.level.report"]
        .sudo()
        .search(
            [
                ("name", "=", data["report"]),
                ("system_id", "=", message.sudo().endpoint_id.system_id.id),
                ("company_id", "=", env.company.id),
            ]
        )
    )
    if known and known.digest == resolve.digest(data):
        raise Filtered("This report came before.", code="report_repeated")
    if known:
        raise Rejected(
            "The number was used for another report.",
            code="report_number_reused",
            details=[{"path": "/report", "message": "was used before"}],
        )


def _location(env, data, message):
    """Return the place, which must be in a warehouse the sender operates."""
    warehouses = resolve.warehouses(env, message)
    location = identify.location(env, message, data["location"], "/location")
    if location.warehouse_id not in warehouses:
        raise Rejected(
            "The sender does not operate this location.",
            code="location_not_operated",
            details=[{"path": "/location", "message": "is not the sender's"}],
        )
    return location


def _reported(env, data, message) -> dict:
    """Return the reported quantities by product and lot, in the products' own units."""
    rows = data["lines"]
    refs = [(row["item"], f"/lines/{i}/item") for i, row in enumerate(rows)]
    found = identify.items(env, message, refs) if refs else []
    reported: dict = {}
    for index, (row, item) in enumerate(zip(rows, found, strict=True)):
        product = item.product
        path = f"/lines/{index}/unit"
        uom = (not row.get("unit") and item.uom) or identify.unit(
            env, message, row.get("unit"), product, path
        )
        lot = row.get("lot", "") if product.tracking != "none" else ""
        if (product, lot) in reported:
            raise Rejected(
                "An item, or a lot of it, is listed twice.",
                code="line_repeated",
                details=[{"path": f"/lines/{index}", "message": "is listed above"}],
            )
        reported[product, lot] = uom._compute_quantity(
            float(row["quantity"]), product.uom_id, rounding_method="HALF-UP"
        )
    return reported


# -- compared --------------------------------------------------------------------------


def _compared(location, reported: dict, data) -> list[dict]:
    """Return the values of the report's lines.

    An item that is reported without lots is compared as a whole.
    """
    as_a_whole = {product for product, lot in reported if not lot}
    ours, lots = _ours(location, as_a_whole)
    keys = list(reported)
    if data.get("complete"):
        keys += [key for key in ours if key not in reported]
    else:
        told = {product for product, _lot in reported}
        keys += [key for key in ours if key not in reported and key[0] in told]
    return [
        {
            "product_id": product.id,
            "lot_id": lots.get((product, lot)),
            "lot_name": lot or False,
            "ours": product.uom_id.round(ours.get((product, lot), 0.0)),
            "theirs": reported.get((product, lot), 0.0),
        }
        for product, lot in keys
    ]


def _ours(location, as_a_whole) -> tuple[dict, dict]:
    found: dict = {}
    lots: dict = {}
    groups = location.env["stock.quant"]._read_group(
        Domain("location_id", "child_of", location.id)
        & Domain("location_id.usage", "in", ("internal", "transit")),
        ["product_id", "lot_id"],
        ["quantity:sum"],
    )
    for product, lot, quantity in groups:
        key = product, "" if product in as_a_whole else lot.name or ""
        found[key] = found.get(key, 0.0) + quantity
        lots[key] = lot.id if key[1] else False
    return {key: q for key, q in found.items() if not key[0].uom_id.is_zero(q)}, lots


# -- kept ------------------------------------------------------------------------------


def _keep(location, lines, data, message, counted_at):
    reports = location.env["stock.level.report"].sudo()
    system = message.sudo().endpoint_id.system_id
    earlier = reports.search(
        [
            ("location_id", "=", location.id),
            ("system_id", "=", system.id),
            ("superseded", "=", False),
        ]
    )
    earlier.write({"superseded": True})
    report = reports.create(
        {
            "name": data["report"],
            "system_id": system.id,
            "partner_id": system.partner_id.id,
            "company_id": location.env.company.id,
            "location_id": location.id,
            "counted_at": counted_at,
            "complete": data.get("complete", False),
            "message_uid": message.sudo().uid,
            "digest": resolve.digest(data),
            "line_count": len(data["lines"]),
            "line_ids": [Command.create(vals) for vals in lines],
        }
    )
    return report.with_env(location.env)


def _judge(report, message) -> None:
    if report.state != "different":
        report._settle_if_equal()
        return
    currency = report.currency_id
    count = report.difference_count
    cause = Cause(
        code=CODE,
        key=key_of(report),
        title=f"Stock at {report.location_id.complete_name} differs:"
        f" {count} item{'s' if count > 1 else ''} or lot{'s' if count > 1 else ''}",
        amount=Decimal(amount_text(report.difference_value, currency.decimal_places)),
        currency=currency.name,
        document=(report._name, report.id),
        data={"report_id": report.id},
    )
    report.env["integration.exception"]._raise_case(
        cause, message=message, company=report.company_id
    )


def key_of(report) -> str:
    """Return what tells the case of a place from others."""
    return f"stock.location,{report.location_id.id}"


def settle(report, resolution: str) -> None:
    """Resolve the case of the report's place."""
    report.env["integration.exception"]._settle_case(
        CODE, key_of(report), resolution, report.company_id, report.sudo().system_id
    )
