# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Whatever happens in whatever order: nothing lost, nothing twice, nothing out of order.

Hypothesis invents histories of messages, failing partners, pauses, crashes of drains,
lost databases and operators; the invariants hold after each step.
"""

from __future__ import annotations

import asyncio
from itertools import pairwise

from drain_fakes import OK, TIMEOUT, FakeStore, World, http
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

ENDPOINTS = (1, 2, 3)
KEYS = (None, "a", "b")
SLOW = (TIMEOUT, 25.0)  # longer than a drain stays
ANSWERS = (
    SLOW,
    OK,
    OK,
    OK,
    http(503),
    http(422),
    TIMEOUT,
    http(429, **{"Retry-After": "30"}),
)


class DrainMachine(RuleBasedStateMachine):
    """Histories of one lane with three endpoints."""

    def __init__(self):
        super().__init__()
        self.world = World(
            self._answer, linger=0.5, max_seconds=20.0, insist_seconds=3.0
        )
        self.db = self.world.db
        for number in ENDPOINTS:
            self.db.endpoint(number, concurrency=2)
        self.answers: dict[int, list] = {}
        self.broken_by_crash: set[int] = set()

    def _answer(self, claim, seen):
        planned = self.answers.get(claim.message_id)
        return planned.pop(0) if planned else OK

    # -- what may happen -----------------------------------------------------------

    @rule(
        endpoint=st.sampled_from(ENDPOINTS),
        key=st.sampled_from(KEYS),
        answers=st.lists(st.sampled_from(ANSWERS), max_size=3),
        priority=st.sampled_from((0, 1, 1, 2)),
    )
    def message(self, endpoint, key, answers, priority):
        number = self.db.add(endpoint, key=key, priority=priority)
        self.answers[number] = list(answers)

    @rule()
    def drain(self):
        self.world.run()

    @rule()
    def drains_that_hand_over(self):
        """Each starts the next one while slow partners keep it."""
        successors = []

        def successor():
            drain = self.world.drain()
            drain.hand_over = lambda: successors.append(
                asyncio.ensure_future(drain_next())
            )
            return drain

        async def drain_next():
            return await successor().run()

        self.world.run(successor())
        while successors:
            self.world.loop.run_until_complete(successors.pop(0))

    @rule()
    def two_drains_at_once(self):
        self.world.run(self.world.drain(), self.world.drain())

    @rule(seconds=st.sampled_from((1, 10, 70, 400)))
    def time_passes(self, seconds):
        self.world.loop.moment += seconds

    @rule(endpoint=st.sampled_from(ENDPOINTS))
    def pause_or_resume(self, endpoint):
        self.db.paused ^= {endpoint}

    @rule()
    def drain_is_killed_after_its_claim(self):
        store = FakeStore(self.db)
        if not store.lock():
            return
        due = [s.id for s in store.look() if s.has_work(self.world.loop.now())]
        owned = store.own(due)
        wants = [_want(number) for number in owned]
        self.broken_by_crash |= {claim.message_id for claim in store.claim(wants)}
        store._free_locks()

    @rule(after=st.integers(1, 12), calls=st.sampled_from((1, 3, 1000)))
    def database_goes_away_during_a_drain(self, after, calls):
        store = _Flaky(self.db, after, calls)
        claimed = {row.id for row in self.db.queued() if row.claim is None}
        self.world.run(self.world.drain(store))
        store._free_locks()
        self.broken_by_crash |= claimed

    @precondition(lambda self: self._dead())
    @rule(data=st.data())
    def operator_retries(self, data):
        row = data.draw(st.sampled_from(self._dead()))
        row.state, row.queued, row.due_at = "pending", True, self.world.loop.now()

    @precondition(lambda self: self._dead())
    @rule(data=st.data())
    def operator_skips(self, data):
        row = data.draw(st.sampled_from(self._dead()))
        row.state = "cancelled"
        self.db.drop(row)

    def _dead(self):
        return [row for row in self.db.rows.values() if row.state == "dead"]

    # -- what must hold --------------------------------------------------------------

    @invariant()
    def no_lock_is_left(self):
        assert not self.db.locks

    @invariant()
    def delivered_is_sent_once(self):
        """A message is sent again only after a failure or a crash."""
        for row in self.db.rows.values():
            good = [
                s
                for s in self.world.partners.sent
                if s.number == row.id and s.outcome is OK
            ]
            assert len(good) <= 1 or row.id in self.broken_by_crash

    @invariant()
    def a_key_is_never_in_flight_twice(self):
        for endpoint in ENDPOINTS:
            for key in KEYS[1:]:
                sent = [
                    s
                    for s in self.world.partners.sent
                    if (s.endpoint_id, s.key) == (endpoint, key)
                ]
                assert all(a.done_at is not None for a in sent)
                assert all(a.done_at <= b.at for a, b in pairwise(sent))

    @invariant()
    def a_key_is_delivered_in_order(self):
        """Nothing overtakes an older one that is still to be delivered."""
        for row in self.db.rows.values():
            if row.key is None or row.state != "delivered":
                continue
            sent = [s for s in self.world.partners.sent if s.number == row.id]
            for other in self.db.of[row.endpoint_id]:
                if (
                    other.key == row.key
                    and other.seq < row.seq
                    and other.state == "delivered"
                ):
                    before = [
                        s for s in self.world.partners.sent if s.number == other.id
                    ]
                    assert before[0].at <= sent[0].at
                if other.key == row.key and other.seq < row.seq:
                    assert other.state not in ("pending", "dead")

    @invariant()
    def attempts_are_numbered(self):
        for row in self.db.rows.values():
            numbers = [
                no
                for message, no, kind, _o in self.db.attempts
                if message == row.id and kind != "late"
            ]
            assert numbers == list(range(1, len(numbers) + 1))

    def teardown(self):
        """With everybody well again, all gets through."""
        self.db.paused.clear()
        self.answers.clear()
        for row in self._dead():
            row.state = "cancelled"
            self.db.drop(row)
        self.world.run_until_quiet(60)
        assert not self.db.queued()
        assert set(self.db.states()) <= {"delivered", "cancelled"}
        self.world.close()


class _Flaky(FakeStore):
    """Loses its database at some call, for some calls."""

    def __init__(self, database, after, calls):
        super().__init__(database)
        self.after, self.calls = after, calls

    def _check(self, name):
        self.after -= 1
        if self.after == 0:
            self.broken = self.calls
        super()._check(name)


def _want(number):
    from hib.protocol.drain_types import Want

    return Want(number, 3)


TestDrainMachine = DrainMachine.TestCase
TestDrainMachine.settings = settings(
    max_examples=200,
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
