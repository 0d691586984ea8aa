# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Applying a stored message while its sender waits.

It goes the way of *Send now*: the endpoint's lock and the claim of its queue entry keep a
drain from doing the same. What is not done in time goes on, in its thread or in the drain.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from odoo.sql_db import Cursor
from odoo.tools import SQL

from ..runtime import autonomous
from . import run, sql, wake
from .safe import where

_logger = logging.getLogger(__name__)

PAUSE_MIN, PAUSE_MAX = 0.02, 0.2
SERVED = ("test", "shadow", "active")  # endpoints whose messages are applied on demand


@dataclass(frozen=True)
class _Now:
    """How a message stands."""

    id: int
    lane: str
    pending: bool
    hopeless: bool  # nobody will apply it within seconds


def apply(env, uid: str, seconds: float) -> None:
    """Have a stored message applied, and wait for it.

    :param env: of the request; it must not have changed anything. Its transaction ends here.
    :param float seconds: the caller waits no longer
    """
    env.cr.commit()  # pylint: disable=invalid-commit
    deadline = time.monotonic() + seconds
    now = _look(env, uid)
    pause = PAUSE_MIN
    while now and now.pending and not now.hopeless:
        _try(env, now.id, deadline)
        now = _look(env, uid)
        if not (now and now.pending) or time.monotonic() + pause >= deadline:
            break
        time.sleep(pause)  # an older message, or a drain, has the endpoint
        pause = min(2 * pause, PAUSE_MAX)
    if now and now.pending:
        wake.ring(env, {now.lane})
    env.cr.commit()  # pylint: disable=invalid-commit
    env.invalidate_all()


def _look(env, uid: str) -> _Now | None:
    statement = SQL(
        "SELECT m.id, e.lane, m.state = 'pending' AS pending,"
        " m.attempt_count > 0 OR NOT e.state = ANY(%s) AS hopeless"
        " FROM integration_message m JOIN integration_endpoint e ON e.id = m.endpoint_id"
        " WHERE m.uid = %s",
        list(SERVED),
        uid,
    )
    with autonomous(env) as own:
        return next((_Now(**row) for row in sql.rows_of(own.cr, statement)), None)


def _try(env, message_id: int, deadline: float) -> None:
    """Apply it, in a thread that may outlive the deadline: a handler cannot be cut off."""
    if not isinstance(env.cr, Cursor):  # a test's session: nobody else may use it now
        run.run_now(env, [message_id], threaded=False)
        return
    thread = _Thread(env.cr.dbname, lambda: run.run_after_commit(env, [message_id]))
    thread.start()
    thread.join(max(0.0, deadline - time.monotonic()))


class _Thread(threading.Thread):
    """A thread whose log lines name the database."""

    def __init__(self, database: str, work: Callable[[], None]):
        super().__init__(name="integration-sync", daemon=True)
        self.dbname, self._work = database, work

    def run(self) -> None:
        """Do the work; the message stays pending if it fails."""
        try:
            self._work()
        except Exception as exc:
            _logger.error("A message was not applied at once: %s", where(exc))
