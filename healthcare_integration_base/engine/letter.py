# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""From a claimed message to bytes with an address: what is loaded and made before sending."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import psycopg2

from odoo import fields
from odoo.tools import SQL

from .. import runtime
from ..protocol import signing
from ..protocol.classify import ErrorClass, Outcome, classify_exception
from ..protocol.drain_types import POSTPONED, Claimed, Report
from ..protocol.errors import Filtered, IntegrationError, Permanent
from ..protocol.mapping import MappingError
from ..transports import auth
from . import payload, render, sql

_logger = logging.getLogger(__name__)

# Slow mappings must not keep a drain from its end, nor the results from being recorded.
BUDGET = 5.0
# So many attempts in a row without a known outcome: the message stops the server.
MOST_UNKNOWN = 5


@dataclass(frozen=True)
class Route:
    """How an endpoint is reached; read once per batch."""

    endpoint: Any
    url: str
    state: str
    credentials: tuple[auth.Credential, ...] = field(repr=False)
    deadline: float
    connect_timeout: float
    allow_http: bool


@dataclass(frozen=True)
class Letter:
    """A message ready to send: bytes, address, and what to record about it."""

    message_id: int
    uid: str
    body: bytes = field(repr=False)
    content_type: str
    traceparent: str | None
    route: Route
    phi: bool
    facts: Mapping[str, Any]

    def headers(self, now: int) -> dict[str, str]:
        """Return the headers that hold no secret; the id also serves deduplication."""
        headers = {
            "Content-Type": self.content_type,
            signing.HEADER_ID: self.uid,
            signing.HEADER_TIMESTAMP: str(now),
        }
        if self.traceparent:
            headers["traceparent"] = self.traceparent
        return headers


def write(
    env,
    claimed: Sequence[Claimed],
    longest: float,
    clock: Callable[[], float] = time.monotonic,
) -> dict[int, Any]:
    """Load a batch; render and store the bodies that have none yet.

    :param longest: no exchange may take longer, in seconds
    :return: message id -> Letter, Report of a failure, or POSTPONED when time ran out
    :raises psycopg2.Error: the transaction is broken; each message is tried alone then
    """
    rows = sql.rows_of(env.cr, _load([claim.message_id for claim in claimed]))
    by_hand = {claim.message_id for claim in claimed if claim.user_id}
    desk = _Desk(env, rows, by_hand, longest)
    ends = clock() + BUDGET
    ready = {}
    # in the order of sending, so that what is postponed never overtakes
    for row in sorted(rows, key=lambda row: row["seq"]):
        ready[row["id"]] = (
            desk.prepare(row) if not ready or clock() < ends else POSTPONED
        )
    payload.store(env.cr, desk.entries)
    return ready


