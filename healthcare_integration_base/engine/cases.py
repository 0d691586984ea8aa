# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""From failures to cases: one per cause, in the queue of those who can solve it.

Two transactions may meet the same new cause at once. The database keeps one open case
per fingerprint; whoever comes second continues it. In a transaction that cannot see the
other's case yet PostgreSQL reports a serialization failure, for which the drain, and
Odoo for its users, repeat the whole transaction: no message fails because of its case.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from odoo import fields
from odoo.exceptions import ConcurrencyError
from odoo.tools import SQL

from ..protocol.cause import Cause
from . import routing, sql, stakes, verdict

OPEN = ("open", "in_progress")
DEFAULT_HOURS = 24
TRIES = 3
COMPUTED = ("urgency", "company_amount", "company_currency_id")  # not by the INSERT
route = routing.route


@dataclass(frozen=True)
class Opening:
    """What is known when a case is opened or continued.

    :param fingerprint: the stable name of the cause
    :param cause: the business cause; None if it is known by endpoint and code only
    :param decision: a person must decide, although no message waits for it
    """

    fingerprint: str
    code: str
    category: str
    endpoint_id: int | None = None
    event_type_id: int | None = None
    company_id: int | None = None
    system_id: int | None = None
    cause: Cause | None = None
    detail: str | None = None
    decision: bool = False

    @property
    def own_stakes(self) -> dict[str, dict[str, Any]]:
        """The amount at stake, by document."""
        return stakes.of(self.cause) if self.cause else {}


def _digest(*parts: Any) -> str:
    return hashlib.sha256("|".join(map(str, parts)).encode()).hexdigest()


def fingerprint_of(code: str, key: str, company_id, system_id) -> str:
    """Return the stable name of a business cause within a company and system."""
    return _digest("cause", code, key, company_id or 0, system_id or 0)


# -- failures of messages ----------------------------------------------------------


def open_for(env, message_ids: Sequence[int]) -> None:
    """Open or continue the cases of dead messages."""
    env["integration.message"].flush_model()
    openings: dict[str, Opening] = {}
    rows: dict[str, list[dict]] = {}
    for row in sql.rows_of(env.cr, _dead(message_ids)):
        opening = _opening(row)
        openings[opening.fingerprint] = opening
        rows.setdefault(opening.fingerprint, []).append(row)
    for fingerprint in sorted(openings):  # one order, so that drains don't deadlock
        attach(env, openings[fingerprint], rows[fingerprint])


def _dead(message_ids: Sequence[int]) -> SQL:
    return SQL(
        """
        SELECT m.id, m.endpoint_id, m.event_type_id, m.exception_id, m.cause, m.last_error,
               COALESCE(m.company_id, e.company_id) AS company_id, e.system_id,
               COALESCE(m.last_error_class, 'contract') AS category,
               COALESCE(m.last_error_code, 'unknown') AS code
          FROM integration_message m JOIN integration_endpoint e ON e.id = m.endpoint_id
         WHERE m.id = ANY(%s) AND m.state = 'dead' AND NOT m.superseded ORDER BY m.id
        """,
        list(message_ids),
    )


def _opening(row: Mapping[str, Any]) -> Opening:
    """Return what a dead message says about its case."""
    common = {
        name: row[name]
        for name in ("endpoint_id", "event_type_id", "company_id", "system_id")
    }
    cause = _cause(row["cause"])
    if cause is None:
        return technical(row["category"], row["code"], row["last_error"], **common)
    fingerprint = fingerprint_of(
        cause.code, cause.key, row["company_id"], row["system_id"]
    )
    return Opening(
        fingerprint,
        cause.code,
        cause.category,
        cause=cause,
        detail=row["last_error"],
        **common,
    )


def _cause(stored: Mapping[str, Any] | None) -> Cause | None:
    try:
        return Cause.from_json(stored) if stored else None
    except ValueError:
        return None


def technical(category: str, code: str, detail: str | None, **common: Any) -> Opening:
    """Return the opening of a cause that is known by endpoint, event type and error only."""
    parts = (common["endpoint_id"], common.get("event_type_id") or 0, category, code)
    return Opening(_digest(*parts), code, category, detail=detail, **common)


