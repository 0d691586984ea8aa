# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""The drain alone: attempts, retries, order, breaker, limits, exit, lost databases."""

from __future__ import annotations

from itertools import pairwise

import pytest
from drain_fakes import OK, START, TIMEOUT, World, http
from hib.protocol.errors import Configuration, Permanent
from hib.protocol.retry import RetrySchedule


@pytest.fixture
def make_world():
    worlds = []

    def make(rule=None, **options):
        worlds.append(World(rule, **options))
        return worlds[-1]

    yield make
    for world in worlds:
        world.close()


# -- attempts and retries ------------------------------------------------------------


def test_success_is_one_attempt(make_world):
    """Scenario 1."""
    world = make_world()
    number = world.db.add(world.db.endpoint(1))
    ended = world.run()
    assert ended.ran and ended.wake_in is None and ended.processed == 1
    assert world.db.rows[number].state == "delivered"
    assert world.db.attempts_of(number) == ["success"]
    assert not world.db.queued()


def test_500_always_is_one_attempt_more_than_the_schedule_has_delays(make_world):
    """Scenario 2."""
    world = make_world(lambda claim, seen: http(500))
    number = world.db.add(
        world.db.endpoint(1, schedule=RetrySchedule((5.0, 300.0, 1800.0), 0.0))
    )
    world.run_until_quiet()
    assert world.db.attempts_of(number) == ["failure"] * 4
    row = world.db.rows[number]
    assert (row.state, row.attempts, row.due_at) == ("dead", 4, None)
    times = [sent.at for sent in world.partners.sent]
    gaps = [later - earlier for earlier, later in pairwise(times)]
    assert [round(gap) for gap in gaps] == [5, 300, 1800]


def test_403_is_dead_at_once(make_world):
    """Scenario 2, second half."""
    world = make_world(lambda claim, seen: http(403))
    number = world.db.add(world.db.endpoint(1))
    world.run_until_quiet()
    assert world.db.attempts_of(number) == ["failure"]
    assert world.db.rows[number].state == "dead"


def test_empty_schedule_is_one_attempt(make_world):
    """Scenario 4."""
    world = make_world(lambda claim, seen: http(503))
    number = world.db.add(world.db.endpoint(1, schedule=RetrySchedule((), 0.0)))
    world.run_until_quiet()
    assert world.db.attempts_of(number) == ["failure"]


def test_500_then_200(make_world):
    """Scenario 5."""
    world = make_world(lambda claim, seen: http(500) if not seen else OK)
    number = world.db.add(world.db.endpoint(1))
    world.run_until_quiet()
    assert world.db.attempts_of(number) == ["failure", "success"]
    assert world.db.rows[number].state == "delivered"


def test_failing_endpoint_does_not_touch_its_neighbours(make_world):
    """Scenario 6."""
    world = make_world(
        lambda claim, seen: http(500) if claim.endpoint_id == 3 and not seen else OK
    )
    numbers = [world.db.add(world.db.endpoint(i)) for i in (1, 2, 3)]
    world.run_until_quiet()
    kinds = [world.db.attempts_of(number) for number in numbers]
    assert kinds == [["success"], ["success"], ["failure", "success"]]


def test_retry_after_a_timeout_waits_a_minute(make_world):
    """Scenario 8."""
    world = make_world(lambda claim, seen: TIMEOUT if not seen else OK)
    world.db.add(world.db.endpoint(1))
    world.run_until_quiet()
    first, second = world.partners.sent
    assert second.at - first.at >= 60


def test_retry_after_holds_the_whole_endpoint(make_world):
    """Scenario 12: the floor is for the endpoint, not only for the message."""
    answer = {"Retry-After": "120"}
    world = make_world(
        lambda claim, seen: (
            http(429, **answer) if claim.message_id == 1 and not seen else OK
        )
    )
    endpoint = world.db.endpoint(1, concurrency=1)
    world.db.add(endpoint)
    world.run()
    world.db.add(endpoint)
    ended = world.run()
    assert [sent.number for sent in world.partners.sent] == [1]
    assert 115 < ended.wake_in <= 120
    world.run_until_quiet()
    assert all(sent.at >= START + 120 for sent in world.partners.sent[1:])


