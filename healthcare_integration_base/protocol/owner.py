# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""An endpoint in the hands of the drain that owns it: backlog, order, breaker, limiter."""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from .breaker import Breaker
from .drain_types import Claimed, EndpointSpec, Report, Result
from .limiter import TokenBucket

PREFETCH = 4  # claimed ahead, per request slot, so that claims come in batches
NEVER = float("inf")


@dataclass(frozen=True)
class Job:
    """A claimed message with what its processor prepared."""

    claim: Claimed
    task: Any


class Owner:
    """Decides what of one endpoint may be sent now, and in which order."""

    def __init__(self, spec: EndpointSpec, health: Mapping[str, Any], now: float):
        self.spec = spec
        self.gone = False
        self.floor_at = float(health.get("floor_at") or 0.0)
        self.hold_at = 0.0
        self.in_flight = 0
        self.failing_since: float | None = health.get("failing_since")
        self.last_success_at: float | None = None
        self.last_failure_at: float | None = None
        self.breaker = _breaker(spec)
        self.breaker.load(health.get("breaker"))
        self.bucket = TokenBucket(spec.rate, spec.burst)
        self.bucket.load(health.get("bucket"))
        # a run of one key is a list: its first is next, the others follow it
        self._backlog: deque[deque[Job]] = deque()
        self._followers: dict[int, deque[Job]] = {}
        self._blocked: list[Job] = []

    # -- what may be done ------------------------------------------------------

    def renew(self, spec: EndpointSpec | None, now: float) -> None:
        """Take over the configuration as it is now; None: it may not run."""
        self.gone = spec is None
        if spec is None:
            return
        if (spec.rate, spec.burst) != (self.spec.rate, self.spec.burst):
            self.bucket.reconfigure(spec.rate, spec.burst, now)
        self.breaker.window = spec.breaker_window
        self.breaker.min_requests = spec.breaker_min_requests
        self.breaker.failure_rate = spec.breaker_failure_rate
        self.breaker.open_seconds = spec.breaker_open_seconds
        self.spec = spec

    def gate(self, now: float) -> float:
        """Return until when nothing may be sent; not later than ``now`` if it may."""
        if self.gone:
            return NEVER
        return max(self.floor_at, self.hold_at, self.breaker.open_until or 0.0)

    def wake_at(self, now: float) -> float | None:
        """Return when something can be done for a waiting message, None if none waits."""
        due_at = self.spec.wake_at(now)
        if due_at is None or self.gone:
            return None
        return max(due_at, self.gate(now), self.bucket.next_at(now) or 0.0)

    def room(self, now: float) -> int:
        """Return how many messages to claim."""
        due_in = self.spec.due_in
        if self.gate(now) > now or due_in is None or due_in > 0:
            return 0
        waiting = self.waiting
        if self.breaker.state(now) == "half_open":
            return int(not waiting and not self.in_flight)
        room = self.spec.concurrency * (1 + PREFETCH) - self.in_flight - waiting
        tokens = self.bucket.take(max(room, 0), now)
        self.bucket.put_back(tokens)
        return max(0, min(room, tokens - waiting if self.bucket.rate else room))

    @property
    def waiting(self) -> int:
        """Claimed and not under way."""
        return sum(map(len, self._backlog)) + sum(map(len, self._followers.values()))

    def next_job(self, now: float) -> Job | None:
        """Return the job to start now, None if there is none or it may not start."""
        if (
            not self._backlog
            or self.in_flight >= self.spec.concurrency
            or self.gate(now) > now
        ):
            return None
        if not self.bucket.take(1, now):
            return None
        if not self.breaker.allow(now):
            self.bucket.put_back(1)
            return None
        run = self._backlog.popleft()
        job = run.popleft()
        if run:
            self._followers[job.claim.message_id] = run
        self.in_flight += 1
        return job

    # -- what happened -----------------------------------------------------------

    def add(self, jobs: Iterable[Job]) -> None:
        """Queue jobs: urgent ones first, those of one ordering key one after the other.

        The claim hands out a key only when nothing older of it is unfinished,
        so no run of it can be here already.
        """
        runs: dict[Hashable, deque[Job]] = {}
        for job in sorted(jobs, key=lambda job: job.claim.seq):
            key = job.claim.ordering_key
            group = ("key", key) if key is not None else ("one", job.claim.message_id)
            runs.setdefault(group, deque()).append(job)
        urgency = lambda run: min(job.claim.priority for job in run)  # noqa: E731
        self._backlog.extend(sorted(runs.values(), key=urgency))

    def settle(
        self, job: Job, report: Report, result: Result, now: float, hold_seconds: float
    ) -> None:
        """Take in a result: slots, breaker, floors, and the followers of its key."""
        self.in_flight -= 1
        outcome = report.outcome
        if report.wire and report.charged:
            self._count(not outcome.retryable, now)
        if outcome.retry_after and report.wire:  # a partner asked, not a handler
            self.floor_at = max(self.floor_at, now + outcome.retry_after)
        if outcome.disables:
            self.gone = True
        elif outcome.hold:
            self.hold_at = now + hold_seconds
        run = self._followers.pop(job.claim.message_id, None)
        if run and result.state in ("pending", "dead"):
            self._blocked.extend(run)
        elif run:
            self._backlog.appendleft(run)

    def _count(self, ok: bool, now: float) -> None:
        self.breaker.record(ok, now)
        if ok:
            self.last_success_at, self.failing_since = now, None
        else:
            self.last_failure_at = now
            self.failing_since = self.failing_since or now

    def take_backlog(self) -> list[Job]:
        """Hand out the jobs that are not under way, to be released."""
        jobs = [job for run in self._backlog for job in run]
        self._backlog.clear()
        return jobs

    def take_blocked(self) -> list[Job]:
        """Hand out the jobs whose predecessor has not got through."""
        jobs, self._blocked = self._blocked, []
        return jobs

    def dump(self) -> dict[str, Any]:
        """Return the state for the health row."""
        return {
            "breaker": self.breaker.dump(),
            "bucket": self.bucket.dump(),
            "open_until": self.breaker.open_until,
            "floor_at": self.floor_at or None,
            "failing_since": self.failing_since,
            "last_success_at": self.last_success_at,
            "last_failure_at": self.last_failure_at,
        }


def _breaker(spec: EndpointSpec) -> Breaker:
    return Breaker(
        spec.breaker_window,
        spec.breaker_min_requests,
        spec.breaker_failure_rate,
        spec.breaker_open_seconds,
    )
