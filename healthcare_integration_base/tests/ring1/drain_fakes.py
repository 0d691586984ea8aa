# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""A queue in memory, a clock that jumps, partners made of rules: what drains are tested with."""

from __future__ import annotations

import asyncio
import random
import selectors
from dataclasses import dataclass, field, replace

from hib.protocol.classify import ErrorClass, Outcome, classify_status
from hib.protocol.drain import Drain, StoreLost
from hib.protocol.drain_types import Claimed, EndpointSpec, Options, Report
from hib.protocol.retry import RetrySchedule

START = 1_800_000_000.0
OK = Outcome(True, status=200)
DROPPED = ("delivered", "filtered", "shadow", "cancelled")


def http(status, **headers):
    """Return the outcome of an HTTP answer."""
    return classify_status(status, headers, START)


TIMEOUT = Outcome(False, ErrorClass.TIMEOUT, "timeout")


class _Selector(selectors.SelectSelector):
    """Does not wait: the loop's time jumps instead."""

    loop = None

    def select(self, timeout=None):
        if timeout is None:
            raise AssertionError("everything waits for nothing")
        self.loop.moment += max(timeout, 0)
        return super().select(0)


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop in which an hour takes no time."""

    def __init__(self):
        selector = _Selector()
        super().__init__(selector)
        self.moment = 0.0  # small: the loop's resolution is 1 ns
        selector.loop = self

    def time(self):
        return self.moment

    def now(self):
        """Return Unix seconds: the clock of the drains."""
        return START + self.moment


@dataclass
class Row:
    """A message and its queue entry."""

    id: int
    endpoint_id: int
    seq: int
    key: str | None = None
    priority: int = 1
    due_at: float | None = START
    claim: object = None
    attempts: int = 0
    state: str = "pending"
    queued: bool = True


class Database:
    """Shared by the stores of several drains."""

    def __init__(self, loop):
        self.loop = loop
        self.rows: dict[int, Row] = {}
        self.of: dict[int, list[Row]] = {}
        self.endpoints: dict[int, EndpointSpec] = {}
        self.paused: set[int] = set()
        self.health: dict[int, dict] = {}
        self.locks: dict[object, object] = {}
        self.attempts: list[tuple[int, int, str, Outcome | None]] = []

    def endpoint(self, number, **values):
        """Add an endpoint; two retries unless said otherwise."""
        values.setdefault("schedule", RetrySchedule((5.0, 300.0), 0.0))
        self.endpoints[number] = EndpointSpec(number, **values)
        return number

    def add(self, endpoint_id, key=None, **values):
        """Commit a message that is due now."""
        number = len(self.rows) + 1
        values.setdefault("due_at", self.loop.now())
        row = self.rows[number] = Row(number, endpoint_id, number, key, **values)
        self.of.setdefault(endpoint_id, []).append(row)
        return number

    def queued(self, endpoint_id=None):
        """Return the queue entries."""
        rows = (
            self.rows.values() if endpoint_id is None else self.of.get(endpoint_id, ())
        )
        return [row for row in rows if row.queued]

    def older(self, row):
        """Return the older entries of the row's key."""
        return [
            other
            for other in self.queued(row.endpoint_id)
            if row.key is not None and other.key == row.key and other.seq < row.seq
        ]

    def promote(self, endpoint_id, key):
        """Let the head of a key go, if it waits."""
        heads = [
            r for r in self.queued(endpoint_id) if r.key == key and key is not None
        ]
        head = min(heads, key=lambda row: row.seq, default=None)
        if (
            head
            and head.due_at is None
            and head.claim is None
            and head.state == "pending"
        ):
            head.due_at = self.loop.now()

    def drop(self, row):
        """Finish a message: its entry goes, the next of its key may."""
        row.queued, row.claim = False, None
        self.promote(row.endpoint_id, row.key)

    def states(self):
        """Return how many messages are in which state."""
        states = [row.state for row in self.rows.values()]
        return {state: states.count(state) for state in set(states)}

    def attempts_of(self, number):
        """Return the outcomes of a message's attempts."""
        return [
            kind for message, _no, kind, _outcome in self.attempts if message == number
        ]


