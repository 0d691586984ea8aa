# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""The drain's store: its methods are short READ COMMITTED transactions.

Locks and statements share one connection: when it breaks, the locks are gone
too, and nothing is recorded by somebody who lost an endpoint without noticing.
"""

from __future__ import annotations

import logging
import uuid
import zlib
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import lru_cache, wraps
from typing import Any

import psycopg2
from psycopg2 import errorcodes

from odoo.tools import SQL

from .. import runtime
from ..protocol.drain import StoreLost
from ..protocol.drain_types import Claimed, EndpointSpec, Result, Want
from ..protocol.retry import RetrySchedule
from . import queue, record, sql
from .quiet import quiet_statements
from .safe import where

_logger = logging.getLogger(__name__)

TRIES = 5
AGAIN = (
    errorcodes.SERIALIZATION_FAILURE,
    errorcodes.DEADLOCK_DETECTED,
    errorcodes.LOCK_NOT_AVAILABLE,
)
# States in which a drain serves an endpoint; the others hold their messages.
RUNNING = ("active", "shadow")


def lane_key(lane: str) -> int:
    """Return the advisory lock key of a lane."""
    return zlib.crc32(lane.encode()) & 0x7FFFFFFF


def _transaction(method: Callable[..., Any]) -> Callable[..., Any]:
    """Commit at the end; repeat what met a concurrent change; report a lost connection."""

    @wraps(method)
    def wrapper(self, *args):
        for attempt in range(1, TRIES + 1):
            try:
                result = method(self, *args)
                self.env.cr.commit()  # pylint: disable=invalid-commit
                return result
            except (psycopg2.OperationalError, psycopg2.InterfaceError) as exc:
                if exc.pgcode not in AGAIN or attempt == TRIES:
                    self._lose(exc)
                self.env.cr.rollback()
            except Exception:
                self.env.cr.rollback()
                raise

    return wrapper


class DrainStore:
    """Rows and locks of one lane, for one drain.

    :param env: any environment of the database; a connection of its own is opened
    """

    def __init__(self, env, lane: str):
        self._origin, self.lane = env, lane
        self.token = str(uuid.uuid4())
        self._stack = ExitStack()
        self._lane_locked = False
        self._owned: set[int] = set()
        self._open()

    def _open(self) -> None:
        try:
            self.env = self._stack.enter_context(runtime.autonomous(self._origin))
        except psycopg2.Error as exc:
            raise StoreLost("no connection") from exc

    def close(self) -> None:
        """Give locks and connection back."""
        try:
            self.unlock()
        except StoreLost:
            _logger.info("The connection of lane %s was lost before its end", self.lane)
        self._abandon()

    def _lose(self, exc: psycopg2.Error) -> None:
        _logger.info("Lane %s lost its database connection (%s)", self.lane, exc.pgcode)
        raise StoreLost(exc.pgcode or "connection") from None

    def reconnect(self) -> None:
        """Open a new connection; the locks are lost with the old one."""
        self._abandon()
        self._open()

    def _abandon(self) -> None:
        self._lane_locked, self._owned = False, set()
        try:
            self._stack.close()
        except psycopg2.Error:
            _logger.info("The broken connection of lane %s was closed", self.lane)
        self._stack = ExitStack()

    @contextmanager
    def transaction(self):
        """Yield the environment in a transaction of this connection, for a processor.

        :raises StoreLost: the connection broke
        """
        try:
            with quiet_statements():
                yield self.env
                self.env.cr.commit()  # pylint: disable=invalid-commit
        except (psycopg2.OperationalError, psycopg2.InterfaceError) as exc:
            self._lose(exc)
        except BaseException:
            self.env.cr.rollback()
            raise

    # -- locks -------------------------------------------------------------------

    @_transaction
    def lock(self) -> bool:
        """Take the lane's lock, if nobody has it."""
        statement = queue.try_lock(queue.SPACE_LANE, [lane_key(self.lane)])
        self._lane_locked = bool(sql.rows_of(self.env.cr, statement))
        return self._lane_locked

    @_transaction
    def unlock(self, keep: Collection[int] = ()) -> None:
        """Give back the locks of the lane and of all endpoints but those to keep."""
        cr, given = self.env.cr, self._owned.difference(keep)
        if self._lane_locked:
            sql.run(cr, queue.unlock(queue.SPACE_LANE, [lane_key(self.lane)]))
        if given:
            sql.run(cr, queue.unlock(queue.SPACE_ENDPOINT, sorted(given)))
        self._lane_locked, self._owned = False, self._owned - given

    @_transaction
    def own(self, endpoint_ids: Sequence[int]) -> dict[int, Mapping[str, Any]]:
        """Lock endpoints; whoever gets the lock knows that the former owner is gone."""
        cr = self.env.cr
        statement = queue.try_lock(queue.SPACE_ENDPOINT, sorted(endpoint_ids))
        ids = [row["key"] for row in sql.rows_of(cr, statement)]
        self._owned.update(ids)
        if ids:
            sql.run(cr, queue.free(queue.orphans(ids, self.token)))
            sql.run(cr, queue.heal(SQL("q.endpoint_id = ANY(%s)", ids)))
        return {**dict.fromkeys(ids, {}), **record.load_health(cr, ids)}

    # -- looking and claiming ----------------------------------------------------

    @_transaction
    def look(self) -> list[EndpointSpec]:
        """Return the running endpoints of the lane that have something to do."""
        statement = endpoints_with_work(SQL("e.lane = %s", self.lane), self.token)
        return [_spec(row) for row in sql.rows_of(self.env.cr, statement)]

    @_transaction
    def claim(self, wants: Sequence[Want]) -> list[Claimed]:
        """Claim due messages of owned endpoints."""
        rows = [{"endpoint_id": w.endpoint_id, "n": w.n} for w in wants]
        found = sql.rows_of(self.env.cr, queue.claim(rows, self.token))
        return [Claimed.of(row) for row in found]

    @_transaction
    def release(self, messages: Sequence[Claimed], blocked: bool = False) -> None:
        """Give claimed messages back."""
        ids = [message.message_id for message in messages]
        sql.run(self.env.cr, queue.release(ids, self.token, blocked))

    # -- recording -----------------------------------------------------------------

    def record(
        self, results: Sequence[Result], health: Mapping[int, Mapping[str, Any]]
    ) -> None:
        """Write results in one transaction; if it fails, each in one of its own."""
        results = [result for result in results if not result.report.recorded]
        if not results:
            return
        try:
            changed = self._record(results, health)
        except StoreLost:
            raise
        except (
            Exception
        ) as exc:  # one result the database refuses must not cost the others
            _logger.error(
                "%s results are recorded one by one: %s", len(results), where(exc)
            )
            changed = record.Changed()
            for result in results:
                changed.update(self._record_one(result))
        self._follow_up(changed)

    @_transaction
    def _record(self, results, health) -> record.Changed:
        return record.write(self.env, results, health, self.token)

    def _record_one(self, result: Result) -> record.Changed:
        try:
            return self._record([result], {})
        except StoreLost:
            raise
        except Exception as exc:
            number = result.claim.message_id
            _logger.error(
                "The result of message %s is recorded bare: %s", number, where(exc)
            )
            return self._record([record.bare(result)], {})

    def _follow_up(self, changed: record.Changed) -> None:
        """Open and close cases; the sweep repeats what fails here."""
        if not changed:
            return
        try:
            self._cases(changed)
        except StoreLost:
            raise
        except Exception as exc:
            _logger.error("Cases are left to the sweep: %s", where(exc))

    @_transaction
    def _cases(self, changed: record.Changed) -> None:
        record.follow_up(self.env, changed)


