# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Writing what became of messages: attempts, states, queue, health; one transaction."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from typing import Any

from odoo.tools import SQL

from ..protocol.drain_types import Result
from . import acknowledge, queue, sql

_logger = logging.getLogger(__name__)

ATTEMPT = {
    "message_id": "int",
    "number": "int",
    "started_at": "timestamp",
    "duration": "numeric",
    "outcome": "varchar",
    "error_class": "varchar",
    "error_code": "varchar",
    "status": "int",
    "request_headers": "jsonb",
    "response_headers": "jsonb",
    "response": "bytea",
    "response_size": "int",
    "trigger": "varchar",
    "user_id": "int",
    "client_id": "int",
    "next_attempt_at": "timestamp",
}
MESSAGE = {
    "id": "int",
    "state": "varchar",
    "attempt_count": "int",
    "error_class": "varchar",
    "error_code": "varchar",
    "error": "varchar",
    "filter_reason": "varchar",
    "content_type": "varchar",
    "body_sha256": "varchar",
    "size": "int",
    "mapping_id": "int",
    "mapping_version": "int",
    "schema_errors": "jsonb",
    "cause": "jsonb",
}
HEALTH = {
    "endpoint_id": "int",
    "breaker_state": "varchar",
    "open_until": "float8",
    "retry_floor_at": "float8",
    "failing_since": "float8",
    "last_success_at": "float8",
    "last_failure_at": "float8",
    "runtime": "jsonb",
}


@dataclass
class Changed:
    """What needs more than bulk statements afterwards.

    :param dead: messages that need a case
    :param cases: cases some of whose messages got through
    :param failing: (endpoint, class, code, error) that hold or disable an endpoint
    """

    dead: list[int] = field(default_factory=list)
    cases: set[int] = field(default_factory=set)
    failing: dict[int, tuple[str, str, str, int]] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.dead or self.cases or self.failing)

    def update(self, other: Changed) -> None:
        """Take in what another batch changed."""
        self.dead += other.dead
        self.cases |= other.cases
        self.failing.update(other.failing)


def write(
    env, results: Sequence[Result], health: Mapping[int, Any], token: str
) -> Changed:
    """Write results of messages that are still ours; the others become late attempts."""
    cr = env.cr
    ids = [result.claim.message_id for result in results]
    ours = {row["message_id"] for row in sql.rows_of(cr, queue.held(ids, token))}
    _insert_attempts(cr, results, ours)
    kept = [result for result in results if result.claim.message_id in ours]
    changed = _update_messages(cr, kept)
    acknowledge.expect(cr, [r.claim.message_id for r in kept if r.state == "delivered"])
    finished = [r.claim.message_id for r in kept if _leaves_queue(r)]
    if finished:
        sql.run(cr, queue.finish(finished))
    waiting = [_due(result) for result in kept if not _leaves_queue(result)]
    if waiting:
        sql.run(cr, queue.requeue(waiting))
    _write_health(cr, health)
    changed.failing = _failing(results)
    _disable(env, results)
    return changed


def bare(result: Result) -> Result:
    """Return the result without what the partner sent, which the database refused."""
    return replace(result, report=replace(result.report, details={}, error=None))


def _leaves_queue(result: Result) -> bool:
    """A dead message with an ordering key stays as the parked head of its key."""
    if result.state == "dead":
        return result.claim.ordering_key is None
    return result.state != "pending"


def _due(result: Result) -> dict[str, Any]:
    due_in = result.due_in if result.state == "pending" else None
    return {"message_id": result.claim.message_id, "due_in": due_in}


# -- attempts --------------------------------------------------------------------


def _insert_attempts(cr, results: Sequence[Result], ours: set[int]) -> None:
    charged = [result for result in results if result.report.charged]
    if not charged:
        return
    rows = [_attempt(result, result.claim.message_id in ours) for result in charged]
    # a result may be recorded twice when the answer to the first COMMIT was lost
    statement = SQL(
        """
        INSERT INTO integration_attempt (%s) SELECT %s FROM %s
         WHERE EXISTS (SELECT 1 FROM integration_message m WHERE m.id = v.message_id)
           AND NOT EXISTS (
            SELECT 1 FROM integration_attempt a
             WHERE v.outcome = 'late' AND a.message_id = v.message_id
               AND a.started_at = v.started_at)
         ORDER BY place
        """,
        sql.names(ATTEMPT),
        sql.names(ATTEMPT, "v"),
        sql.unnest(rows, ATTEMPT),
    )
    sql.run(cr, statement)


def _attempt(result: Result, ours: bool) -> dict[str, Any]:
    report, outcome = result.report, result.report.outcome
    finished = "success" if outcome.ok else "failure"
    pending = result.state == "pending" and result.due_in is not None and ours
    next_at = report.started_at + report.duration + result.due_in if pending else None
    details = report.details.get("attempt", {})
    return {
        "message_id": result.claim.message_id,
        "number": result.number,
        "started_at": _moment(report.started_at),
        "duration": round(report.duration, 3),
        "outcome": finished if ours else "late",
        "error_class": report.klass,
        "error_code": outcome.code,
        "status": outcome.status,
        "trigger": "manual" if result.claim.user_id else "automatic",
        "user_id": result.claim.user_id,
        "client_id": details.get("client_id"),
        "next_attempt_at": _moment(next_at),
        "request_headers": _json(details.get("request_headers")),
        "response_headers": _json(details.get("response_headers")),
        "response": details.get("response"),
        "response_size": details.get("response_size"),
    }


