# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Running a drain: its event loop, its database thread, its processors."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from dataclasses import replace
from functools import lru_cache
from typing import Any

from odoo.service.server import CommonServer
from odoo.tools import SQL, config

from .. import runtime
from ..protocol.drain import Drain, Ended, inline
from ..protocol.drain_types import POSTPONED, Claimed, Options, Report
from ..transports.http import run_sync
from . import sql
from .apply import ApplyProcessor
from .safe import where
from .send import Sender
from .store import DrainStore, SingleStore

_logger = logging.getLogger(__name__)

LONGEST_STAY = 40.0
_shutdown = threading.Event()
LINGER = 5.0


class WallClock:
    """Unix time."""

    def now(self) -> float:
        """Return the seconds since 1970."""
        return time.time()


class Dispatcher:
    """Lets every message be processed in its direction.

    :param processors: direction -> processor
    """

    def __init__(self, store: DrainStore, processors: Mapping[str, Any]):
        self._store, self._processors = store, processors

    def prepare(self, claimed: Sequence[Claimed]) -> dict[int, Any]:
        """Hand each message to the processor of its direction."""
        with self._store.transaction() as env:
            ids = [claim.message_id for claim in claimed]
            statement = SQL(
                "SELECT id, direction FROM integration_message WHERE id = ANY(%s)", ids
            )
            found = {
                row["id"]: row["direction"] for row in sql.rows_of(env.cr, statement)
            }
        result: dict[int, Any] = {}
        for direction, processor in self._processors.items():
            part = [
                claim for claim in claimed if found.get(claim.message_id) == direction
            ]
            for message_id, task in (processor.prepare(part) if part else {}).items():
                final = isinstance(task, Report) or task is POSTPONED
                ready = task if final else (processor, task)
                result[message_id] = ready
        return result

    async def process(self, task: Any) -> Report:
        """Let the processor do it."""
        processor, own = task
        return await processor.process(own)


class Applier:
    """Applies incoming messages in the database thread: it is all database work."""

    def __init__(self, store: DrainStore, call):
        self._inner, self._call = ApplyProcessor(store.env, store.token), call

    def prepare(self, claimed: Sequence[Claimed]) -> Mapping[int, Any]:
        """Load a batch."""
        return self._inner.prepare(claimed)

    async def process(self, task: Any) -> Report:
        """Apply one message, in a transaction of its own."""
        report = await self._call(self._inner.apply, task)
        return replace(
            report, final_state=report.final_state or self._inner.final_state
        )


def options(lanes: int = 0) -> Options:
    """Return how long drains of this server may stay.

    queue_job's own cursor holds a snapshot as long as the job runs, and the server
    restarts workers whose requests take too long. A lingering drain occupies a worker:
    with as many lanes as workers, nobody else would be served.
    """
    limits = [_configured_stay()]
    if config["limit_time_real"]:
        limits.append(config["limit_time_real"] / 3)
    if config["workers"] and config["limit_time_cpu"]:
        limits.append(config["limit_time_cpu"] / 2)
    return Options(max_seconds=min(limits), linger=_linger(lanes))


def _configured_stay() -> float:
    """Return the option ``drain_seconds``, at most and by default 40."""
    text = runtime.settings().get("drain_seconds") or ""
    try:
        return min(max(float(text), 1.0), LONGEST_STAY) if text else LONGEST_STAY
    except ValueError:
        _logger.error("Option drain_seconds of [healthcare_integration] is no number")
        return LONGEST_STAY


def _linger(lanes: int) -> float:
    workers = config["workers"]
    if not workers or workers > lanes:
        return LINGER
    _logger.warning(
        "%s workers for %s lanes: drains do not linger; set workers to more than the lanes",
        workers,
        lanes,
    )
    return 0.0


def longest_exchange() -> float:
    """Return how long one exchange may take, so that a drain ends in time."""
    limit = config["limit_time_real"] or 120
    return max(5.0, limit / 2 - 5)


def run_lane(
    env,
    lane: str,
    chosen: Options | None = None,
    *,
    threaded: bool = True,
    hand_over: Callable[[], Any] | None = None,
) -> Ended:
    """Drain a lane in this thread.

    :param threaded: database calls run in a thread of their own, so that a slow
        statement or mapping does not stop the clock of requests under way
    :param hand_over: called when its time is over and slow partners keep it: starts
        the next drain
    """
    return _run(DrainStore(env, lane), chosen or options(), threaded, hand_over)


def run_now(env, message_ids: Sequence[int], *, threaded: bool = True) -> Ended:
    """Process these messages at once, whatever the state of their endpoints."""
    chosen = Options(max_seconds=longest_exchange(), linger=0.0)
    return _run(SingleStore(env, message_ids), chosen, threaded)


def run_after_commit(env, message_ids: Sequence[int]) -> None:
    """Process messages at once, after the commit that made them; never raises."""
    try:
        run_now(env, message_ids)
    except Exception as exc:  # the user's work is committed; the message stays pending
        _logger.error("Messages %s were not sent: %s", list(message_ids), where(exc))


@lru_cache(maxsize=1)
def _watch_shutdown() -> None:
    """Let drains end with the server: it waits a second for requests under way."""
    CommonServer.on_stop(_shutdown.set)


def _run(
    store: DrainStore,
    chosen: Options,
    threaded: bool,
    hand_over: Callable[[], Any] | None = None,
) -> Ended:
    _watch_shutdown()
    executor = _database_thread(store.env.cr.dbname) if threaded else None
    try:
        longest = chosen.max_seconds + longest_exchange() + chosen.insist_seconds + 30
        return run_sync(_drain(store, chosen, executor, hand_over), longest)
    finally:
        if executor:
            executor.shutdown(wait=True)
        store.close()


def _database_thread(database: str) -> ThreadPoolExecutor:
    """Return an executor of one thread, whose log lines name the database."""

    def adopt() -> None:
        threading.current_thread().dbname = database

    return ThreadPoolExecutor(1, "integration-db", adopt)


async def _drain(store: DrainStore, chosen: Options, executor, hand_over) -> Ended:
    call = _in(executor) if executor else inline
    async with AsyncExitStack() as stack:
        sender = await stack.enter_async_context(
            Sender(store.transaction, longest_exchange())
        )
        processors = {"out": sender, "in": Applier(store, call)}
        drain = Drain(
            store,
            Dispatcher(store, processors),
            WallClock(),
            chosen,
            call=call,
            stopping=_shutdown.is_set,
            hand_over=hand_over,
        )
        return await drain.run()


def _in(executor: ThreadPoolExecutor):
    async def call(function, *args):
        return await asyncio.get_running_loop().run_in_executor(
            executor, function, *args
        )

    return call
