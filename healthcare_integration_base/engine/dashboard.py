# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""The figures of the first page, each with the list behind it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from odoo import fields
from odoo.tools import SQL

from .. import runtime
from ..protocol.errors import Configuration
from . import queue, sql, store

LATE_MINUTES = 15
OPEN = ("open", "in_progress")


def gates(cr) -> dict[int, float]:
    """Return the seconds until breakers and retry floors let endpoints go on."""
    statement = SQL(
        "SELECT endpoint_id, EXTRACT(epoch FROM GREATEST(open_until, retry_floor_at) - %s)::float8"
        " AS seconds FROM integration_endpoint_health"
        " WHERE GREATEST(open_until, retry_floor_at) > %s",
        sql.NOW,
        sql.NOW,
    )
    return {row["endpoint_id"]: row["seconds"] for row in sql.rows_of(cr, statement)}


def overview(env) -> dict[str, Any]:
    """Return all figures; counted with the user's own rights."""
    figures = {
        name: _figure(env, model, domain)
        for name, (model, domain) in _domains(env).items()
    }
    return {**figures, **_facts(env)}


def _figure(env, model: str, domain: list[Any]) -> dict[str, Any]:
    return {"count": env[model].search_count(domain), "model": model, "domain": domain}


def _domains(env) -> dict[str, tuple[str, list[Any]]]:
    now = fields.Datetime.now()
    day = fields.Datetime.to_string(now - timedelta(days=1))
    late = fields.Datetime.to_string(now - timedelta(minutes=LATE_MINUTES))
    message, case = "integration.message", "integration.exception"
    opened = ("state", "in", list(OPEN))
    return {
        "dead": (message, [("state", "=", "dead"), ("superseded", "=", False)]),
        "late": (message, [("state", "=", "pending"), ("created_at", "<", late)]),
        "pending": (message, [("state", "=", "pending")]),
        "open_cases": (case, [opened]),
        "my_cases": (case, [opened, ("user_id", "=", env.uid)]),
        "overdue_cases": (
            case,
            [opened, ("deadline", "<", fields.Datetime.to_string(now))],
        ),
        "paused_endpoints": (
            "integration.endpoint",
            [("state", "in", ["paused", "disabled"])],
        ),
        "delivered_24h": (
            message,
            [
                ("direction", "=", "out"),
                ("state", "=", "delivered"),
                ("finished_at", ">=", day),
            ],
        ),
        "received_24h": (
            message,
            [("direction", "=", "in"), ("created_at", ">=", day)],
        ),
        "failed_attempts_24h": (
            "integration.attempt",
            [("outcome", "=", "failure"), ("started_at", ">=", day)],
        ),
    }


def _facts(env) -> dict[str, Any]:
    environment, ring = _node()
    runner = _runner(env)
    return {
        "hints": _hints(env, environment, ring, runner),
        "oldest_due_seconds": _oldest_due(env),
        "keyring_ok": ring,
        "environment": environment,
        "settings_checksum": runtime.settings_checksum(),
        "generated_at": fields.Datetime.to_string(fields.Datetime.now()),
        "runner": runner,
    }


def _hints(
    env, environment: str | None, ring: bool, runner: dict[str, Any]
) -> list[dict]:
    """Return what is wrong with this node: ``{"level", "text"}``."""
    hints = []
    if environment is None:
        hints.append(
            env._("The section [healthcare_integration] of odoo.conf cannot be read.")
        )
    elif not ring:
        hints.append(
            env._(
                "This node has no encryption key: secrets and personal data cannot be processed."
            )
        )
    if not runner["ok"]:
        hints.append(
            env._(
                "Jobs wait for more than a minute: is queue_job's runner at work, its channel free?"
            )
        )
    return [{"level": "warning", "text": text} for text in hints]


def _node() -> tuple[str | None, bool]:
    try:
        return runtime.database_environment(), bool(runtime.keyring())
    except Configuration:
        return None, False


def _oldest_due(env) -> float:
    """Return for how long the oldest message that may run has been waiting, in seconds."""
    rows = (
        sql.rows_of(env.cr, store.endpoints_with_work(SQL("TRUE")))
        if _node()[0]
        else []
    )
    waits = [
        -row["due_in"]
        for row in rows
        if row["due_in"] is not None and row["due_in"] < 0
    ]
    return round(max(waits, default=0.0), 1)


def _runner(env) -> dict[str, Any]:
    """Return what tells whether jobs are run: drains at work, jobs that wait too long."""
    statement = SQL(
        """
        SELECT count(*) FILTER (WHERE state = 'started') AS started,
               count(*) FILTER (WHERE state IN ('pending', 'enqueued')
                                  AND COALESCE(eta, date_created) < %s) AS waiting,
               count(*) FILTER (WHERE state = 'failed') AS failed
          FROM queue_job
         WHERE model_name = 'integration.drain' AND method_name = '_job_drain'
           AND state IN ('started', 'pending', 'enqueued', 'failed')
        """,
        sql.later(-60),
    )
    row = sql.rows_of(env.cr, statement)[0]
    lanes = env["integration.drain"].sudo()._lanes()
    drained = [lane for lane in sorted(lanes) if _drained(env, lane)]
    return {
        "lanes": sorted(lanes),
        "drained": drained,
        "jobs": row,
        "ok": not row["waiting"],
    }


def _drained(env, lane: str) -> bool:
    statement = queue.is_locked(queue.SPACE_LANE, store.lane_key(lane))
    return bool(sql.rows_of(env.cr, statement))