def attach(env, opening: Opening, rows: Sequence[dict]):
    """Put messages into the open case of their cause; close cases they leave.

    :param rows: of messages, with ``id``, ``exception_id`` and, where known, ``cause``
    :return: the case
    """
    case, _new = ensure(env, opening)
    causes = [cause for row in rows if (cause := _cause(row.get("cause")))]
    case._integration_failed_again([row["id"] for row in rows])
    case.write(_seen(case, opening, causes))
    _move(env, case, rows)
    return case


def _move(env, case, rows: Sequence[dict]) -> None:
    env.flush_all()
    statement = SQL(
        "UPDATE integration_message SET exception_id = %s WHERE id = ANY(%s)",
        case.id,
        [row["id"] for row in rows],
    )
    sql.run(env.cr, statement)
    left = {row["exception_id"] for row in rows} - {None, case.id}
    env["integration.message"].invalidate_model(["exception_id"])
    env["integration.exception"].browse(left)._close_if_through()


def _seen(case, opening: Opening, causes: Sequence[Cause]) -> dict[str, Any]:
    """Return what another failure changes on a case."""
    values: dict[str, Any] = {"last_seen": fields.Datetime.now()}
    if opening.detail:
        values["detail"] = opening.detail
    if causes:
        values["name"] = causes[-1].title or case.name
        values["cause_data"] = dict(causes[-1].data)
        values.update(stakes.values(case, causes))
    return values


# -- decisions ---------------------------------------------------------------------


def raise_case(env, cause, message=None, endpoint=None, event_type=None, company=None):
    """Open or continue the case of a business cause; see ``_raise_case`` of the model."""
    message = message.sudo() if message else env["integration.message"]
    endpoint = endpoint or message.endpoint_id
    event_type = event_type or message.event_type_id
    company = company or message.company_id or endpoint.company_id
    if event_type.sensitivity == "phi":
        cause = verdict.storable(cause)
    cause = Cause.from_json(cause.to_json())
    system = endpoint.sudo().system_id
    opening = Opening(
        fingerprint_of(cause.code, cause.key, company.id, system.id),
        cause.code,
        cause.category,
        endpoint_id=endpoint.id or None,
        event_type_id=event_type.id or None,
        company_id=company.id or None,
        system_id=system.id or None,
        cause=cause,
        decision=True,
    )
    case, new = ensure(env, opening)
    if not new:
        case.write({**_seen(case, opening, [cause]), "decision": True})
    if message:
        _move(
            env,
            case,
            [{"id": message.id, "exception_id": message.exception_id.id or None}],
        )
    return case


def settle(env, code, key, resolution, company=None, system=None):
    """Settle the open case of a business cause; see ``_settle_case`` of the model."""
    case = find(
        env, fingerprint_of(code, key, company and company.id, system and system.id)
    )
    case._settle(resolution)
    return case


# -- finding and opening -------------------------------------------------------------


def find(env, fingerprint: str):
    """Return the open case of a cause, empty if there is none."""
    domain = [("fingerprint", "=", fingerprint), ("state", "in", OPEN)]
    return env["integration.exception"].search(domain, limit=1)


def ensure(env, opening: Opening):
    """Return the open case of a cause, and whether it was opened just now.

    :raises psycopg2.errors.SerializationFailure: somebody else opened it meanwhile, and
        this transaction cannot see that
    """
    for _try in range(TRIES):
        if case := find(env, opening.fingerprint):
            return case, False
        if case_id := _insert(env, _values(env, opening)):
            case = env["integration.exception"].browse(case_id)
            case.invalidate_recordset()
            for name in COMPUTED:
                env.add_to_compute(case._fields[name], case)
            case._integration_opened()
            return case, True
    raise ConcurrencyError(env._("The case changes right now; try again."))


