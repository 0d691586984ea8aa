# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""What a drain, its store and its processor tell each other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .classify import Outcome
from .retry import RetrySchedule


@dataclass(frozen=True)
class Options:
    """How a drain behaves; seconds.

    :param max_seconds: it claims nothing after that time
    :param linger: it stays that long when there is nothing to do
    :param hold_seconds: pause of an endpoint whose configuration is incomplete
    :param insist_seconds: it tries to record that long with the store away
    :param grace_seconds: it waits that long for what is under way when the server stops
    """

    max_seconds: float = 40.0
    linger: float = 5.0
    poll_min: float = 0.025
    poll_max: float = 0.25
    max_in_flight: int = 1000
    hold_seconds: float = 60.0
    insist_seconds: float = 30.0
    grace_seconds: float = 0.4


@dataclass(frozen=True)
class EndpointSpec:
    """An endpoint as far as a drain cares, read anew at every look.

    :param due_in: seconds until its first message is due (negative: overdue),
        None if none waits for a time
    :param orphaned: it has messages in the claim of a drain that is gone
    """

    id: int
    due_in: float | None = None
    orphaned: bool = False
    concurrency: int = 4
    rate: float = 0.0
    burst: int = 10
    schedule: RetrySchedule = RetrySchedule(())
    breaker_window: float = 300.0
    breaker_min_requests: int = 10
    breaker_failure_rate: float = 0.7
    breaker_open_seconds: float = 30.0
    version: str = ""

    def wake_at(self, now: float) -> float | None:
        """Return when its first message is due."""
        return None if self.due_in is None else now + self.due_in

    def has_work(self, now: float) -> bool:
        """Tell whether owning it makes sense now."""
        return self.orphaned or (self.due_in is not None and self.due_in <= 0)


@dataclass(frozen=True)
class Want:
    """Room for ``n`` messages of an endpoint."""

    endpoint_id: int
    n: int


@dataclass(frozen=True)
class Claimed:
    """A message that is ours until it is recorded or released.

    :param seq: its place in the order of its key
    :param attempts: attempts made so far
    :param user_id: who asked for this attempt by hand
    """

    message_id: int
    endpoint_id: int
    seq: int
    ordering_key: str | None = None
    priority: int = 1
    attempts: int = 0
    user_id: int | None = None

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Claimed:
        """Return the message of a row of the queue."""
        return cls(
            message_id=row["message_id"],
            endpoint_id=row["endpoint_id"],
            seq=row["seq"],
            ordering_key=row["ordering_key"],
            priority=row["priority"],
            attempts=row["attempts"] or 0,
            user_id=row["manual_user_id"],
        )


@dataclass(frozen=True)
class Report:
    """What a processor says about one message.

    :param error_class: overrides the outcome's, for example ``mapping``
    :param error: safe text for people, never a value of the payload
    :param final_state: of a message that got through: delivered, done, filtered, shadow
    :param charged: an attempt is recorded and counted
    :param wire: a request was made, so breaker and limiter count it
    :param recorded: the processor has written all of it itself
    :param details: what the store adds to the attempt and the message
    """

    outcome: Outcome
    error_class: str | None = None
    error: str | None = None
    final_state: str | None = None
    charged: bool = True
    wire: bool = True
    recorded: bool = False
    started_at: float = 0.0
    duration: float = 0.0
    details: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def failed(cls, outcome: Outcome, **kwargs: Any) -> Report:
        """Return the report of a failure; holding outcomes charge no attempt."""
        kwargs.setdefault("charged", not outcome.hold or outcome.disables)
        return cls(outcome, **kwargs)

    @property
    def klass(self) -> str | None:
        """The error class as it is stored."""
        if self.error_class or self.outcome.error_class is None:
            return self.error_class
        return self.outcome.error_class.value


@dataclass(frozen=True)
class Result:
    """What becomes of a message.

    :param number: of the attempt (of the last one when none was charged)
    :param state: its new state; ``pending`` means due again in ``due_in`` seconds
    """

    claim: Claimed
    report: Report
    number: int
    state: str
    due_in: float | None = None


class Postponed:
    """A processor had no time for a message: it is given back."""


POSTPONED = Postponed()
