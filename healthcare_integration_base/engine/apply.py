# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""The drain's processor for incoming messages: codec, mapping, schema, handler.

Each message is one transaction, made as the client's user, with its done mark in it:
what the handler did and that it did it are committed together or not at all.
"""

from __future__ import annotations

import json
import logging
import random
import time
from collections.abc import Mapping, Sequence
from typing import Any

import psycopg2
from psycopg2 import errorcodes

from odoo import SUPERUSER_ID, api
from odoo.tools import SQL

from ..protocol import errors
from ..protocol.classify import Outcome
from ..protocol.drain_types import Claimed, Report, Result
from ..runtime import autonomous
from . import capture, outbox, queue, record, render, settle, sql, verdict
from .quiet import quiet_statements

_logger = logging.getLogger(__name__)

HANDLER_PREFIX = "_integration_apply_"
TRIES = 5
AGAIN = (
    errorcodes.SERIALIZATION_FAILURE,
    errorcodes.DEADLOCK_DETECTED,
    errorcodes.LOCK_NOT_AVAILABLE,
)
LOCK_TIMEOUT = "20s"  # a user's long transaction must not stop the lane

MOST_DEATHS = 2  # after a first one that might have been a neighbour's fault
BEGUN = "unfinished_"
KILLER = errors.Rejected(
    "The server stopped each time while it applied this message",
    code="stops_the_server",
)


class ClaimLost(errors.IntegrationError):
    """Somebody else has the message by now; what was done is rolled back."""

    default_code = "claim_lost"


class Undecided(errors.IntegrationError):
    """Reception left it to us what the message is."""


class ApplyProcessor:
    """Applies claimed messages of the lane, one after the other.

    :param env: any environment of the database; transactions of its own are opened
    :param token: the drain's claim
    """

    final_state = "done"

    def __init__(self, env, token: str):
        self._env, self._token = env, token

    def prepare(self, claimed: Sequence[Claimed]) -> Mapping[int, Claimed]:
        """Return what is needed to process: each message loads itself in its transaction."""
        return {claim.message_id: claim for claim in claimed}

    def apply(self, claim: Claimed) -> Report:
        """Apply a message in a transaction of its own.

        :return: ``recorded`` when the message is done and committed
        """
        started = time.time()
        with quiet_statements():
            if claim.attempts and not claim.user_id and self._kills_us(claim):
                return verdict.of(KILLER, _Work(claim, self._token, started))
            for left in reversed(range(TRIES)):
                work = _Work(claim, self._token, started)
                try:
                    return self._transaction(work)
                except Undecided:
                    refusal = self._settle(work)
                    if refusal:
                        return refusal
                except Exception as exc:
                    if not (left and _is_conflict(exc)):
                        return verdict.of(exc, work)
                time.sleep(random.uniform(0, 0.1))
        raise AssertionError("unreachable")

    def _kills_us(self, claim: Claimed) -> bool:
        """Tell whether the process died each time while it applied this very message.

        Only messages whose last attempt has no known outcome are marked before they are
        begun: a crash leaves that outcome with all the drain had claimed, and its
        neighbours are not to blame.
        """
        with autonomous(self._env) as env:
            row = sql.rows_of(env.cr, _last_attempt(claim.message_id))[0]
            begun = row["begun"] if row["outcome"] == "unknown" else 0
            if begun >= MOST_DEATHS:
                return True
            if row["outcome"] == "unknown":
                sql.run(env.cr, _mark_begun(claim.message_id, begun + 1))
        return False

    def _settle(self, work: _Work) -> Report | None:
        """Find out what a message is, in a transaction of its own; return why it is nothing."""
        try:
            with autonomous(self._env) as env:
                settle.settle(env["integration.message"].browse(work.claim.message_id))
        except Exception as exc:
            return verdict.of(exc, work)
        return None

    def _transaction(self, work: _Work) -> Report:
        with self._env.registry.cursor() as cr:
            work.open(api.Environment(cr, SUPERUSER_ID, {}))
            report, changed = work.run()
        if changed:
            with autonomous(self._env) as env:
                record.follow_up(env, changed)
        return report


class _Work:
    """One message while it is applied."""

    def __init__(self, claim: Claimed, token: str, started: float):
        self.claim, self.token, self.started = claim, token, started
        self.env = self.message = self.event_type = None
        self.data: Any = None
        self.occurred_at: str | None = None
        self.phi = True  # until we know better
        self.details: dict[str, Any] = {"schema_errors": []}

    def open(self, env) -> None:
        """Take the environment (superuser) of the message's transaction."""
        env.cr.execute(SQL("SELECT set_config('lock_timeout', %s, true)", LOCK_TIMEOUT))
        self.env = env
        self.message = env["integration.message"].browse(self.claim.message_id)
        self.event_type = self.message.event_type_id
        if not self.event_type:
            raise Undecided("The type of the message is still to be found")
        self.phi = self.event_type.sensitivity == "phi"
        incoming = capture.Incoming(self.message.system_id.id, self.message.uid)
        capture.comes_from(env.cr, incoming)

    def run(self) -> tuple[Report, record.Changed | None]:
        """Do all of it, up to the commit."""
        self.data = self._canonical()
        if self.message.endpoint_id.state == "shadow":
            return self.report(Outcome(True), final_state="shadow"), None
        document = self._handle()
        self.env.flush_all()
        self._publish(document)
        return self._finish(document)

    # -- content -------------------------------------------------------------------

    def _canonical(self) -> dict[str, Any]:
        """Return the content in canonical form.

        :raises IntegrationError: it cannot be read, mapped, or breaks the schema
        """
        received = settle.received(self.message)
        self.occurred_at = settle.occurred_at(self.message.endpoint_id, received)
        mapping = self._mapping()
        if mapping:
            rendered = render.render_incoming(received.data, received.meta(), mapping)
            data, deviations = json.loads(rendered.body), rendered.schema_errors
        else:
            data, deviations = received.data, self.event_type._validate(received.data)
        self.details["schema_errors"] = deviations
        if deviations:
            raise verdict.SchemaViolation(deviations)
        return data

    def _mapping(self):
        """Return the route's mapping, or the endpoint's if it is for this type."""
        endpoint, route = self.message.endpoint_id, self.message.route_id
        mapping = route.mapping_id if route else endpoint.mapping_id
        if mapping.event_type_id.code != self.event_type.code:
            return mapping.browse()
        render.check_usable(mapping, endpoint)
        self.details.update(mapping_id=mapping.id, mapping_version=mapping.version)
        return mapping

    # -- handler -------------------------------------------------------------------

    def _handle(self):
        """Call the handler as the client's user; return the document or None."""
        name = self.event_type.handler_method or ""
        model = self._acting_env().get(self.event_type.handler_model)
        handler = (
            getattr(model, name, None) if name.startswith(HANDLER_PREFIX) else None
        )
        if handler is None:
            raise errors.Configuration(
                f"Nothing applies messages of type {self.event_type.code}",
                code="no_handler",
            )
        self.event_type._guard_against_stale(self.message, self.data, self.occurred_at)
        return handler(self.data, self.message)

    def _acting_env(self):
        """Return the environment of the client's user, in its one company."""
        return self.message.client_id._acting_env(
            self.env,
            integration_origin=self.message.system_id.id,
            integration_occurred_at=self.occurred_at,
        )

    def _publish(self, document) -> None:
        """Let others subscribe to what came in: an event of this type, with the canonical data."""
        code = self.event_type.code
        plans = [
            p
            for p in capture.plans_of(self.env, code)
            if p.type_id == self.event_type.id
        ]
        if not (document and plans):
            return
        emission = self._emission(document.sudo()[:1], plans)
        lanes = outbox.write(self.env, [emission], lambda _code: tuple(plans))
        self.env["integration.drain"]._wake(lanes)

    def _emission(self, document, plans) -> capture.Emission:
        message = self.message
        wanted_by, unjudged = capture.matches(document, plans)
        return capture.Emission(
            code=self.event_type.code,
            res_model=document._name,
            res_id=document.id,
            user_id=message.client_id.user_id.id,
            origin=message.system_id.id,
            correlation=message.correlation_uid or None,
            causation=message.uid,
            traceparent=message.traceparent or None,
            company_id=message.company_id.id or None,
            res_name=None if self.phi else document.display_name,
            ordering_key=f"{document._name},{document.id}",
            data=self.data,
            error="filter_failed" if unjudged else None,
            matches=wanted_by.get(document.id, set()),
            unjudged=unjudged,
            judged=True,
        )

    # -- done ----------------------------------------------------------------------

    def _finish(self, document) -> tuple[Report, record.Changed]:
        """Write the done mark into the same transaction.

        :raises ClaimLost: then all is rolled back
        """
        if not sql.rows_of(
            self.env.cr, queue.held([self.claim.message_id], self.token)
        ):
            raise ClaimLost("The message is in the hands of another drain")
        if document:
            self._link(document)
        report = self.report(Outcome(True), recorded=True)
        number = self.claim.attempts + 1
        result = Result(self.claim, report, number, ApplyProcessor.final_state)
        return report, record.write(self.env, [result], {}, self.token)

    def _link(self, document) -> None:
        document = document.sudo()[:1]
        statement = SQL(
            "UPDATE integration_message SET res_model = %s, res_id = %s, res_name = %s"
            " WHERE id = %s",
            document._name,
            document.id,
            document.display_name,
            self.claim.message_id,
        )
        sql.run(self.env.cr, statement)

    def report(self, outcome: Outcome, **values: Any) -> Report:
        """Return a report of this message; no request is made, so no breaker counts it."""
        return Report(
            outcome,
            wire=False,
            started_at=self.started,
            duration=time.time() - self.started,
            details={"message": self.details},
            **values,
        )


def _last_attempt(message_id: int) -> SQL:
    return SQL(
        "SELECT COALESCE(substring(m.last_error_code FROM %s)::int, 0) AS begun,"
        " (SELECT a.outcome FROM integration_attempt a WHERE a.message_id = m.id"
        " ORDER BY a.id DESC LIMIT 1) AS outcome"
        " FROM integration_message m WHERE m.id = %s",
        f"^{BEGUN}([0-9]+)$",
        message_id,
    )


def _mark_begun(message_id: int, number: int) -> SQL:
    return SQL(
        "UPDATE integration_message SET last_error_code = %s, last_error_class = 'configuration',"
        " last_error = 'The server stopped while this message was applied' WHERE id = %s",
        f"{BEGUN}{number}",
        message_id,
    )


def _is_conflict(exc: Exception) -> bool:
    """Tell whether the same again may come out otherwise: somebody changed the same rows.

    Or made the row that this one wanted to make: the handler sees it then.
    """
    return isinstance(exc, psycopg2.Error) and (
        exc.pgcode in AGAIN or exc.pgcode == errorcodes.UNIQUE_VIOLATION
    )
