# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""The circuit breaker (scenario 22 of the webhook scenarios)."""

import json

from hib.protocol.breaker import Breaker
from hypothesis import given
from hypothesis import strategies as st

NOW = 1_000_000.0


def after(results, now=NOW, **settings):
    breaker = Breaker(**settings)
    for ok in results:
        assert breaker.allow(now)
        breaker.record(ok, now)
    return breaker


def opened(now=NOW):
    return after([True] * 3 + [False] * 7, now)


def test_seven_of_ten_failures_open_it():
    assert opened().state(NOW) == "open"
    assert not opened().allow(NOW)
    assert opened().open_until == NOW + 30


def test_six_of_ten_do_not():
    assert after([True] * 4 + [False] * 6).state(NOW) == "closed"


def test_too_few_requests_do_not():
    assert after([False] * 9).state(NOW) == "closed"
    assert after([False] * 9).allow(NOW)


def test_half_open_lets_one_probe_pass():
    breaker = opened()
    assert breaker.state(NOW + 29.9) == "open"
    assert breaker.state(NOW + 30) == "half_open"
    assert breaker.allow(NOW + 30)
    assert not breaker.allow(NOW + 30)


def test_success_of_the_probe_closes_and_forgets():
    breaker = opened()
    breaker.allow(NOW + 30)
    breaker.record(True, NOW + 31)
    assert breaker.state(NOW + 31) == "closed" and breaker.open_until is None
    breaker.record(False, NOW + 31)
    assert breaker.state(NOW + 31) == "closed"


def test_failure_of_the_probe_opens_again():
    breaker = opened()
    breaker.allow(NOW + 30)
    breaker.record(False, NOW + 31)
    assert breaker.state(NOW + 60) == "open"
    assert breaker.state(NOW + 61) == "half_open"
    assert breaker.allow(NOW + 61)


def test_a_lost_probe_does_not_block_forever():
    breaker = opened()
    assert breaker.allow(NOW + 30)
    assert not breaker.allow(NOW + 59)
    assert breaker.allow(NOW + 60)


def test_results_that_come_late_neither_close_nor_prolong():
    breaker = opened()
    breaker.record(True, NOW + 5)
    breaker.record(False, NOW + 29)
    assert breaker.open_until == NOW + 30


def test_what_is_older_than_the_window_does_not_count():
    breaker = after([False] * 9)
    breaker.record(False, NOW + 301)
    assert breaker.state(NOW + 301) == "closed"


def test_failures_over_the_middle_of_a_window_count_together():
    breaker = after([False] * 5, now=NOW - NOW % 150 + 149)
    for _ in range(5):
        breaker.record(False, NOW - NOW % 150 + 151)
    assert breaker.state(NOW - NOW % 150 + 151) == "open"


def test_one_breaker_does_not_know_of_another():
    first, second = opened(), after([True] * 10)
    assert not first.allow(NOW) and second.allow(NOW)


def test_state_survives_json():
    for breaker in (opened(), after([False] * 9), Breaker()):
        copy = Breaker()
        copy.load(json.loads(json.dumps(breaker.dump())))
        assert copy.state(NOW) == breaker.state(NOW)
        copy.record(False, NOW)
        breaker.record(False, NOW)
        assert copy.dump() == breaker.dump()


def test_loading_nothing_closes():
    for nothing in (None, {}):
        breaker = opened()
        breaker.load(nothing)
        assert breaker.state(NOW) == "closed"


@given(st.lists(st.tuples(st.booleans(), st.floats(0, 100)), max_size=200))
def test_never_open_without_enough_failures_in_the_window(steps):
    """Whatever happens when, it opens only on 7 failures within its window."""
    breaker, now, seen = Breaker(), NOW, []
    for ok, wait in steps:
        now += wait
        was = breaker.state(now)
        if not breaker.allow(now):
            continue
        breaker.record(ok, now)
        seen.append((now, ok))
        if was == "closed" and breaker.state(now) == "open":
            recent = [good for at, good in seen if at > now - breaker.window]
            assert recent.count(False) >= 7


@given(st.lists(st.tuples(st.booleans(), st.floats(-50, 100)), max_size=100))
def test_a_clock_that_jumps_never_locks_it_for_good(steps):
    breaker, now = Breaker(), NOW
    for ok, wait in steps:
        now += wait
        if breaker.allow(now):
            breaker.record(ok, now)
    assert breaker.allow(now + 6_000)