def test_410_holds_what_waits(make_world):
    """Scenario 13."""
    world = make_world(lambda claim, seen: http(410))
    endpoint = world.db.endpoint(1, concurrency=1)
    for _number in range(10):
        world.db.add(endpoint)
    world.run_until_quiet()
    assert len(world.partners.sent) == 1
    assert world.db.states() == {"pending": 10}
    assert world.db.paused == {1}


def test_missing_configuration_holds_and_charges_nothing(make_world):
    world = make_world(
        lambda claim, seen: Configuration("no key", code="keyring_missing")
    )
    number = world.db.add(world.db.endpoint(1))
    ended = world.run()
    row = world.db.rows[number]
    assert (row.state, row.attempts, world.db.attempts) == ("pending", 0, [])
    assert 50 < ended.wake_in <= 60


def test_bug_in_one_message_leaves_its_neighbours_alone(make_world):
    def rule(claim, seen):
        return KeyError("x") if claim.message_id == 2 else OK

    world = make_world(rule)
    endpoint = world.db.endpoint(1)
    numbers = [world.db.add(endpoint) for _n in range(3)]
    world.run_until_quiet()
    assert [world.db.rows[n].state for n in numbers] == [
        "delivered",
        "dead",
        "delivered",
    ]


def test_refused_address_is_dead(make_world):
    world = make_world(lambda claim, seen: Permanent("no", code="refused_address"))
    number = world.db.add(world.db.endpoint(1))
    world.run_until_quiet()
    assert world.db.rows[number].state == "dead"


# -- order ---------------------------------------------------------------------------


def test_messages_of_a_key_go_one_after_the_other(make_world):
    world = make_world()
    endpoint = world.db.endpoint(1, concurrency=8)
    numbers = [world.db.add(endpoint, key="ab"[n % 2]) for n in range(40)]
    world.run_until_quiet()
    for key in "ab":
        sent = [one for one in world.partners.sent if one.key == key]
        assert [one.number for one in sent] == [
            n for n in numbers if world.db.rows[n].key == key
        ]
        assert all(a.done_at <= b.at for a, b in pairwise(sent))


def test_followers_wait_for_the_retry_of_their_head(make_world):
    world = make_world(
        lambda claim, seen: http(503) if claim.message_id == 1 and not seen else OK
    )
    endpoint = world.db.endpoint(1)
    for key in ("a", "a", "b", "a"):
        world.db.add(endpoint, key=key)
    world.run_until_quiet()
    assert world.partners.order() == [1, 3, 1, 2, 4]


def test_dead_head_parks_its_key_and_nothing_else(make_world):
    world = make_world(lambda claim, seen: http(422) if claim.message_id == 1 else OK)
    endpoint = world.db.endpoint(1)
    for key in ("a", "a", "b", None):
        world.db.add(endpoint, key=key)
    world.run_until_quiet()
    assert sorted(world.partners.order()) == [1, 3, 4]
    world.db.drop(world.db.rows[1])  # an operator skips it
    world.run_until_quiet()
    assert world.partners.order()[-1] == 2
    assert not world.db.queued()


def test_urgent_goes_first(make_world):
    world = make_world()
    endpoint = world.db.endpoint(1, concurrency=1)
    for priority in (2, 1, 0):
        world.db.add(endpoint, priority=priority)
    world.run_until_quiet()
    assert world.partners.order() == [3, 2, 1]


def test_overlapping_drains_keep_the_order(make_world):
    """Ordering, and scenario 34 in small: each once, though three drains want the lane."""
    world = make_world(linger=0.05)
    endpoint = world.db.endpoint(1)
    numbers = [world.db.add(endpoint, key="k") for _n in range(30)]
    ended = world.run(*(world.drain() for _n in range(3)))
    assert sum(one.ran for one in ended) == 1
    world.run_until_quiet()
    assert world.partners.order() == numbers


