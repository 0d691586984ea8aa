# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Milestones of shipments: where they are, when they will come, and if that is too late."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from odoo import fields
from odoo.fields import Domain

from odoo.addons.healthcare_integration_base.protocol.cause import Cause
from odoo.addons.healthcare_integration_base.protocol.errors import Filtered, Rejected

from . import resolve

DELAYED = "supply.shipment.delayed"
ARRIVED = "supply.shipment.arrived"
CASE = "shipment_delayed"


@dataclass
class Shipment:
    """What a milestone is about: a ship notice with its receipts, or one transfer."""

    notice: Any
    pickings: Any

    @property
    def subject(self):
        """Return the one record that stands for it."""
        return self.notice or self.pickings

    @property
    def name(self) -> str:
        """Return its number."""
        return self.subject.name

    @property
    def partner(self):
        """Return the supplier or customer."""
        return self.notice.partner_id or self.pickings.partner_id

    @property
    def milestones(self):
        """Return what was told before, newest first."""
        return self.subject.sudo().milestone_ids


def apply(env, data, message):
    """Record a milestone and what follows from it.

    :return: the first transfer
    :raise Rejected: ``shipment_unknown``, ``shipment_ambiguous``, ``time_in_future``
    :raise Filtered: ``milestone_repeated``, ``stale``
    """
    occurred_at = resolve.past(data["occurred_at"], "/occurred_at")
    shipment = find(env, data, message)
    key = f"{shipment.subject._name},{shipment.subject.id} milestone"
    env["integration.freshness"]._check(message, key, data["occurred_at"])
    before = shipment.milestones[:1]
    milestone = _record(shipment, data, message, occurred_at, before)
    _update(shipment, milestone)
    _judge(shipment, milestone, before, message)
    return shipment.pickings[:1]


# -- which shipment --------------------------------------------------------------------


def find(env, data, message) -> Shipment:
    """Return the shipment a message names, if it concerns the sender.

    :raise Rejected: ``shipment_unknown`` (also for those of others), ``shipment_ambiguous``
    """
    partner = resolve.only_partner(message)
    if "shipment_number" in data:
        notices = _notices(env, data["shipment_number"], partner)
        if "transfer" in data:
            notices = notices.filtered(
                lambda one: data["transfer"] in one.picking_ids.mapped("name")
            )
        found = [Shipment(notice, notice.picking_ids) for notice in notices]
    else:
        pickings = _pickings(env, data["transfer"], partner)
        found = [Shipment(env["stock.shipment.notice"], one) for one in pickings]
    if not found:
        raise Rejected("There is no such shipment.", code="shipment_unknown")
    if len(found) > 1:
        raise Rejected(
            "Several suppliers use this shipment number: name our transfer, too.",
            code="shipment_ambiguous",
        )
    return found[0]


def _notices(env, number: str, partner):
    domain = Domain("name", "=", number) & Domain("company_id", "=", env.company.id)
    if partner:
        domain &= Domain("partner_id", "child_of", partner.id) | Domain(
            "picking_ids.picking_type_id.warehouse_id.operator_id",
            "child_of",
            partner.id,
        )
    return env["stock.shipment.notice"].search(domain)


def _pickings(env, number: str, partner):
    domain = Domain("name", "=", number) & Domain("company_id", "=", env.company.id)
    if partner:
        domain &= Domain("partner_id", "child_of", partner.id) | Domain(
            "picking_type_id.warehouse_id.operator_id", "child_of", partner.id
        )
    return env["stock.picking"].search(domain)


# -- what is told ----------------------------------------------------------------------


def _record(shipment: Shipment, data, message, occurred_at: datetime, before):
    expected_at = "expected_at" in data and resolve.utc(data["expected_at"])
    same = shipment.milestones.filtered(
        lambda one: one.occurred_at == occurred_at
        and one.status == data["status"]
        and one.expected_at == expected_at
    )
    if same:
        raise Filtered("This milestone was told before.", code="milestone_repeated")
    planned_at = before.planned_at or _planned_at(shipment)
    return (
        shipment.subject.env["stock.shipment.milestone"]
        .sudo()
        .create(
            {
                "notice_id": shipment.notice.id,
                "picking_ids": [fields.Command.set(shipment.pickings.ids)],
                "company_id": shipment.subject.company_id.id,
                "status": data["status"],
                "occurred_at": occurred_at,
                "planned_at": planned_at,
                "expected_at": expected_at,
                "delay_days": _delay(
                    planned_at, expected_at, data["status"], occurred_at
                ),
                "place": data.get("place"),
                "reason": data.get("reason"),
                "message_uid": message.sudo().uid,
            }
        )
    )


def _planned_at(shipment: Shipment):
    picking = shipment.pickings[:1]
    return shipment.notice.planned_at or picking.date_deadline or picking.scheduled_date


def _delay(planned_at, expected_at, status: str, occurred_at: datetime) -> int:
    """Return the whole days between plan and arrival, begun ones counted; never negative."""
    arrival = occurred_at if status == "arrived" else expected_at
    if not (planned_at and arrival) or arrival <= planned_at:
        return 0
    return -((planned_at - arrival) // timedelta(days=1))


def _update(shipment: Shipment, milestone) -> None:
    if shipment.notice:
        vals = {"status": milestone.status}
        if milestone.expected_at:
            vals["expected_at"] = milestone.expected_at
        shipment.notice.sudo().write(vals)
    waiting = shipment.pickings.filtered(
        lambda one: one.state not in ("done", "cancel")
    )
    if milestone.expected_at and waiting:
        waiting.write({"scheduled_date": milestone.expected_at})


# -- what follows ----------------------------------------------------------------------


def _judge(shipment: Shipment, milestone, before, message) -> None:
    company = milestone.company_id
    tolerance = milestone.env["supply.tolerance"]._for(company, shipment.partner)
    late = milestone.delay_days > tolerance.delay_days
    unsure = milestone.status in ("delayed", "failed") and not milestone.expected_at
    cases = milestone.env["integration.exception"]
    if milestone.status == "arrived":
        shipment.pickings._integration_emit(ARRIVED)
    elif (late or milestone.status == "delayed") and _is_news(milestone, before):
        shipment.pickings._integration_emit(DELAYED)
    if milestone.status != "arrived" and (late or unsure):
        cases._raise_case(_cause(shipment, milestone), message=message, company=company)
    else:
        cases._settle_case(
            CASE,
            shipment.name,
            milestone.env._("A later milestone settles it."),
            company,
            message.sudo().endpoint_id.system_id,
        )


def _is_news(milestone, before) -> bool:
    told = (before.status == "delayed", before.delay_days)
    return not before or told != (
        milestone.status == "delayed",
        milestone.delay_days,
    )


def _cause(shipment: Shipment, milestone) -> Cause:
    picking, planned = shipment.pickings[:1], milestone.planned_at
    when = (
        f"{milestone.delay_days} days late, expected {milestone.expected_at:%Y-%m-%d}"
        if milestone.expected_at
        else "late, no new date told"
    )
    return Cause(
        code=CASE,
        key=shipment.name,
        title=f"Shipment {shipment.name} is {when}",
        deadline=planned if planned and planned > fields.Datetime.now() else None,
        document=(picking._name, picking.id) if picking else None,
        data={"milestone_id": milestone.id},
    )