class _Desk:
    """What the letters of one batch have in common."""

    def __init__(self, env, rows, by_hand: set[int], longest: float):
        self.env, self.by_hand = env, by_hand
        self.entries: list[dict[str, Any]] = []
        endpoint_ids = {row["endpoint_id"] for row in rows}
        endpoints = env["integration.endpoint"].browse(sorted(endpoint_ids))
        self.routes = {e.id: _route(e, longest) for e in endpoints}
        self.bodies = payload.load(env.cr, [row["id"] for row in rows])
        # read together: one statement for all events of the batch
        events = {row["event_id"] for row in rows if row["event_id"]}
        self.events = env["integration.event"].browse(sorted(events))
        self._done: dict[tuple[Any, ...], render.Rendered] = {}

    def prepare(self, row) -> Letter | Report:
        """Return the letter, or why there is none. Never raises but for the database."""
        route = self.routes[row["endpoint_id"]]
        if isinstance(route, Report):
            return route
        try:
            return self._letter(row, route)
        except Filtered as exc:
            return _filtered(exc)
        except IntegrationError as exc:
            return failure(exc)
        except psycopg2.Error:
            raise
        except Exception as exc:  # one event's bad data must not stop its neighbours
            _logger.error(
                "Message %s cannot be rendered (%s)", row["id"], type(exc).__name__
            )
            return failure(
                MappingError("The body cannot be made", code="render_failed")
            )

    def _letter(self, row, route: Route) -> Letter:
        fetched = route.endpoint.transport == "feed"  # the partner's consumer stops
        most = row["unknown"] >= MOST_UNKNOWN and not fetched
        if most and row["id"] not in self.by_hand:
            raise Permanent(
                "The server stopped each time while it sent this message",
                code="stops_the_server",
            )
        known = self.bodies.get(row["id"])
        if known:
            return _letter(row, route, payload.clear(known), known["facts"] or {})
        body, facts = self._render(row, route)
        if row["phi"]:
            runtime.keyring().primary_id  # noqa: B018 - raises when there is no key
        entry = {
            "message_id": row["id"],
            "body": body,
            "phi": row["phi"],
            "facts": facts,
        }
        self.entries.append(entry)
        return _letter(row, route, body, facts)

    def _render(self, row, route: Route) -> tuple[bytes, dict[str, Any]]:
        event = self._event(row["event_id"])
        mapping = self.env["integration.mapping"].browse(row["mapping_id"] or [])
        if not event:
            raise MappingError("The message has no event", code="event_missing")
        if event._integration_rebuild() or event.error == "filter_failed":
            # capture could not judge the filter
            self.env["integration.subscription"].browse(
                row["subscription_id"] or []
            )._check_still_wanted(event)
        rendered = self._rendered(event, mapping, route.endpoint)
        return rendered.body, {
            "content_type": rendered.content_type,
            "schema_errors": rendered.schema_errors or None,
            "mapping_id": mapping.id or None,
            "mapping_version": mapping.version if mapping else None,
        }

    def _rendered(self, event, mapping, endpoint) -> render.Rendered:
        """Render once what several endpoints of the batch get alike."""
        key = (event.id, mapping.id, endpoint.state in render.ON_TRIAL)
        if key not in self._done:
            values = render.event_values(event)
            self._done[key] = render.render(values, mapping, endpoint)
        return self._done[key]

    def _event(self, event_id: int | None):
        event = self.env["integration.event"].browse(event_id or [])
        return event.with_prefetch(self.events._prefetch_ids)


def _load(message_ids: Sequence[int]) -> SQL:
    return SQL(
        """
        SELECT m.id, m.uid, m.endpoint_id, m.event_id, m.event_type_id, m.traceparent,
               m.subscription_id, s.mapping_id, t.sensitivity = 'phi' AS phi, q.seq,
               (SELECT count(*) FROM integration_attempt a
                 WHERE a.message_id = m.id AND a.outcome = 'unknown'
                   AND a.id > COALESCE((SELECT max(b.id) FROM integration_attempt b
                                         WHERE b.message_id = m.id
                                           AND b.outcome <> 'unknown'), 0)) AS unknown
          FROM integration_message m
          JOIN integration_queue_entry q ON q.message_id = m.id
          LEFT JOIN integration_subscription s ON s.id = m.subscription_id
          LEFT JOIN integration_event_type t ON t.id = m.event_type_id
         WHERE m.id = ANY(%s)
        """,
        list(message_ids),
    )


def _route(endpoint, longest: float) -> Route | Report:
    """Return how the endpoint is reached, or the report that holds its messages."""
    policy = endpoint.policy_id
    try:
        credentials = tuple(endpoint.credential_ids._to_ring1(fields.Datetime.now()))
    except IntegrationError as exc:
        return failure(exc)
    return Route(
        endpoint=endpoint,
        url=endpoint.url or "",
        state=endpoint.state,
        credentials=credentials,
        deadline=min(policy.deadline or longest, longest),
        connect_timeout=policy.connect_timeout or 5.0,
        allow_http=endpoint.environment == "test",
    )


def _letter(row, route: Route, body: bytes, facts: Mapping[str, Any]) -> Letter:
    return Letter(
        message_id=row["id"],
        uid=row["uid"],
        body=body,
        content_type=facts.get("content_type") or "application/octet-stream",
        traceparent=row["traceparent"],
        route=route,
        phi=bool(row["phi"]),
        facts=facts,
    )


def failure(exc: IntegrationError) -> Report:
    """Return the report of a message that was not sent because of an error of ours."""
    klass = "mapping" if isinstance(exc, MappingError) else None
    outcome = classify_exception(exc)
    if klass:
        outcome = Outcome(False, ErrorClass.CONTRACT, exc.code)
    return Report.failed(
        outcome,
        error_class=klass,
        error=exc.message,
        wire=False,
        started_at=time.time(),
    )


def _filtered(exc: Filtered) -> Report:
    return Report(
        Outcome(True),
        final_state="filtered",
        charged=False,
        wire=False,
        details={"message": {"filter_reason": exc.message}},
    )
