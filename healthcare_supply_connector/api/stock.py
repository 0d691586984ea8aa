# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Stock levels and lots, with where a lot is and who got it."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from odoo.fields import Domain

from odoo.addons.healthcare_integration_base.engine.reading import ID, record_id
from odoo.addons.healthcare_integration_base.engine.resource import Filter, Resource

from ..payloads import stock
from ..payloads.batch import Batch, location, read_ahead
from ..payloads.text import compact, date_text, instant
from . import forms, trace

USAGES = ("internal", "transit")


def levels(quants) -> dict[int, dict[str, Any]]:
    """Return what is where, by id of the level."""
    read_ahead(
        quants, "location_id.warehouse_id", "lot_id", "package_id", "product_uom_id"
    )
    batch = Batch(quants.env, products=quants.product_id)
    return {quant.id: _level(batch, quant) for quant in quants}


def _level(batch: Batch, quant) -> dict[str, Any]:
    return compact(
        {
            "item": batch.item(quant.product_id),
            "location": location(quant.location_id),
            "lot": quant.lot_id.name or None,
            "expiry_date": date_text(quant.lot_id.expiration_date),
            "package": quant.package_id.name or None,
            "unit": batch.unit(quant.product_uom_id),
            "quantity": batch.quantity(quant.quantity),
            "reserved_quantity": batch.quantity(quant.reserved_quantity),
            "free_quantity": batch.quantity(quant.quantity - quant.reserved_quantity),
            "since": instant(quant.in_date),
        }
    )


def _at(env, value: str) -> Domain:
    """Return the levels at a location or anywhere below it."""
    wanted = (
        Domain("id", "=", record_id(value.removeprefix(ID)))
        if value.startswith(ID)
        else Domain("complete_name", "=", value)
        | Domain("barcode", "=", value)
        | Domain("warehouse_id.code", "=", value)
    )
    found = env["stock.location"].with_context(active_test=False).search(wanted)
    return Domain("location_id", "child_of", found.ids) if found else Domain.FALSE


STOCK_LEVELS = Resource(
    name="stock-levels",
    title="Stock levels",
    text="What is on hand, per product, location, lot and package. A level that fell to"
    " nothing is listed with 0 until Odoo tidies it away.",
    model="stock.quant",
    build=levels,
    number=None,
    schema=forms.document(
        {
            "item": forms.ref("item"),
            "location": forms.ref("location"),
            "lot": forms.TEXT,
            "expiry_date": forms.ref("date"),
            "package": forms.TEXT,
            "unit": forms.ref("unit"),
            "quantity": forms.ref("decimal"),
            "reserved_quantity": forms.ref("decimal"),
            "free_quantity": forms.ref("decimal"),
            "since": forms.ref("instant"),
        }
    ),
    domain=lambda _env: Domain("location_id.usage", "in", USAGES),
    filters=(
        forms.PRODUCT,
        Filter(
            "location",
            "Only at this location or below: its full name, barcode, the code of its"
            " warehouse, or id:<id>.",
            _at,
        ),
        forms.by_text("lot", "Only of this lot.", "lot_id.name"),
    ),
    needs="stock.group_stock_user",
)


def lots(records) -> dict[int, dict[str, Any]]:
    """Return each lot with its dates and what is on hand in the client's company."""
    documents, on_hand = stock.lots(records), _on_hand(records)
    batch = Batch(records.env)
    return {
        lot.id: {
            **documents[lot.id],
            "on_hand_quantity": batch.quantity(on_hand[lot.id]),
        }
        for lot in records
    }


def _on_hand(records) -> dict[int, float]:
    groups = records.env["stock.quant"]._read_group(
        [("lot_id", "in", records.ids), ("location_id.usage", "in", USAGES)],
        ["lot_id"],
        ["quantity:sum"],
    )
    return defaultdict(float, {lot.id: quantity for lot, quantity in groups})


def _known_here(env) -> Domain:
    """Return the lots that are the company's own, or that it has handled.

    A lot without a company is shared in Odoo; of one that only other companies of the
    database have handled, a client of this one learns nothing.
    """
    moved = env["stock.move.line"].sudo()
    by_anyone = moved._search([("lot_id", "!=", False)])
    by_us = moved._search(
        [("lot_id", "!=", False), ("company_id", "=", env.company.id)]
    )
    return (
        Domain("company_id", "=", env.company.id)
        | Domain("id", "in", by_us.subselect("lot_id"))
        | (
            Domain("company_id", "=", False)
            & Domain("id", "not in", by_anyone.subselect("lot_id"))
        )
    )


LOTS = Resource(
    name="lots",
    title="Lots",
    text="Lots and serial numbers with their dates.",
    model="stock.lot",
    build=lots,
    schema=forms.of_event(
        "supply.lot.created.v1", on_hand_quantity=forms.ref("decimal")
    ),
    domain=_known_here,
    filters=(
        forms.PRODUCT,
        forms.by_text("manufacturer_reference", "Only of this reference.", "ref"),
    ),
    parts=(trace.TRACE,),
    needs="stock.group_stock_user",
)

RESOURCES = (STOCK_LEVELS, LOTS)
