# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""The processor of outgoing messages: render, store, sign, send, classify."""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from odoo.tools import SQL

from .. import runtime
from ..protocol import redact, signing
from ..protocol.classify import ErrorClass, Outcome, classify_exception, classify_status
from ..protocol.drain_types import Claimed, Report
from ..protocol.errors import Configuration, IntegrationError
from ..protocol.mapping import MappingError
from ..protocol.netguard import NetworkPolicy
from ..transports import auth
from ..transports.http import HttpClient, Request, Response
from . import payload, render, sql

_logger = logging.getLogger(__name__)

DELIVERED = "delivered"


@dataclass(frozen=True)
class Route:
    """How an endpoint is reached; read once per batch."""

    endpoint: Any
    url: str
    state: str
    credentials: tuple[auth.Credential, ...]
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


class Sender:
    """Sends messages; an async context manager, since it keeps connections open.

    :param transaction: context manager factory that yields an environment in a
        transaction of the drain's connection and commits it
    :param longest: no exchange may take longer, in seconds
    """

    def __init__(self, transaction, longest: float = 60.0):
        self._transaction = transaction
        self._longest = longest
        self._client: HttpClient | None = None

    async def __aenter__(self) -> Sender:
        self._client = HttpClient(_network_policy())
        await self._client.__aenter__()
        return self

    async def __aexit__(self, *exc: object) -> None:
        if self._client:
            await self._client.__aexit__(*exc)

    # -- before: in a transaction ------------------------------------------------

    def prepare(self, claimed: Sequence[Claimed]) -> dict[int, Letter | Report]:
        """Load a batch; render and store the bodies that have none yet.

        The bytes are committed before the first of them is sent, so that a retry, also
        after a crash, sends the same.
        """
        with self._transaction() as env:
            rows = sql.rows_of(env.cr, _load([c.message_id for c in claimed]))
            routes = {
                i: _route(env, i, self._longest)
                for i in {r["endpoint_id"] for r in rows}
            }
            bodies = payload.load(env.cr, [row["id"] for row in rows])
            done = {row["id"]: _prepare(env, row, routes, bodies) for row in rows}
            new = [entry for _ready, entry in done.values() if entry]
            payload.store(env.cr, new)
        return {message_id: ready for message_id, (ready, _entry) in done.items()}

    # -- on the wire ---------------------------------------------------------------

    async def process(self, letter: Letter) -> Report:
        """Send one message and say what came of it."""
        if letter.route.state == "shadow":
            return self._report(
                letter, Outcome(True), {}, None, time.time(), final_state="shadow"
            )
        started = time.time()
        headers: dict[str, str] = {}
        response, error = None, None
        try:
            headers = _headers(letter, int(started))
            response = await self._exchange(letter, headers)
            outcome = classify_status(response.status, response.headers, time.time())
            error = None if outcome.ok else f"The partner answered {response.status}"
        except IntegrationError as exc:
            outcome, error = classify_exception(exc), exc.message
        return self._report(letter, outcome, headers, response, started, error=error)

    async def _exchange(self, letter: Letter, headers: dict[str, str]) -> Response:
        route = letter.route
        request = Request(
            "POST", route.url, headers, letter.body, allow_http=route.allow_http
        )
        return await self._client.send(
            request, deadline=route.deadline, connect_timeout=route.connect_timeout
        )

    def _report(
        self,
        letter: Letter,
        outcome: Outcome,
        headers: Mapping[str, str],
        response: Response | None,
        started: float,
        *,
        final_state: str = DELIVERED,
        error: str | None = None,
    ) -> Report:
        shadow = final_state != DELIVERED
        return Report(
            outcome,
            error=error,
            final_state=final_state,
            charged=not shadow and (not outcome.hold or outcome.disables),
            wire=not shadow,
            started_at=started,
            duration=time.time() - started,
            details={
                "message": _message_facts(letter.body, letter.facts),
                "attempt": _attempt_facts(letter, headers, response),
            },
        )


def _network_policy() -> NetworkPolicy:
    """Allow http to nobody by itself: each request says so for its own endpoint."""
    try:
        return NetworkPolicy(
            False, runtime.network_policy("production").allowed_networks
        )
    except Configuration as exc:
        _logger.error("%s No private network is allowed.", exc.message)
        return NetworkPolicy()


