# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Waking lanes from requests: after each commit, but not once per request.

A thread of the process looks after the lanes that were rung for. It takes them *before*
it looks whether they are drained, so each message committed before its ring is seen by a
look that began after it: one look may serve many messages, none is missed. What a killed
process leaves unlooked for is found by the sweep, as ever.
"""

from __future__ import annotations

import atexit
import logging
import os
import threading
from collections.abc import Iterable

import psycopg2

from odoo import SUPERUSER_ID, api
from odoo.modules import module
from odoo.modules.registry import Registry
from odoo.sql_db import Cursor

from .. import runtime
from .safe import where

_logger = logging.getLogger(__name__)

# Seconds between two looks. A lane that was drained or enqueued a moment ago sees what came
# since: looking more often only takes time from the requests.
PAUSE = 0.2
IDLE = 10.0  # the thread ends after so many seconds without a ring


class Bell:
    """The lanes of one database that wait for a look."""

    def __init__(self, database: str):
        self._database = database
        self._lock = threading.Lock()
        self._rung = threading.Event()
        self._closing = threading.Event()
        self._lanes: set[str] = set()
        self._thread: threading.Thread | None = None

    def ring(self, lanes: Iterable[str]) -> None:
        """Have the lanes looked after; what is committed by now will be seen."""
        with self._lock:
            self._lanes.update(lanes)
            if self._thread is None:
                self._thread = threading.Thread(
                    target=self._watch, name="integration-wake", daemon=True
                )
                self._thread.start()
        self._rung.set()

    def close(self) -> None:
        """Look after what was rung for, before the process ends."""
        self._closing.set()
        self._rung.set()
        thread = self._thread
        if thread and thread.is_alive():
            thread.join(2)
        self.look()

    def _watch(self) -> None:
        threading.current_thread().dbname = self._database
        while self._rung.wait(IDLE) or not self._is_idle():
            self._rung.clear()
            self.look()
            if self._closing.wait(PAUSE):
                break

    def _is_idle(self) -> bool:
        """Give the thread up, unless somebody has just rung."""
        with self._lock:
            if not self._lanes:
                self._thread = None
            return not self._lanes

    def look(self) -> None:
        """Enqueue a drain for each lane that was rung for and that nobody drains."""
        with self._lock:
            lanes, self._lanes = self._lanes, set()
        if not lanes:
            return
        try:
            self._enqueue(lanes)
        except psycopg2.Error as exc:
            _logger.warning("The wake-up is left to the sweep (%s)", exc.pgcode)
        except Exception as exc:  # the thread must live for the next ring
            _logger.error("The wake-up is left to the sweep: %s", where(exc))

    def _enqueue(self, lanes: set[str]) -> None:
        registry = Registry(self._database)
        with registry.cursor() as cr:
            origin = api.Environment(cr, SUPERUSER_ID, {})
            with runtime.autonomous(origin) as env:
                env["integration.drain"]._enqueue_lanes(lanes)


_bells: dict[tuple[int, str], Bell] = {}


def ring(env, lanes: Iterable[str]) -> None:
    """Have lanes drained whose messages are committed.

    :param env: of a request; in a test, whose connection nobody else may use meanwhile
        and which may be over when the thread looks, the wake-up is made after its
        commit, in the same thread
    """
    if module.current_test or not isinstance(env.cr, Cursor):
        env["integration.drain"]._wake(set(lanes))
        return
    key = (
        os.getpid(),
        env.cr.dbname,
    )  # a forked process has none of its parent's threads
    bell = _bells.get(key) or _bells.setdefault(key, Bell(env.cr.dbname))
    bell.ring(lanes)


@atexit.register
def _close_all() -> None:
    for (pid, _database), bell in _bells.items():
        if pid == os.getpid():
            bell.close()