class FakeStore:
    """The database as one drain sees it."""

    def __init__(self, database):
        self.db, self.broken, self.log = database, 0, []
        self.after_unlock = lambda: None

    def _check(self, name):
        self.log.append(name)
        if self.broken:
            self.broken -= 1
            raise StoreLost(name)

    def reconnect(self):
        self._check("reconnect")
        self._free_locks()

    def _free_locks(self, keep=()):
        locks = self.db.locks.items()
        self.db.locks = {k: v for k, v in locks if v is not self or k in keep}

    def lock(self):
        self._check("lock")
        return self.db.locks.setdefault("lane", self) is self

    def unlock(self, keep=()):
        self._check("unlock")
        self._free_locks(keep)
        self.after_unlock()

    def look(self):
        self._check("look")
        now, found = self.db.loop.now(), []
        for number, spec in self.db.endpoints.items():
            rows = self.db.queued(number)
            due = [r.due_at for r in rows if r.claim is None and r.due_at is not None]
            claims = [r.claim for r in rows if r.claim is not None]
            if number not in self.db.paused and (due or claims):
                orphaned = any(claim is not self for claim in claims)
                due_in = min(due) - now if due else None
                found.append(replace(spec, due_in=due_in, orphaned=orphaned))
        return found

    def own(self, endpoint_ids):
        self._check("own")
        mine = [i for i in endpoint_ids if self.db.locks.setdefault(i, self) is self]
        for row in self.db.queued():
            if row.endpoint_id in mine:
                self._recover(row)
        return {i: self.db.health.get(i, {}) for i in mine}

    def _recover(self, row):
        if row.claim not in (None, self):
            row.claim, row.due_at = None, self.db.loop.now()
            row.attempts += 1
            self.db.attempts.append((row.id, row.attempts, "unknown", None))
        if row.due_at is None and row.state == "pending" and not self.db.older(row):
            row.due_at = self.db.loop.now()

    def claim(self, wants):
        self._check("claim")
        now, claimed = self.db.loop.now(), []
        for want in wants:
            assert self.db.locks.get(want.endpoint_id) is self, (
                "claims what it does not own"
            )
            rows = self.db.queued(want.endpoint_id)
            free = [
                r
                for r in rows
                if r.claim is None and r.due_at is not None and r.due_at <= now
            ]
            due = sorted(free, key=lambda r: (r.priority, r.due_at, r.seq))[: want.n]
            blocked = [r for r in due if any(o not in due for o in self.db.older(r))]
            for row in blocked:
                row.due_at = None
            claimed += [self._take(row) for row in due if row not in blocked]
        return claimed

    def _take(self, row):
        row.claim = self
        return Claimed(
            row.id, row.endpoint_id, row.seq, row.key, row.priority, row.attempts
        )

    def release(self, messages, blocked=False):
        self._check("release")
        for message in messages:
            row = self.db.rows[message.message_id]
            if row.claim is self:
                row.claim = None
                if blocked:
                    row.due_at = None if self.db.older(row) else self.db.loop.now()

    def record(self, results, health):
        self._check("record")
        for result in results:
            self._record(result, self.db.rows[result.claim.message_id])
        self.db.health.update(health)
        for result in results:
            if result.report.outcome.disables:
                self.db.paused.add(result.claim.endpoint_id)

    def _record(self, result, row):
        ours = row.queued and row.claim is self
        if result.report.charged:
            kind = "success" if result.report.outcome.ok else "failure"
            outcome = result.report.outcome
            self.db.attempts.append(
                (row.id, result.number, kind if ours else "late", outcome)
            )
        if not ours:
            return
        row.state, row.attempts, row.claim = result.state, result.number, None
        row.due_at = (
            None if result.due_in is None else self.db.loop.now() + result.due_in
        )
        if row.state != "pending" and not (row.state == "dead" and row.key is not None):
            self.db.drop(row)


@dataclass
class Sent:
    """One exchange with a partner."""

    number: int
    endpoint_id: int
    key: str | None
    at: float
    done_at: float | None = None
    outcome: Outcome | None = None


@dataclass
class Partners:
    """Answers by a rule: claim, how often it came -> outcome, or (outcome, seconds)."""

    loop: VirtualLoop
    rule: object = None
    took: float = 0.01
    sent: list[Sent] = field(default_factory=list)

    def prepare(self, claimed):
        return {claim.message_id: claim for claim in claimed}

    async def process(self, claim):
        seen = sum(one.number == claim.message_id for one in self.sent)
        answer = self.rule(claim, seen) if self.rule else OK
        outcome, seconds = answer if isinstance(answer, tuple) else (answer, self.took)
        started = self.loop.now()
        sent = Sent(claim.message_id, claim.endpoint_id, claim.ordering_key, started)
        self.sent.append(sent)
        await asyncio.sleep(seconds)
        sent.done_at, sent.outcome = self.loop.now(), outcome
        if isinstance(outcome, Exception):
            raise outcome
        took = self.loop.now() - started
        return Report.failed(
            outcome, started_at=started, duration=took, final_state="delivered"
        )

    def order(self, endpoint_id=None):
        """Return the numbers of the messages in the order they were sent."""
        return [s.number for s in self.sent if endpoint_id in (None, s.endpoint_id)]


class World:
    """A loop with a database and partners, in which drains are run."""

    def __init__(self, rule=None, **options):
        self.loop = VirtualLoop()
        self.db = Database(self.loop)
        self.partners = Partners(self.loop, rule)
        self.options = Options(**{"linger": 1.0, **options})

    def drain(self, store=None):
        """Return a drain of the lane."""
        store = store or FakeStore(self.db)
        rng = random.Random(1)
        return Drain(store, self.partners, self.loop, self.options, rng=rng)

    def run(self, *drains):
        """Run drains side by side to their ends; one new drain unless given."""

        async def together():
            return await asyncio.gather(
                *(one.run() for one in drains or (self.drain(),))
            )

        asyncio.set_event_loop(self.loop)
        ended = self.loop.run_until_complete(together())
        return ended if len(ended) > 1 else ended[0]

    def run_until_quiet(self, limit=40):
        """Run drains whenever something is due, as jobs with eta do."""
        for _turn in range(limit):
            ended = self.run()
            if ended.wake_in is None and not ended.again:
                return
            self.loop.moment += ended.wake_in or 0.0
        raise AssertionError("never quiet")

    def close(self):
        """Close the loop."""
        self.loop.close()
