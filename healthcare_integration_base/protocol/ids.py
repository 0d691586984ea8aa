# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""UUIDv7 (RFC 9562 §5.7): sortable by time, which keeps indexes compact.

Python up to 3.13 has no ``uuid.uuid7``.
"""

from __future__ import annotations

import re
import secrets
import threading
import time
import uuid

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_COUNTER_MAX = 0xFFF


class _Sequence:
    """A monotonic pair (milliseconds, 12-bit counter), RFC 9562 §6.2 method 1."""

    def __init__(self, never_back: bool) -> None:
        self._lock = threading.Lock()
        self._never_back = never_back
        self._ms = -1
        self._counter = 0

    def next(self, now_ms: int) -> tuple[int, int]:
        with self._lock:
            if self._never_back:
                now_ms = max(now_ms, self._ms)
            if now_ms != self._ms:
                # the upper bit stays free, so that a burst has room to count
                self._ms, self._counter = now_ms, secrets.randbits(11)
            elif self._counter < _COUNTER_MAX:
                self._counter += 1
            else:
                self._ms, self._counter = self._ms + 1, secrets.randbits(11)
            return self._ms, self._counter


_live = _Sequence(never_back=True)
_given = _Sequence(never_back=False)


def uuid7(now_ms: int | None = None) -> str:
    """Return a new UUIDv7 as 36 characters.

    Without ``now_ms`` the ids of one process only grow, even if the clock is
    set back. With ``now_ms`` (Unix milliseconds, for back-dated rows and
    tests) the id carries that time.
    """
    if now_ms is None:
        ms, counter = _live.next(time.time_ns() // 1_000_000)
    else:
        ms, counter = _given.next(now_ms)
    number = (ms & 0xFFFFFFFFFFFF) << 80
    number |= 0x7 << 76 | counter << 64 | 0b10 << 62 | secrets.randbits(62)
    return str(uuid.UUID(int=number))


def is_uuid(text: object) -> bool:
    """Return True for the 36-character form of any UUID version."""
    return isinstance(text, str) and _UUID.fullmatch(text) is not None
