# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""From dead messages to cases: one per cause, in the queue of those who can solve it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from odoo import fields
from odoo.tools import SQL

from . import sql

OPEN = ("open", "in_progress")


@dataclass(frozen=True)
class Cause:
    """What makes failures the same case."""

    endpoint_id: int
    event_type_id: int | None
    category: str
    code: str

    @property
    def fingerprint(self) -> str:
        """Return the stable name of the cause."""
        parts = (self.endpoint_id, self.event_type_id or 0, self.category, self.code)
        return hashlib.sha256("|".join(map(str, parts)).encode()).hexdigest()


def open_for(env, message_ids: Sequence[int]) -> None:
    """Open or continue the cases of dead messages."""
    statement = SQL(
        """
        SELECT id, endpoint_id, event_type_id, company_id, exception_id,
               COALESCE(last_error_class, 'contract') AS category,
               COALESCE(last_error_code, 'unknown') AS code, last_error
          FROM integration_message
         WHERE id = ANY(%s) AND state = 'dead' AND NOT superseded ORDER BY id
        """,
        list(message_ids),
    )
    groups: dict[Cause, list[dict]] = {}
    for row in sql.rows_of(env.cr, statement):
        cause = Cause(
            row["endpoint_id"], row["event_type_id"], row["category"], row["code"]
        )
        groups.setdefault(cause, []).append(row)
    for cause, rows in groups.items():
        attach(env, cause, rows)


def attach(env, cause: Cause, rows: Sequence[dict]) -> None:
    """Put messages into the open case of their cause; close cases they leave."""
    case = _find(env, cause) or _create(env, cause, rows)
    ids = [row["id"] for row in rows]
    statement = SQL(
        "UPDATE integration_message SET exception_id = %s WHERE id = ANY(%s)",
        case.id,
        ids,
    )
    sql.run(env.cr, statement)
    case.write(
        {
            "last_seen": fields.Datetime.now(),
            "detail": rows[-1]["last_error"] or case.detail,
        }
    )
    left = {row["exception_id"] for row in rows} - {None, case.id}
    env["integration.message"].invalidate_model(["exception_id"])
    env["integration.exception"].browse(left)._close_if_through()


def _find(env, cause: Cause):
    domain = [("fingerprint", "=", cause.fingerprint), ("state", "in", OPEN)]
    return env["integration.exception"].search(domain, limit=1)


def _create(env, cause: Cause, rows: Sequence[dict]):
    endpoint = env["integration.endpoint"].browse(cause.endpoint_id)
    event_type = env["integration.event.type"].browse(cause.event_type_id or [])
    company_id = rows[0]["company_id"] or endpoint.company_id.id
    queue = route(env, endpoint, event_type, cause.category, company_id)
    now = fields.Datetime.now()
    what = event_type.code or cause.category
    return env["integration.exception"].create(
        {
            "name": f"{endpoint.name}: {what} ({cause.code})",
            "fingerprint": cause.fingerprint,
            "category": cause.category,
            "code": cause.code,
            "queue_id": queue.id,
            "company_id": company_id,
            "endpoint_id": endpoint.id,
            "event_type_id": event_type.id,
            "detail": rows[-1]["last_error"],
            "deadline": now + timedelta(hours=queue.hours_to_resolve or 24),
            "first_seen": now,
            "last_seen": now,
        }
    )


def route(env, endpoint, event_type, category: str, company_id: int | None):
    """Return the queue for a cause: the endpoint's own, else the first that takes it."""
    if endpoint.exception_queue_id:
        return endpoint.exception_queue_id
    queues = env["integration.exception.queue"].search(
        [("company_id", "in", [False, company_id])], order="sequence, id"
    )
    takers = queues.filtered(
        lambda queue: takes(queue, event_type.code or "", category)
    )
    catch_all = queues.filtered(
        lambda q: not _words(q.category_codes) and not _words(q.event_prefixes)
    )
    return (takers - catch_all)[:1] or catch_all[:1] or queues[-1:]


def takes(queue, code: str, category: str) -> bool:
    """Tell whether a queue takes cases of an event type and category."""
    prefixes, categories = _words(queue.event_prefixes), _words(queue.category_codes)
    fits = not prefixes or any(code.startswith(prefix) for prefix in prefixes)
    return fits and (not categories or category in categories)


def _words(text: str | None) -> list[str]:
    return [word.strip() for word in (text or "").split(",") if word.strip()]


def fingerprint_of(code: str, key: str, company_id, system_id) -> str:
    """Return the stable name of a business cause within a company and system."""
    parts = ("cause", code, key, company_id or 0, system_id or 0)
    return hashlib.sha256("|".join(map(str, parts)).encode()).hexdigest()


def raise_case(env, cause, message=None, endpoint=None, event_type=None, company=None):
    """Open or continue the case of a business cause; see ``_raise_case`` of the model."""
    endpoint = (
        endpoint
        or (message and message.sudo().endpoint_id)
        or env["integration.endpoint"]
    )
    event_type = (
        event_type
        or (message and message.sudo().event_type_id)
        or env["integration.event.type"]
    )
    company = company or (message and message.sudo().company_id) or endpoint.company_id
    fingerprint = fingerprint_of(
        cause.code, cause.key, company.id, endpoint.system_id.id
    )
    Case = env["integration.exception"]
    now = fields.Datetime.now()
    case = Case.search(
        [("fingerprint", "=", fingerprint), ("state", "in", OPEN)], limit=1
    )
    if case:
        case.write({"last_seen": now})
        return case
    queue = route(env, endpoint, event_type, cause.category, company.id)
    return Case.create(
        {
            "name": cause.title,
            "fingerprint": fingerprint,
            "category": cause.category,
            "code": cause.code,
            "queue_id": queue.id,
            "company_id": company.id,
            "endpoint_id": endpoint.id,
            "event_type_id": event_type.id,
            "deadline": cause.deadline
            or now + timedelta(hours=queue.hours_to_resolve or 24),
            "first_seen": now,
            "last_seen": now,
        }
    )


def settle(env, code, key, resolution, company=None, system=None):
    """Resolve the open case of a business cause; see ``_settle_case`` of the model."""
    fingerprint = fingerprint_of(
        code, key, company and company.id, system and system.id
    )
    case = env["integration.exception"].search(
        [("fingerprint", "=", fingerprint), ("state", "in", OPEN)], limit=1
    )
    case.write(
        {
            "state": "resolved",
            "resolution": resolution,
            "resolved_at": fields.Datetime.now(),
        }
    )
    return case


def through(env, case_ids: Iterable[int]) -> set[int]:
    """Return those of the open cases that have no unfinished message left."""
    statement = SQL(
        """
        SELECT e.id FROM integration_exception e
         WHERE e.id = ANY(%s) AND e.state = ANY(%s)
           AND NOT EXISTS (SELECT 1 FROM integration_message m
                            WHERE m.exception_id = e.id AND m.state IN ('dead', 'pending')
                              AND NOT m.superseded)
        """,
        list(case_ids),
        list(OPEN),
    )
    return {row["id"] for row in sql.rows_of(env.cr, statement)}