class SingleStore(DrainStore):
    """The store of a few messages that somebody wants processed at once.

    It needs no lane; the endpoint's lock keeps a drain away meanwhile.
    """

    def __init__(self, env, message_ids: Sequence[int]):
        super().__init__(env, "now")
        self._message_ids = list(message_ids)

    def lock(self) -> bool:
        """There is no lane to lock."""
        return True

    @_transaction
    def look(self) -> list[EndpointSpec]:
        """Return the endpoints of the messages that are unfinished and in no claim."""
        statement = SQL(
            "e.id IN (SELECT q.endpoint_id FROM integration_queue_entry q"
            " WHERE q.message_id = ANY(%s) AND (q.claim IS NULL OR q.claim = %s))",
            self._message_ids,
            self.token,
        )
        states = ("test", *RUNNING)
        rows = sql.rows_of(
            self.env.cr, endpoints_with_work(statement, self.token, states)
        )
        return [_spec(row) for row in rows]

    @_transaction
    def claim(self, wants: Sequence[Want]) -> list[Claimed]:
        """Claim those of the messages that are due."""
        endpoints = [want.endpoint_id for want in wants]
        statement = queue.claim_these(self._message_ids, endpoints, self.token)
        return [Claimed.of(row) for row in sql.rows_of(self.env.cr, statement)]