# -- breaker, rate, concurrency --------------------------------------------------------


def test_breaker_opens_for_one_endpoint_and_charges_no_attempt(make_world):
    """Scenario 22."""
    world = make_world(lambda claim, seen: http(500) if claim.endpoint_id == 1 else OK)
    sick = world.db.endpoint(1, concurrency=1, schedule=RetrySchedule((3600.0,), 0.0))
    well = world.db.endpoint(2)
    for _n in range(30):
        world.db.add(sick)
        world.db.add(well)
    ended = world.run()
    assert len(world.partners.order(1)) == 10
    assert len(world.partners.order(2)) == 30
    assert 25 < ended.wake_in <= 30
    waiting = [row for row in world.db.queued(sick) if not row.attempts]
    assert len(waiting) == 20


def test_one_probe_closes_the_breaker(make_world):
    """Scenario 22, second half."""
    world = make_world(
        lambda claim, seen: http(500) if world.loop.now() < START + 20 else OK
    )
    sick = world.db.endpoint(1, schedule=RetrySchedule((3600.0,), 0.0))
    for _n in range(30):
        world.db.add(sick)
    world.run()
    before = len(world.partners.sent)
    world.loop.moment += 31
    world.run()
    probe, *rest = world.partners.sent[before:]
    assert all(one.at >= probe.done_at for one in rest)
    assert len(rest) == 30 - before - 1


def test_rate_is_never_exceeded(make_world):
    """Scenario 23."""
    world = make_world(max_seconds=1000.0)
    endpoint = world.db.endpoint(1, rate=2.0, burst=5)
    for _n in range(50):
        world.db.add(endpoint)
    world.run_until_quiet()
    times = [sent.at for sent in world.partners.sent]
    assert len(times) == 50
    for start in range(50):
        for end in range(start + 1, 50):
            assert end - start + 1 <= 5 + 2.0 * (times[end] - times[start]) + 1.001
    assert {row.attempts for row in world.db.rows.values()} == {1}


def test_concurrency_is_capped_per_endpoint(make_world):
    world = make_world()
    for number in (1, 2):
        world.db.endpoint(number, concurrency=3)
    for n in range(60):
        world.db.add(1 + n % 2)
    world.run_until_quiet()
    for endpoint in (1, 2):
        sent = [one for one in world.partners.sent if one.endpoint_id == endpoint]
        busiest = max(sum(a.at <= b.at < a.done_at for a in sent) for b in sent)
        assert busiest == 3


def test_hung_endpoint_delays_nobody(make_world):
    """Scenario 52."""
    world = make_world(
        lambda claim, seen: (TIMEOUT, 30.0) if claim.endpoint_id == 0 else OK
    )
    for endpoint in range(100):
        world.db.endpoint(endpoint)
    for n in range(1000):
        world.db.add(n % 100)
    world.run()
    healthy = sorted(one.at - START for one in world.partners.sent if one.endpoint_id)
    assert len(healthy) == 990
    assert healthy[int(len(healthy) * 0.99)] < 2.0


# -- pause ---------------------------------------------------------------------------


def test_pause_stops_what_is_claimed_and_not_under_way(make_world):
    """Scenario 20: nothing is lost, the order is kept."""
    world = make_world()
    endpoint = world.db.endpoint(1, concurrency=1)
    numbers = [world.db.add(endpoint, key="k") for _n in range(10)]

    def pause_at_third(claim, seen):
        if claim.message_id == 3:
            world.db.paused.add(1)
        return OK

    world.partners.rule = pause_at_third
    world.run_until_quiet()
    sent = world.partners.order()
    assert sent == numbers[: len(sent)] and len(sent) < 7, (
        "it was noticed within one look"
    )
    assert not [row for row in world.db.queued() if row.claim]
    world.partners.rule = None
    world.db.paused.clear()
    world.run_until_quiet()
    assert world.partners.order() == numbers