# -- messages --------------------------------------------------------------------


def _update_messages(cr, results: Sequence[Result]) -> Changed:
    changed = Changed()
    if not results:
        return changed
    statement = SQL(
        """
        UPDATE integration_message m
           SET state = v.state, attempt_count = v.attempt_count,
               last_error_class = v.error_class, last_error_code = v.error_code,
               last_error = v.error, filter_reason = v.filter_reason,
               content_type = COALESCE(v.content_type, m.content_type),
               body_sha256 = COALESCE(v.body_sha256, m.body_sha256),
               size = COALESCE(v.size, m.size),
               mapping_id = COALESCE(v.mapping_id, m.mapping_id),
               mapping_version = COALESCE(v.mapping_version, m.mapping_version),
               schema_errors = COALESCE(v.schema_errors, m.schema_errors),
               cause = v.cause,
               finished_at = CASE WHEN v.state <> 'pending' THEN %s END
          FROM %s WHERE m.id = v.id
        RETURNING m.id, m.state, m.exception_id
        """,
        sql.NOW,
        sql.unnest([_message(result) for result in results], MESSAGE),
    )
    for row in sql.rows_of(cr, statement):
        if row["state"] == "dead":
            changed.dead.append(row["id"])
        elif row["state"] != "pending" and row["exception_id"]:
            changed.cases.add(row["exception_id"])
    return changed


def _message(result: Result) -> dict[str, Any]:
    report = result.report
    details = report.details.get("message", {})
    return {
        **details,
        "id": result.claim.message_id,
        "state": result.state,
        "attempt_count": result.number,
        "error_class": report.klass,
        "error_code": report.outcome.code,
        "error": report.error,
        "schema_errors": _json(details.get("schema_errors")),
        "cause": _json(details.get("cause")),
    }


# -- endpoints -------------------------------------------------------------------


def load_health(cr, endpoint_ids: Sequence[int]) -> dict[int, Mapping[str, Any]]:
    """Return what former owners stored about endpoints."""
    statement = SQL(
        "SELECT endpoint_id, runtime FROM integration_endpoint_health"
        " WHERE endpoint_id = ANY(%s)",
        list(endpoint_ids),
    )
    return {
        row["endpoint_id"]: row["runtime"] or {} for row in sql.rows_of(cr, statement)
    }


def _write_health(cr, health: Mapping[int, Mapping[str, Any]]) -> None:
    if not health:
        return
    moments = ("open_until", "retry_floor_at", "failing_since")
    kept = ("last_success_at", "last_failure_at")
    updates = [
        *(
            SQL("%s = EXCLUDED.%s", SQL.identifier(c), SQL.identifier(c))
            for c in moments
        ),
        *(
            SQL("%s = COALESCE(EXCLUDED.%s, h.%s)", *[SQL.identifier(c)] * 3)
            for c in kept
        ),
    ]
    values = [
        SQL("to_timestamp(%s) AT TIME ZONE 'UTC'", SQL.identifier("v", c))
        for c in (*moments, *kept)
    ]
    statement = SQL(
        """
        INSERT INTO integration_endpoint_health AS h
               (endpoint_id, breaker_state, runtime, %s)
        SELECT v.endpoint_id, v.breaker_state, v.runtime, %s FROM %s
        ON CONFLICT (endpoint_id) DO UPDATE
           SET breaker_state = EXCLUDED.breaker_state, runtime = EXCLUDED.runtime, %s
        """,
        sql.names((*moments, *kept)),
        SQL(", ").join(values),
        sql.unnest([_health(i, state) for i, state in sorted(health.items())], HEALTH),
        SQL(", ").join(updates),
    )
    sql.run(cr, statement)


def _health(endpoint_id: int, state: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "endpoint_id": endpoint_id,
        "breaker_state": "open" if state["open_until"] else "closed",
        "retry_floor_at": state["floor_at"],
        "runtime": json.dumps(state),
        **{k: state[k] for k in HEALTH if k in state},
    }


def _failing(results: Sequence[Result]) -> dict[int, tuple[str, str, str, int]]:
    """Return why endpoints are held: (class, code, text, message) by endpoint."""
    found = {}
    for result in results:
        outcome = result.report.outcome
        if outcome.hold:
            text = result.report.error or ""
            reason = (
                result.report.klass or "",
                outcome.code or "",
                text,
                result.claim.message_id,
            )
            found[result.claim.endpoint_id] = reason
    return found


def _disable(env, results: Sequence[Result]) -> None:
    """410 Gone: the partner wants no more (Standard Webhooks)."""
    gone = {r.claim.endpoint_id for r in results if r.report.outcome.disables}
    if gone:
        env["integration.drain"]._disable_endpoints(gone)
        env.flush_all()


def follow_up(env, changed: Changed) -> None:
    """Open cases for dead messages and held endpoints, close those that got through."""
    cases = env["integration.exception"]
    if changed.dead:
        cases._open_cases(changed.dead)
    for endpoint_id, reason in changed.failing.items():
        cases._open_endpoint_case(endpoint_id, *reason)
    if changed.cases:
        cases.browse(changed.cases)._close_if_through()
    env.flush_all()


def _moment(seconds: float | None) -> datetime | None:
    if not seconds:
        return None
    return datetime.fromtimestamp(seconds, timezone.utc).replace(tzinfo=None)


def _json(value: Any) -> str | None:
    return None if value is None else json.dumps(value)
