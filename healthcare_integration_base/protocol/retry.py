# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""The retry schedule: when the next attempt is due, if there is one."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass

from .classify import ErrorClass, Outcome

DEFAULT = "5s 5m 30m 2h 5h 10h 14h 20h 24h"
TIMEOUT_FLOOR = 60.0  # a slow partner must not be hit again at once
MAX_STEPS = 100
MAX_DELAY = 30 * 86_400.0

_UNITS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
_WORD = re.compile(r"[^\s,]+")
_STEP = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,6})?)([smhd])")


class ScheduleError(ValueError):
    """A schedule cannot be read; ``position`` is the offset in the text."""

    def __init__(self, reason: str, position: int):
        super().__init__(f"{reason} at character {position + 1}")
        self.position = position


@dataclass(frozen=True)
class RetrySchedule:
    """Delays after the first, second, … failed attempt, in seconds.

    :param jitter: relative spread of each delay, so that many messages that
        failed together do not come back together
    """

    delays: tuple[float, ...]
    jitter: float = 0.2

    @classmethod
    def parse(cls, text: str, jitter: float = 0.2) -> RetrySchedule:
        """Read ``5s 5m 2h 1d``; an empty text means no retry.

        :raises ScheduleError: a ValueError that names the position
        """
        delays = tuple(_parse_step(match) for match in _WORD.finditer(text or ""))
        if len(delays) > MAX_STEPS:
            raise ScheduleError(f"More than {MAX_STEPS} delays", len(text))
        return cls(delays, jitter)

    def format(self) -> str:
        """Return the text that ``parse`` reads back to the same delays."""
        return " ".join(_format_step(delay) for delay in self.delays)

    def next_delay(
        self, attempt_no: int, outcome: Outcome, rng: random.Random
    ) -> float | None:
        """Return the seconds until the next attempt, None if there is none.

        :param attempt_no: number of the attempt that just failed, from 1
        :param rng: source of jitter; same seed, same delays
        """
        if not outcome.retryable or not 1 <= attempt_no <= len(self.delays):
            return None
        delay = self.delays[attempt_no - 1] * rng.uniform(
            1 - self.jitter, 1 + self.jitter
        )
        return max(delay, _floor(outcome))


def _floor(outcome: Outcome) -> float:
    timeout = TIMEOUT_FLOOR if outcome.error_class is ErrorClass.TIMEOUT else 0.0
    return max(timeout, outcome.retry_after or 0.0)


def _parse_step(match: re.Match[str]) -> float:
    step = _STEP.fullmatch(match[0])
    if not step:
        raise ScheduleError(
            "A delay is a number with s, m, h or d, such as 30s; something else",
            match.start(),
        )
    delay = float(step[1]) * _UNITS[step[2]]
    if delay > MAX_DELAY:
        raise ScheduleError("A delay of more than 30 days", match.start())
    return delay


def _format_step(delay: float) -> str:
    for unit in ("d", "h", "m"):
        if delay and delay % _UNITS[unit] == 0:
            return f"{delay / _UNITS[unit]:.0f}{unit}"
    return f"{delay:.6f}".rstrip("0").rstrip(".") + "s"
