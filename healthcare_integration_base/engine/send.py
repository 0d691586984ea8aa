# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""The processor of outgoing messages: sign, send, classify, and what is kept of it."""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Mapping, Sequence
from typing import Any

from .. import runtime
from ..protocol import redact
from ..protocol.classify import Outcome, classify_exception, classify_status
from ..protocol.drain_types import Claimed, Report
from ..protocol.errors import Configuration, IntegrationError
from ..protocol.netguard import NetworkPolicy
from ..transports import auth
from ..transports.http import HttpClient, Request, Response
from . import letter, payload
from .letter import Letter

_logger = logging.getLogger(__name__)

DELIVERED = "delivered"
# Shorter secrets would turn up in any text.
MIN_SECRET = 6
MASK = redact.MASK


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

    def prepare(self, claimed: Sequence[Claimed]) -> dict[int, Any]:
        """Load a batch and make its letters.

        The bytes are committed before the first of them is sent, so that a retry, also
        after a crash, sends the same.
        """
        with self._transaction() as env:
            return letter.write(env, claimed, self._longest)

    async def process(self, task: Letter) -> Report:
        """Send one message and say what came of it."""
        started = time.time()
        if task.route.state == "shadow":
            return _report(task, Outcome(True), {}, None, started, final_state="shadow")
        headers: dict[str, str] = {}
        response, error = None, None
        try:
            headers = _headers(task, int(started))
            response = await self._exchange(task, headers)
            outcome = classify_status(response.status, response.headers, time.time())
            error = None if outcome.ok else f"The partner answered {response.status}"
        except IntegrationError as exc:
            outcome, error = classify_exception(exc), exc.message
        return _report(task, outcome, headers, response, started, error=error)

    async def _exchange(self, task: Letter, headers: dict[str, str]) -> Response:
        route = task.route
        request = Request(
            "POST", route.url, headers, task.body, allow_http=route.allow_http
        )
        return await self._client.send(
            request, deadline=route.deadline, connect_timeout=route.connect_timeout
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


def _headers(task: Letter, now: int) -> dict[str, str]:
    return auth.apply(
        task.headers(now),
        task.route.credentials,
        msg_id=task.uid,
        body=task.body,
        now=now,
    )


# -- what is kept ------------------------------------------------------------------


def _report(
    task: Letter,
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
            "message": _message_facts(task),
            "attempt": _attempt_facts(task, headers, response),
        },
    )


def _message_facts(task: Letter) -> dict[str, Any]:
    return {
        **task.facts,
        "body_sha256": hashlib.sha256(task.body).hexdigest(),
        "size": len(task.body),
    }


def _attempt_facts(
    task: Letter, headers: Mapping[str, str], response: Response | None
) -> dict[str, Any]:
    facts: dict[str, Any] = {"request_headers": _sent_headers(task, headers)}
    if response:
        secrets = _secrets(task)
        facts["response_headers"] = {
            name: _without_query(name, _masked(value, secrets))
            for name, value in redact.redact_headers(response.headers).items()
        }
        facts["response_size"] = len(response.body)
        facts["response"] = _kept_answer(task, response.body, secrets)
    return facts


def _sent_headers(task: Letter, headers: Mapping[str, str]) -> dict[str, str]:
    """Mask every header a credential made, whatever its name."""
    own = task.headers(0)
    redacted = redact.redact_headers(headers)
    return {name: value if name in own else MASK for name, value in redacted.items()}


def _secrets(task: Letter) -> list[str]:
    """Return the texts a partner might echo."""
    texts = []
    for credential in task.route.credentials:
        secret = credential.secret or ""
        texts.append(
            secret if isinstance(secret, str) else secret.decode("utf-8", "replace")
        )
    return [text for text in texts if len(text) >= MIN_SECRET]


def _masked(value: str, secrets: Sequence[str]) -> str:
    for secret in secrets:
        value = value.replace(secret, MASK)
    return value


def _without_query(name: str, value: str) -> str:
    """A redirect's address may hold tokens in its query."""
    return (
        value.partition("?")[0]
        if name.lower() in ("location", "content-location")
        else value
    )


def _kept_answer(task: Letter, answer: bytes, secrets: Sequence[str]) -> bytes:
    for secret in secrets:
        answer = answer.replace(secret.encode(), MASK.encode())
    if task.phi and answer:
        return payload.seal(answer, payload.response_aad(task.message_id))
    return answer
