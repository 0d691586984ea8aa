# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Rate limits shared by processes: tokens are leased in batches and spent without asking.

The truth is a token bucket in a row of the database. A process takes a few tokens at a
time; what it has not spent within a second it gives back with its next visit. However
many processes there are, no more than ``burst + rate × seconds`` are ever handed out.
"""

from __future__ import annotations

import math
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

LEASE_SECONDS = 1.0
# A batch lasts for about this part of a second at the full rate.
BATCH_SECONDS = 0.2
MOST_LEASES = 10_000


@dataclass(frozen=True)
class Limit:
    """``rate`` per second and the size of the bucket."""

    rate: float
    burst: float

    @property
    def batch(self) -> int:
        """How many tokens a process takes at a time."""
        return max(1, math.floor(min(self.rate * BATCH_SECONDS, self.burst / 4)))


@dataclass(frozen=True)
class Grant:
    """What the row gave: tokens for this process, and what is left for all."""

    taken: int
    left: float


@dataclass(frozen=True)
class Verdict:
    """May this request go on, and what the caller should know about it.

    :param remaining: tokens that are left for it
    :param reset: seconds until the bucket is full again
    :param retry_after: seconds until the next token, for a refused one
    """

    granted: bool
    limit: Limit
    remaining: int = 0
    reset: int = 0
    retry_after: float = 0.0


# (key, limit, tokens given back) → Grant
Fetch = Callable[[str, Limit, int], Grant]


@dataclass
class _Lease:
    limit: Limit
    tokens: int = 0
    shared: float = 0.0
    at: float = -math.inf
    denied_until: float = -math.inf
    lock: threading.Lock = field(default_factory=threading.Lock)


class Leases:
    """The tokens one process holds. Safe to use from several threads."""

    def __init__(self) -> None:
        self._leases: OrderedDict[str, _Lease] = OrderedDict()
        self._lock = threading.Lock()

    def spend(self, key: str, limit: Limit, fetch: Fetch, now: float) -> Verdict:
        """Take one token.

        :param key: whose bucket
        :param fetch: takes a batch out of the shared row; called seldom
        :param now: seconds of a clock that only goes forward
        """
        lease = self._lease(key, limit)
        with lease.lock:
            if now < lease.denied_until:
                return _verdict(lease, now, granted=False)
            if not lease.tokens or now - lease.at >= LEASE_SECONDS:
                self._renew(key, lease, fetch, now)
            if not lease.tokens:
                wait = max(0.0, 1 - lease.shared) / limit.rate
                lease.denied_until = now + min(wait, LEASE_SECONDS)
                return _verdict(lease, now, granted=False)
            lease.tokens -= 1
            return _verdict(lease, now, granted=True)

    def refund(self, key: str) -> None:
        """Give back the token that was spent last."""
        lease = self._leases.get(key)
        if lease:
            with lease.lock:
                lease.tokens += 1

    def clear(self) -> None:
        """Forget all, for tests."""
        with self._lock:
            self._leases.clear()

    def _lease(self, key: str, limit: Limit) -> _Lease:
        with self._lock:
            lease = self._leases.get(key)
            if lease is None or lease.limit != limit:
                lease = self._leases[key] = _Lease(limit)
            self._leases.move_to_end(key)
            while len(self._leases) > MOST_LEASES:
                self._leases.popitem(last=False)
            return lease

    @staticmethod
    def _renew(key: str, lease: _Lease, fetch: Fetch, now: float) -> None:
        unspent, lease.tokens = lease.tokens, 0
        grant = fetch(key, lease.limit, unspent)
        lease.tokens, lease.shared, lease.at = grant.taken, grant.left, now


def _verdict(lease: _Lease, now: float, *, granted: bool) -> Verdict:
    limit = lease.limit
    shared = lease.shared + max(0.0, now - lease.at) * limit.rate
    left = min(limit.burst, lease.tokens + shared)
    return Verdict(
        granted,
        limit,
        remaining=math.floor(left) if granted else 0,
        reset=math.ceil(max(0.0, limit.burst - left) / limit.rate),
        retry_after=0.0 if granted else max(0.0, 1 - left) / limit.rate,
    )
