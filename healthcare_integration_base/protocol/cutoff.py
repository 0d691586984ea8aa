# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Cut off Python code that runs too long, in any thread.

Signals reach the main thread only, and work runs in others. One watcher thread
raises an exception inside the thread that is late (``PyThreadState_SetAsyncExc``).
It arrives between two byte codes: endless Python loops end, a single long call
into C does not; callers must bound those.
"""

from __future__ import annotations

import ctypes
import os
import threading
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

AGAIN = 1.0


class _CutOff(BaseException):
    """Not an Exception, so that the code under watch cannot swallow it."""


class Watch:
    """One running call. ``shield`` runs code that must not be interrupted."""

    def __init__(self, seconds: float):
        self.deadline = time.monotonic() + seconds
        self._thread_id = threading.get_ident()
        self._shielded = False
        self._fire_at = self.deadline
        self._fired = False

    def check(self) -> None:
        """:raises TimeoutError: if the deadline passed; cheap enough for each step"""
        if time.monotonic() > self.deadline:
            raise TimeoutError

    def shield(self, function: Callable[[], T]) -> T:
        """Run ``function`` (such as a database query) without interruption."""
        with _watcher.lock:
            self._shielded = True
        try:
            return function()
        finally:
            with _watcher.lock:
                self._shielded = False
            self.check()

    def fire(self, now: float) -> None:
        """Raise in the watched thread if it is late. The caller holds the lock.

        Again after a second: an exception that hits a callback of the garbage
        collector or a ``__del__`` is lost.
        """
        if now > self._fire_at and not self._shielded:
            self._fired, self._fire_at = True, now + AGAIN
            _raise_in(self._thread_id, _CutOff)

    def disarm(self) -> None:
        """Take back an exception that is not delivered yet. The caller holds the lock."""
        if self._fired:
            _raise_in(self._thread_id, None)


class _Watcher:
    INTERVAL = 0.05

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Start anew: in a forked child neither the thread nor the lock's owner exists."""
        self.lock = threading.Lock()
        self._work = threading.Event()
        self._watches: set[Watch] = set()
        self._thread: threading.Thread | None = None

    def add(self, watch: Watch) -> None:
        with self.lock:
            self._watches.add(watch)
            if self._thread is None:
                self._thread = threading.Thread(
                    target=self._run, name="hib-cutoff", daemon=True
                )
                self._thread.start()
        self._work.set()

    def remove(self, watch: Watch) -> None:
        with self.lock:
            self._watches.discard(watch)
            watch.disarm()

    def _run(self) -> None:
        while True:
            self._work.wait()
            self._look()
            time.sleep(self.INTERVAL)

    def _look(self) -> None:
        now = time.monotonic()
        with self.lock:
            if not self._watches:
                self._work.clear()
            for watch in self._watches:
                watch.fire(now)


_watcher = _Watcher()
os.register_at_fork(after_in_child=_watcher.reset)


def run_for(seconds: float, function: Callable[[Watch], T]) -> T:
    """Return ``function(watch)``, or raise TimeoutError about when time is up.

    :raises TimeoutError: the call was cut off
    """
    watch = Watch(seconds)
    try:
        try:
            _watcher.add(watch)
            return function(watch)
        finally:
            _watcher.remove(watch)
    except _CutOff:
        _remove_surely(watch)  # it may have hit inside the first remove
        raise TimeoutError from None


def _remove_surely(watch: Watch) -> None:
    while True:
        try:
            return _watcher.remove(watch)
        except _CutOff:
            continue


def _raise_in(thread_id: int, kind: type[BaseException] | None) -> None:
    target = ctypes.py_object(kind) if kind else None
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread_id), target)
