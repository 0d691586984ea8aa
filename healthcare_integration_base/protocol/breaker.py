# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Circuit breaker of one endpoint, owned by one drain: a plain object.

Counts live in two buckets of half a window each, so nothing older than the
window is ever counted and the state stays four numbers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

State = Literal["closed", "open", "half_open"]


@dataclass
class _Bucket:
    start: float = 0.0
    total: int = 0
    failed: int = 0


class Breaker:
    """Stops sending to an endpoint that fails, and probes it now and then.

    :param window: seconds that count
    :param min_requests: fewer results than this never open the breaker
    :param failure_rate: share of failures from which it opens
    :param open_seconds: how long it stays open before one probe may pass
    """

    def __init__(
        self,
        window: float = 300,
        min_requests: int = 10,
        failure_rate: float = 0.7,
        open_seconds: float = 30,
    ):
        self.window, self.min_requests = window, min_requests
        self.failure_rate, self.open_seconds = failure_rate, open_seconds
        self._open_until: float | None = None
        self._probe_at: float | None = None
        self._older, self._newer = _Bucket(), _Bucket()

    @property
    def open_until(self) -> float | None:
        """When the next probe may pass; None while closed."""
        return self._open_until

    def state(self, now: float) -> State:
        """Return closed, open, or half_open (the next request is the probe)."""
        if self._open_until is None:
            return "closed"
        return "open" if now < self._open_until else "half_open"

    def allow(self, now: float) -> bool:
        """Return True if a request may be sent now.

        Half open, it says yes once: that request is the probe. A probe whose
        result never comes is forgotten after ``open_seconds``.
        """
        state = self.state(now)
        if state != "half_open":
            return state == "closed"
        if self._probe_at is not None and now - self._probe_at < self.open_seconds:
            return False
        self._probe_at = now
        return True

    def record(self, ok: bool, now: float) -> None:
        """Count the result of a request.

        While open, results of requests that were already under way change
        nothing. Half open, the result decides: closed, or open again.
        """
        state = self.state(now)
        if state == "half_open":
            self._close() if ok else self._open(now)
        elif state == "closed":
            self._count(ok, now)
            if self._too_many_failures():
                self._open(now)

    def dump(self) -> dict[str, Any]:
        """Return the state as JSON values, for the health row."""
        return {
            "open_until": self._open_until,
            "older": asdict(self._older),
            "newer": asdict(self._newer),
        }

    def load(self, state: Mapping[str, Any] | None) -> None:
        """Take over a dumped state; nothing or an empty one means closed."""
        state = state or {}
        self._open_until = state.get("open_until")
        self._probe_at = None
        self._older = _Bucket(**(state.get("older") or {}))
        self._newer = _Bucket(**(state.get("newer") or {}))

    def _count(self, ok: bool, now: float) -> None:
        self._rotate(now)
        self._newer.total += 1
        self._newer.failed += not ok

    def _rotate(self, now: float) -> None:
        half = self.window / 2
        age = now - self._newer.start
        if 0 <= age < half:
            return
        self._older = self._newer if 0 <= age < self.window else _Bucket()
        self._newer = _Bucket(start=now - now % half)

    def _too_many_failures(self) -> bool:
        total = self._older.total + self._newer.total
        failed = self._older.failed + self._newer.failed
        return total >= self.min_requests and failed >= self.failure_rate * total

    def _open(self, now: float) -> None:
        self._open_until = now + self.open_seconds
        self._probe_at = None

    def _close(self) -> None:
        self._open_until = self._probe_at = None
        self._older, self._newer = _Bucket(), _Bucket()
