# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""The token bucket (scenario 23 of the webhook scenarios)."""

import json

import pytest
from hib.protocol.limiter import TokenBucket
from hypothesis import given
from hypothesis import strategies as st

NOW = 1_000_000.0


def test_allows_the_burst_then_denies():
    bucket = TokenBucket(rate=2, burst=3)
    assert [bucket.take(1, NOW) for _ in range(4)] == [1, 1, 1, 0]


def test_grants_a_part_of_what_was_asked():
    assert TokenBucket(rate=2, burst=3).take(10, NOW) == 3


def test_zero_means_unlimited():
    bucket = TokenBucket(rate=0, burst=1)
    assert bucket.take(10_000, NOW) == 10_000
    assert bucket.next_at(NOW) is None


def test_refills_by_the_rate_up_to_the_burst():
    bucket = TokenBucket(rate=2, burst=3)
    bucket.take(3, NOW)
    assert bucket.take(3, NOW + 0.4) == 0
    assert bucket.take(3, NOW + 0.5) == 1
    assert bucket.take(9, NOW + 1_000) == 3


def test_next_at_is_when_a_token_is_there():
    bucket = TokenBucket(rate=4, burst=1)
    assert bucket.next_at(NOW) == NOW
    bucket.take(1, NOW)
    due = bucket.next_at(NOW)
    assert due == pytest.approx(NOW + 0.25)
    assert bucket.take(1, due) == 1


@given(
    st.floats(0.01, 1_000), st.floats(1, 100), st.lists(st.floats(0, 5), max_size=50)
)
def test_waiting_until_next_at_always_helps(rate, burst, waits):
    bucket, now = TokenBucket(rate, burst), NOW
    for wait in waits:
        now += wait
        bucket.take(3, now)
        now = max(now, bucket.next_at(now) + 1e-6)
        assert bucket.take(1, now) == 1


def test_put_back_never_exceeds_the_burst():
    bucket = TokenBucket(rate=1, burst=3)
    bucket.take(2, NOW)
    bucket.put_back(1)
    assert bucket.take(9, NOW) == 2
    bucket.put_back(50)
    assert bucket.take(9, NOW) == 3
    bucket.put_back(-5)
    assert bucket.take(9, NOW) == 0


def test_taking_nothing_takes_nothing():
    bucket = TokenBucket(rate=1, burst=1)
    assert bucket.take(0, NOW) == bucket.take(-3, NOW) == 0
    assert bucket.take(1, NOW) == 1


def test_a_changed_limit_discards_what_was_saved_up():
    bucket = TokenBucket(rate=100, burst=100)
    bucket.reconfigure(1, 2, NOW)
    assert bucket.take(100, NOW) == 2
    bucket.reconfigure(0, 1, NOW)
    assert bucket.take(100, NOW) == 100
    bucket.reconfigure(1, 5, NOW + 100)
    assert bucket.take(100, NOW + 100) <= 5


def test_a_clock_set_back_adds_nothing():
    bucket = TokenBucket(rate=1, burst=5)
    bucket.take(5, NOW)
    assert bucket.take(5, NOW - 1_000) == 0
    assert bucket.take(5, NOW - 998) == 2


@pytest.mark.parametrize(
    "rate, burst", [(-1, 1), (float("nan"), 1), (float("inf"), 1), (1, float("nan"))]
)
def test_impossible_limits(rate, burst):
    with pytest.raises(ValueError):
        TokenBucket(rate, burst)


def test_state_survives_json():
    bucket = TokenBucket(rate=1, burst=5)
    bucket.take(3, NOW)
    copy = TokenBucket(rate=1, burst=5)
    copy.load(json.loads(json.dumps(bucket.dump())))
    assert copy.take(9, NOW + 1) == bucket.take(9, NOW + 1) == 3
    copy.load(None)
    assert copy.take(9, NOW + 1) == 5


STEPS = st.lists(
    st.tuples(st.floats(0, 3), st.integers(0, 20), st.integers(0, 5), st.booleans()),
    max_size=100,
)


@given(st.floats(0.01, 50), st.integers(1, 30), STEPS)
def test_never_admits_more_than_burst_plus_rate(rate, burst, steps):
    bucket, now, admitted = TokenBucket(rate, burst), NOW, []
    for wait, wanted, unused, reload in steps:
        now += wait
        granted = bucket.take(wanted, now)
        unused = min(unused, granted)
        bucket.put_back(unused)
        admitted.append((now, granted - unused))
        if reload:  # another drain takes over
            successor = TokenBucket(rate, burst)
            successor.load(bucket.dump())
            bucket = successor
    for index, (start, _granted) in enumerate(admitted):
        total = 0
        for end, granted in admitted[index:]:
            total += granted
            assert total <= burst + rate * (end - start) + 1e-3