def _values(env, opening: Opening) -> dict[str, Any]:
    """Return the columns of a new case."""
    cause, now = opening.cause, fields.Datetime.now()
    endpoint = env["integration.endpoint"].browse(opening.endpoint_id or [])
    event_type = env["integration.event.type"].browse(opening.event_type_id or [])
    system = env["integration.system"].browse(opening.system_id or [])
    money = stakes.columns(env, opening.own_stakes, opening.company_id)
    facts = routing.Facts(
        endpoint=endpoint,
        event_type=event_type,
        system=system,
        partner=system.partner_id,
        category=opening.category,
        code=opening.code,
        company_id=opening.company_id,
        amount=routing.amount_in(
            env, money["amount"], money["currency_id"], opening.company_id
        ),
    )
    queue, user = routing.choose(env, facts)
    document = (cause and cause.document) or (None, None)
    former = _former(env, opening.fingerprint)
    deadline = now + timedelta(hours=queue.hours_to_resolve or DEFAULT_HOURS)
    what = event_type.code or opening.category
    values = {
        "name": (cause and cause.title)
        or f"{endpoint.name or system.name or what}: {what} ({opening.code})",
        "fingerprint": opening.fingerprint,
        "category": opening.category,
        "code": opening.code,
        "cause_key": cause and cause.key,
        "cause_data": json.dumps(dict(cause.data)) if cause and cause.data else None,
        "state": "open",
        "decision": opening.decision,
        "queue_id": queue.id or None,
        "user_id": user.id or None,
        "escalation_level": 0,
        "priority": "0",
        "company_id": opening.company_id,
        "endpoint_id": opening.endpoint_id,
        "event_type_id": opening.event_type_id,
        "system_id": system.id or None,
        "partner_id": system.partner_id.id or None,
        "res_model": document[0],
        "res_id": document[1],
        "previous_id": former.id or None,
        "detail": opening.detail,
        "deadline": (cause and cause.deadline) or deadline,
        "first_seen": now,
        "last_seen": now,
        **money,
    }
    logged = {"create_uid": env.uid, "write_uid": env.uid}
    return {**values, **logged, "create_date": now, "write_date": now}


def _former(env, fingerprint: str):
    domain = [("fingerprint", "=", fingerprint), ("state", "not in", OPEN)]
    return env["integration.exception"].search(domain, order="id desc", limit=1)


def _insert(env, values: Mapping[str, Any]) -> int | None:
    """Insert a case; None if the cause has an open one by now."""
    env.flush_all()
    statement = SQL(
        """
        INSERT INTO integration_exception (%s) VALUES %s
        ON CONFLICT (fingerprint) WHERE state IN ('open', 'in_progress') DO NOTHING
        RETURNING id
        """,
        sql.names(values),
        tuple(values.values()),
    )
    rows = sql.rows_of(env.cr, statement)
    return rows[0]["id"] if rows else None


# -- closing -----------------------------------------------------------------------


def through(env, case_ids: Iterable[int]) -> set[int]:
    """Return those of the open cases that wait for no message and no decision any more."""
    statement = SQL(
        """
        SELECT e.id FROM integration_exception e
         WHERE e.id = ANY(%s) AND e.state = ANY(%s) AND e.decision IS NOT TRUE
           AND NOT EXISTS (SELECT 1 FROM integration_message m
                            WHERE m.exception_id = e.id AND m.state IN ('dead', 'pending')
                              AND NOT m.superseded)
        """,
        list(case_ids),
        list(OPEN),
    )
    return {row["id"] for row in sql.rows_of(env.cr, statement)}


def parked(env, message_ids: Sequence[int]) -> int:
    """Return how many younger messages wait behind dead ones of their ordering keys."""
    statement = SQL(
        """
        SELECT count(DISTINCT q.message_id) AS parked
          FROM integration_queue_entry d
          JOIN integration_queue_entry q ON q.endpoint_id = d.endpoint_id
               AND q.ordering_key = d.ordering_key AND q.seq > d.seq
         WHERE d.message_id = ANY(%s) AND NOT q.message_id = ANY(%s)
        """,
        list(message_ids),
        list(message_ids),
    )
    return sql.rows_of(env.cr, statement)[0]["parked"]