def _load(message_ids: Sequence[int]) -> SQL:
    return SQL(
        """
        SELECT m.id, m.uid, m.endpoint_id, m.event_id, m.event_type_id, m.traceparent,
               s.mapping_id, t.sensitivity = 'phi' AS phi
          FROM integration_message m
          LEFT JOIN integration_subscription s ON s.id = m.subscription_id
          LEFT JOIN integration_event_type t ON t.id = m.event_type_id
         WHERE m.id = ANY(%s)
        """,
        list(message_ids),
    )


def _route(env, endpoint_id: int, longest: float) -> Route | Report:
    """Return how the endpoint is reached, or the report that holds its messages."""
    endpoint = env["integration.endpoint"].browse(endpoint_id)
    policy = endpoint.policy_id
    try:
        credentials = tuple(endpoint.credential_ids._to_ring1(time.time()))
    except IntegrationError as exc:
        return _failure(exc)
    return Route(
        endpoint=endpoint,
        url=endpoint.url or "",
        state=endpoint.state,
        credentials=credentials,
        deadline=min(policy.deadline or longest, longest),
        connect_timeout=policy.connect_timeout or 5.0,
        allow_http=endpoint.environment == "test",
    )


def _prepare(env, row, routes, bodies) -> tuple[Letter | Report, dict[str, Any] | None]:
    """Return the letter (or the failure), and the payload to store if it is new."""
    route = routes[row["endpoint_id"]]
    if isinstance(route, Report):
        return route, None
    try:
        known = bodies.get(row["id"])
        if known:
            return _letter(row, route, payload.clear(known), known["facts"] or {}), None
        body, facts = _render(env, row, route)
        if row["phi"]:
            runtime.keyring().primary_id  # noqa: B018 - raises when there is no key
        entry = {
            "message_id": row["id"],
            "body": body,
            "phi": row["phi"],
            "facts": facts,
        }
        return _letter(row, route, body, facts), entry
    except IntegrationError as exc:
        return _failure(exc), None
    except Exception as exc:  # one event's bad data must not stop its neighbours
        _logger.error(
            "Message %s cannot be rendered (%s)", row["id"], type(exc).__name__
        )
        return _failure(
            MappingError("The body cannot be made", code="render_failed")
        ), None


def _failure(exc: IntegrationError) -> Report:
    if isinstance(exc, MappingError):
        outcome = Outcome(False, ErrorClass.CONTRACT, exc.code)
        klass = "mapping"
    else:
        outcome, klass = classify_exception(exc), None
    now = time.time()
    return Report.failed(
        outcome, error_class=klass, error=exc.message, wire=False, started_at=now
    )


def _render(env, row, route: Route) -> tuple[bytes, dict[str, Any]]:
    event = env["integration.event"].browse(row["event_id"])
    mapping = env["integration.mapping"].browse(row["mapping_id"] or [])
    if not event:
        raise MappingError("The message has no event", code="event_missing")
    event._integration_rebuild()
    rendered = render.render(render.event_values(event), mapping, route.endpoint)
    return rendered.body, {
        "content_type": rendered.content_type,
        "schema_errors": rendered.schema_errors or None,
        "mapping_id": mapping.id or None,
        "mapping_version": mapping.version if mapping else None,
    }


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


def _headers(letter: Letter, now: int) -> dict[str, str]:
    """Return the request's headers; the id is sent unsigned, too, for deduplication."""
    headers = {
        "Content-Type": letter.content_type,
        signing.HEADER_ID: letter.uid,
        signing.HEADER_TIMESTAMP: str(now),
    }
    if letter.traceparent:
        headers["traceparent"] = letter.traceparent
    return auth.apply(
        headers, letter.route.credentials, msg_id=letter.uid, body=letter.body, now=now
    )


def _message_facts(body: bytes, facts: Mapping[str, Any]) -> dict[str, Any]:
    return {
        **facts,
        "body_sha256": hashlib.sha256(body).hexdigest(),
        "size": len(body),
    }


def _attempt_facts(
    letter: Letter, headers: Mapping[str, str], response: Response | None
) -> dict[str, Any]:
    facts: dict[str, Any] = {"request_headers": redact.redact_headers(headers)}
    if response:
        answer = response.body
        facts["response_headers"] = redact.redact_headers(response.headers)
        facts["response_size"] = len(answer)
        if letter.phi and answer:
            answer = payload.seal(answer, payload.response_aad(letter.message_id))
        facts["response"] = answer
    return facts
