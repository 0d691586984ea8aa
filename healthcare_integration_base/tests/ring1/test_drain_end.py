# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""How drains end: in time, seen by writers, killed, without their database."""

from __future__ import annotations

import asyncio

import pytest
from drain_fakes import OK, START, FakeStore, World, http


@pytest.fixture
def make_world():
    worlds = []

    def make(rule=None, **options):
        worlds.append(World(rule, **options))
        return worlds[-1]

    yield make
    for world in worlds:
        world.close()


# -- the exit --------------------------------------------------------------------------


def test_row_committed_at_the_last_moment_is_seen(make_world):
    """Scenario 38: its writer saw the lock held and enqueued nothing."""
    world = make_world(linger=0.0)
    endpoint = world.db.endpoint(1)
    world.db.add(endpoint)
    store = FakeStore(world.db)
    late = iter([None])
    store.after_unlock = lambda: next(late, 1) is None and world.db.add(endpoint)
    ended = world.run(world.drain(store))
    assert len(world.partners.sent) == 2
    assert ended.wake_in is None and not world.db.queued()


def test_row_taken_by_a_new_drain_is_left_to_it(make_world):
    world = make_world(linger=0.0)
    endpoint = world.db.endpoint(1)
    world.db.add(endpoint)
    store, other = FakeStore(world.db), FakeStore(world.db)

    def another_drain_comes():
        world.db.add(endpoint)
        other.lock()

    store.after_unlock = another_drain_comes
    ended = world.run(world.drain(store))
    assert len(world.partners.sent) == 1
    assert not ended.again and ended.wake_in is None


def test_time_over_leaves_the_rest_to_the_next_drain(make_world):
    world = make_world(lambda claim, seen: (OK, 1.0), max_seconds=5.0)
    endpoint = world.db.endpoint(1, concurrency=2)
    for _n in range(100):
        world.db.add(endpoint)
    ended = world.run()
    assert ended.again and world.loop.now() < START + 8
    assert not [row for row in world.db.queued() if row.claim]
    assert not world.db.locks
    world.run_until_quiet(40)
    assert world.db.states() == {"delivered": 100}
    assert len(world.partners.sent) == 100


def test_endpoint_of_another_drain_is_not_waited_for_busily(make_world):
    world = make_world(linger=0.0)
    world.db.add(world.db.endpoint(1))
    world.db.locks[1] = "another drain"
    store = FakeStore(world.db)
    ended = world.run(world.drain(store))
    assert (ended.again, ended.wake_in) == (False, 1.0)
    assert len(store.log) < 30


def test_server_shutdown_ends_the_drain(make_world):
    world = make_world(linger=5.0)
    world.db.add(world.db.endpoint(1))
    drain = world.drain()
    drain.stopping = lambda: world.loop.now() > START + 0.5
    world.run(drain)
    assert world.loop.now() < START + 1.5


# -- crashes and lost databases ----------------------------------------------------------


def test_what_a_dead_drain_claimed_is_sent_again(make_world):
    """Scenario 36 and 37: no lease to wait for, an attempt of unknown outcome."""
    world = make_world()
    number = world.db.add(world.db.endpoint(1), claim="a drain that is gone")
    world.run_until_quiet()
    assert world.db.attempts_of(number) == ["unknown", "success"]
    assert world.db.rows[number].state == "delivered"


def test_late_result_changes_nothing(make_world):
    """Scenario 36, second half."""
    world = make_world()
    number = world.db.add(world.db.endpoint(1))

    def stolen(claim, seen):
        world.db.rows[number].claim = "another drain"
        return http(422)

    world.partners.rule = stolen
    world.run()
    assert world.db.attempts_of(number)[0] == "late"
    assert world.db.rows[number].state == "pending"


def test_result_outlives_a_lost_database(make_world):
    """Scenario 39: recorded once it is back, no retry charged, not sent twice."""
    world = make_world()
    number = world.db.add(world.db.endpoint(1))
    store = FakeStore(world.db)

    def break_database(claim, seen):
        store.broken = 6
        return OK

    world.partners.rule = break_database
    ended = world.run(world.drain(store))
    assert world.db.attempts_of(number) == ["success"]
    assert world.db.rows[number].state == "delivered"
    assert ended.again and len(world.partners.sent) == 1


def test_database_that_stays_away_costs_an_unknown_attempt(make_world):
    world = make_world(insist_seconds=10.0)
    number = world.db.add(world.db.endpoint(1))
    store = FakeStore(world.db)

    def break_database(claim, seen):
        store.broken = 10**9
        return OK

    world.partners.rule = break_database
    world.run(world.drain(store))
    world.db.locks.clear()  # the database frees the locks of the broken connection
    world.partners.rule = None
    world.run_until_quiet()
    assert world.db.attempts_of(number) == ["unknown", "success"]


def test_cancelled_drain_frees_its_locks(make_world):
    world = make_world(lambda claim, seen: (OK, 1000.0))
    world.db.add(world.db.endpoint(1))
    drain = world.drain()

    async def cancel_soon():
        task = asyncio.ensure_future(drain.run())
        await asyncio.sleep(5)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    world.loop.run_until_complete(cancel_soon())
    assert not world.db.locks


def test_message_that_cannot_be_loaded_leaves_its_neighbours_alone(make_world):
    world = make_world()
    endpoint = world.db.endpoint(1)
    numbers = [world.db.add(endpoint) for _n in range(5)]
    load = world.partners.prepare

    def prepare(claimed):
        if any(claim.message_id == 3 for claim in claimed):
            raise KeyError("x")
        return load(claimed)

    world.partners.prepare = prepare
    world.run_until_quiet()
    states = [world.db.rows[number].state for number in numbers]
    assert states == ["delivered", "delivered", "dead", "delivered", "delivered"]


def test_partner_that_hangs_at_the_end_holds_up_nobody(make_world):
    """Scenario 52, over drains: the lane is handed over while one finishes."""
    world = make_world(
        lambda claim, seen: (OK, 30.0) if claim.endpoint_id == 1 else OK,
        max_seconds=5.0,
    )
    hung, well = world.db.endpoint(1), world.db.endpoint(2)
    world.db.add(hung, key="k")
    world.db.add(hung, key="k")
    next_drains = []

    def start_the_next():
        for _n in range(20):
            world.db.add(well)
        next_drains.append(asyncio.ensure_future(world.drain().run()))

    drain = world.drain()
    drain.hand_over = start_the_next
    world.run(drain)
    assert len(next_drains) == 1
    healthy = [
        sent.at - START for sent in world.partners.sent if sent.endpoint_id == well
    ]
    assert len(healthy) == 20 and max(healthy) < 6
    assert world.partners.order(hung) == [1], "two drains had the endpoint"
    world.loop.run_until_complete(next_drains[0])
    world.run_until_quiet()
    assert world.partners.order(hung) == [1, 2]
    assert world.db.states() == {"delivered": 22}
