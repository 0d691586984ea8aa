# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""The retry schedule: parsing, jitter, floors, the end."""

import random

import pytest
from hib.protocol.classify import ErrorClass, Outcome
from hib.protocol.retry import DEFAULT, RetrySchedule, ScheduleError
from hypothesis import given
from hypothesis import strategies as st

SERVER = Outcome(False, ErrorClass.SERVER, "http_500", 500)
TIMEOUT = Outcome(False, ErrorClass.TIMEOUT, "timeout")
THROTTLED = Outcome(False, ErrorClass.THROTTLED, "http_429", 429, retry_after=120)
SCHEDULE = RetrySchedule.parse(DEFAULT)


def test_default_schedule():
    assert SCHEDULE.delays == (5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400)
    assert SCHEDULE.format() == "5s 5m 30m 2h 5h 10h 14h 20h 1d"


@pytest.mark.parametrize("attempt", range(1, 10))
def test_a_thousand_draws_stay_within_a_fifth(attempt):
    """Scenario 14."""
    rng = random.Random(attempt)
    base = SCHEDULE.delays[attempt - 1]
    draws = [SCHEDULE.next_delay(attempt, SERVER, rng) for _ in range(1_000)]
    assert all(0.8 * base <= delay <= 1.2 * base for delay in draws)
    assert max(draws) > 1.15 * base and min(draws) < 0.85 * base


def test_the_same_seed_gives_the_same_delays():
    """Scenario 14, second half."""

    def delays(seed):
        rng = random.Random(seed)
        return [SCHEDULE.next_delay(number, SERVER, rng) for number in range(1, 10)]

    assert delays(42) == delays(42) != delays(43)


def test_after_the_last_delay_there_is_none():
    rng = random.Random(1)
    assert SCHEDULE.next_delay(9, SERVER, rng) is not None
    assert SCHEDULE.next_delay(10, SERVER, rng) is None
    assert RetrySchedule.parse("").next_delay(1, SERVER, rng) is None


@pytest.mark.parametrize(
    "error_class", ["authentication", "contract", "rejected", "gone", "configuration"]
)
def test_what_is_not_retryable_has_no_next_delay(error_class):
    outcome = Outcome(False, ErrorClass(error_class), "x")
    assert SCHEDULE.next_delay(1, outcome, random.Random(1)) is None
    assert SCHEDULE.next_delay(1, Outcome(True, status=200), random.Random(1)) is None


@given(st.integers())
def test_after_a_timeout_at_least_a_minute(seed):
    assert SCHEDULE.next_delay(1, TIMEOUT, random.Random(seed)) >= 60


@given(st.integers())
def test_jitter_never_goes_below_what_the_partner_asked_for(seed):
    assert SCHEDULE.next_delay(1, THROTTLED, random.Random(seed)) >= 120
    assert SCHEDULE.next_delay(2, THROTTLED, random.Random(seed)) >= 240


@pytest.mark.parametrize(
    "text, delays",
    [
        ("", ()),
        ("  ", ()),
        ("1.5h", (5400,)),
        ("5s,1m , 1d", (5, 60, 86400)),
        ("0s", (0,)),
        ("30d", (30 * 86400,)),
    ],
)
def test_schedules_that_are_read(text, delays):
    assert RetrySchedule.parse(text).delays == delays


@pytest.mark.parametrize(
    "text, position",
    [
        ("5", 0),
        ("5s x", 3),
        ("5s 5m -1h", 6),
        ("5s 1w", 3),
        ("31d", 0),
        ("5s  1e3s", 4),
        ("5S", 0),
        ("٣s", 0),
    ],
)
def test_errors_name_the_position(text, position):
    with pytest.raises(ValueError, match=f"at character {position + 1}$") as caught:
        RetrySchedule.parse(text)
    assert caught.value.position == position


def test_a_schedule_has_an_end():
    with pytest.raises(ScheduleError):
        RetrySchedule.parse("1s " * 101)


@given(st.lists(st.integers(0, 30 * 86400).map(float), max_size=20))
def test_format_and_parse_agree(delays):
    schedule = RetrySchedule(tuple(delays))
    assert RetrySchedule.parse(schedule.format()).delays == schedule.delays


@given(st.text(max_size=60))
def test_random_text_only_raises_value_error(text):
    try:
        RetrySchedule.parse(text)
    except ValueError:
        pass
