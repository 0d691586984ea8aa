# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Token bucket of one endpoint, owned by one drain: exact and without locks."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

# Adding up fractions of a token loses a little: 0.1 ten times is below 1.
_EPSILON = 1e-9


class TokenBucket:
    """Admits at most ``burst + rate × seconds`` requests in any time span.

    :param rate: requests per second; 0 means unlimited
    :param burst: size of the bucket, at least 1
    """

    def __init__(self, rate: float = 0.0, burst: float = 1.0):
        self.rate, self.burst = _checked(rate, burst)
        self._tokens = self.burst
        self._at: float | None = None

    def take(self, n: int, now: float) -> int:
        """Take up to ``n`` tokens and return how many were granted."""
        if n <= 0:
            return 0
        if not self.rate:
            return n
        self._refill(now)
        granted = min(n, math.floor(self._tokens + _EPSILON))
        self._tokens -= granted
        return granted

    def next_at(self, now: float) -> float | None:
        """Return when the next token is there (``now`` if it is), None if unlimited."""
        if not self.rate:
            return None
        self._refill(now)
        missing = 1 - self._tokens
        return now if missing <= _EPSILON else now + missing / self.rate

    def put_back(self, n: int) -> None:
        """Return tokens that were taken and not used."""
        self._tokens = min(self.burst, self._tokens + max(n, 0))

    def reconfigure(self, rate: float, burst: float, now: float) -> None:
        """Change the limit; what was saved up beyond the new burst is lost."""
        if self.rate:
            self._refill(now)
        self.rate, self.burst = _checked(rate, burst)
        self._tokens = min(self._tokens, self.burst)
        self._at = now

    def dump(self) -> dict[str, Any]:
        """Return the state as JSON values, for the health row."""
        return {"tokens": self._tokens, "at": self._at}

    def load(self, state: Mapping[str, Any] | None) -> None:
        """Take over a dumped state; nothing or an empty one means a full bucket."""
        state = state or {}
        tokens = state.get("tokens")
        self._tokens = self.burst if tokens is None else min(float(tokens), self.burst)
        self._at = state.get("at")

    def _refill(self, now: float) -> None:
        # a clock set back adds nothing and counts anew from there
        elapsed = max(0.0, now - self._at) if self._at is not None else 0.0
        self._tokens = min(self.burst, self._tokens + elapsed * self.rate)
        self._at = now


def _checked(rate: float, burst: float) -> tuple[float, float]:
    if not (math.isfinite(rate) and math.isfinite(burst)) or rate < 0:
        raise ValueError("The rate must be a number that is not negative")
    return float(rate), max(1.0, float(burst))