def endpoints_with_work(
    condition: SQL, token: str = "", states: Sequence[str] = RUNNING
) -> SQL:
    """Return the running endpoints with unfinished messages, and when they are due.

    Feeds are fetched by their partners; a drain only records those in shadow.

    :param condition: which endpoints, on the alias ``e``
    :param token: the caller's claim; messages in other claims count as orphaned
    """
    return SQL(
        """
        SELECT e.id, e.lane, due.due_in, COALESCE(claimed.foreign_claim, false) AS orphaned,
               p.concurrency, p.max_rate, p.burst, p.retry_schedule, p.retry_jitter,
               p.breaker_window, p.breaker_min_requests, p.breaker_failure_rate,
               p.breaker_open_seconds
          FROM integration_endpoint e
          JOIN integration_policy p ON p.id = e.policy_id
          JOIN integration_system s ON s.id = e.system_id
         CROSS JOIN LATERAL (
            SELECT EXTRACT(epoch FROM min(f.due_at) - %(now)s)::float8 AS due_in
              FROM (VALUES (0), (1), (2)) AS u(priority)
             CROSS JOIN LATERAL (
                SELECT q.due_at FROM integration_queue_entry q
                 WHERE q.endpoint_id = e.id AND q.priority = u.priority
                   AND q.claim IS NULL AND q.due_at IS NOT NULL
                 ORDER BY q.due_at, q.seq LIMIT 1) f) due
         CROSS JOIN LATERAL (
            SELECT bool_or(q.claim <> %(token)s) AS foreign_claim
              FROM integration_queue_entry q
             WHERE q.endpoint_id = e.id AND q.claim IS NOT NULL) claimed
         WHERE %(condition)s AND e.active AND s.active
           AND (e.transport <> 'feed' OR e.state = 'shadow')
           AND e.state = ANY(%(states)s) AND s.environment = %(environment)s
           AND (due.due_in IS NOT NULL OR claimed.foreign_claim IS NOT NULL)
         ORDER BY e.id
        """,
        now=sql.NOW,
        token=token,
        condition=condition,
        states=list(states),
        environment=runtime.database_environment(),
    )


def _spec(row: Mapping[str, Any]) -> EndpointSpec:
    return EndpointSpec(
        id=row["id"],
        due_in=row["due_in"],
        orphaned=row["orphaned"],
        concurrency=max(1, row["concurrency"]),
        rate=max(0.0, float(row["max_rate"] or 0)),
        burst=max(1, row["burst"]),
        schedule=_schedule(
            row["retry_schedule"] or "", float(row["retry_jitter"] or 0)
        ),
        breaker_window=float(row["breaker_window"]),
        breaker_min_requests=row["breaker_min_requests"],
        breaker_failure_rate=float(row["breaker_failure_rate"]),
        breaker_open_seconds=float(row["breaker_open_seconds"]),
    )


@lru_cache(maxsize=256)
def _schedule(text: str, jitter: float) -> RetrySchedule:
    try:
        return RetrySchedule.parse(text, jitter)
    except ValueError:
        _logger.error("The retry schedule %r cannot be read; the default is used", text)
        return RetrySchedule.parse("5s 5m 30m 2h 5h 10h 14h 20h 24h", jitter)
