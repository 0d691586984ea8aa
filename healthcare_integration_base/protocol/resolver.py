# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Name resolution that never outlives its caller.

``getaddrinfo`` cannot be interrupted and may hang for half a minute. Threads of
an executor are joined when a loop or the process ends, so each lookup gets a
daemon thread; their number is bounded, and lookups of one name are shared, so
that one dead name server cannot use up all of them.
"""

from __future__ import annotations

import os
import socket
import threading
from concurrent import futures
from concurrent.futures import Future
from typing import Any

from .errors import TransportError

AddrInfo = tuple[Any, Any, int, str, tuple[Any, ...]]
MAX_LOOKUPS = 64

_lock = threading.Lock()
_pending: dict[tuple[str, int], Future[list[AddrInfo]]] = {}


def _reset() -> None:
    # the threads of the parent do not exist in a forked child
    global _lock
    _lock = threading.Lock()
    _pending.clear()


os.register_at_fork(after_in_child=_reset)


def lookup(host: str, port: int) -> Future[list[AddrInfo]]:
    """Return the future answer of ``getaddrinfo`` for TCP.

    :raises TransportError: resolver_busy if too many lookups hang already
    """
    key = (host, port)
    with _lock:
        if key in _pending:
            return _pending[key]
        if len(_pending) >= MAX_LOOKUPS:
            raise TransportError(
                "Too many name lookups are waiting", code="resolver_busy"
            )
        future: Future[list[AddrInfo]] = Future()
        future.set_running_or_notify_cancel()
        _pending[key] = future
    threading.Thread(
        target=_run, args=(key, future), name="hib-resolver", daemon=True
    ).start()
    return future


def resolve(host: str, port: int, timeout: float) -> list[str]:
    """Return the addresses of a name, in the system's order of preference.

    :raises OSError: if the name does not resolve
    :raises TimeoutError: if the name server does not answer in time
    """
    try:
        infos = lookup(host, port).result(timeout)
    except futures.TimeoutError:  # another class than the built-in before Python 3.11
        raise TimeoutError from None
    return list(dict.fromkeys(str(info[4][0]) for info in infos))


def _run(key: tuple[str, int], future: Future[list[AddrInfo]]) -> None:
    try:
        answer = socket.getaddrinfo(key[0], key[1], type=socket.SOCK_STREAM)
    except Exception as exc:
        # UnicodeError for names that are no names counts as "does not resolve"
        failure = (
            exc
            if isinstance(exc, OSError)
            else socket.gaierror(socket.EAI_NONAME, "bad name")
        )
        _forget(key)
        future.set_exception(failure)
    else:
        _forget(key)
        future.set_result(answer)


def _forget(key: tuple[str, int]) -> None:
    with _lock:
        _pending.pop(key, None)
