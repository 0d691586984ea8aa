# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""One drain: claims the unfinished messages of a lane, has them processed, records.

The truth is in the store; a drain is only its temporary worker. It owns its
endpoints (by locks of the store), so order, breaker and limiter are plain
objects here. The same drain sends (out) and applies (in): only the processor
differs.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from .classify import ErrorClass, Outcome, classify_exception
from .drain_types import POSTPONED, Claimed, EndpointSpec, Options, Report, Result, Want
from .owner import Job, Owner

T = TypeVar("T")
Call = Callable[..., Awaitable[Any]]


MISSING = Report.failed(
    Outcome(False, ErrorClass.CONTRACT, "message_missing"), wire=False
)


class StoreLost(Exception):
    """The store cannot be reached; what it was told may be recorded or not."""


class Clock(Protocol):
    """Source of time, Unix seconds."""

    def now(self) -> float: ...


class Store(Protocol):
    """What a drain needs of the database. Every method is one short transaction."""

    def lock(self) -> bool:
        """Take the lane's lock; False if another drain has it."""

    def unlock(self, keep: Collection[int] = ()) -> None:
        """Give back the locks of the lane and of all endpoints but those to keep."""

    def look(self) -> list[EndpointSpec]:
        """Return the endpoints of the lane that may run and have unfinished messages."""

    def own(self, endpoint_ids: Sequence[int]) -> dict[int, Mapping[str, Any]]:
        """Lock endpoints; free what former owners left; return their stored health.

        Endpoints another drain owns are left out.
        """

    def claim(self, wants: Sequence[Want]) -> list[Claimed]:
        """Mark due messages as ours and return them, at most ``want.n`` per endpoint."""

    def record(
        self, results: Sequence[Result], health: Mapping[int, Mapping[str, Any]]
    ) -> None:
        """Write outcomes and health; what is no longer ours becomes a late attempt."""

    def release(self, messages: Sequence[Claimed], blocked: bool = False) -> None:
        """Give claimed messages back, unprocessed; blocked ones wait for an older one."""

    def reconnect(self) -> None:
        """Open a new connection after StoreLost. :raises StoreLost: not yet"""


class Processor(Protocol):
    """What is done with a claimed message; successful reports name the final state."""

    def prepare(self, claimed: Sequence[Claimed]) -> Mapping[int, Any]:
        """Load a batch: message id -> task, or a Report if it ended already."""

    async def process(self, task: Any) -> Report:
        """Do the work of one message."""


async def inline(function: Callable[..., T], *args: Any) -> T:
    """Run a store call in this very thread."""
    return function(*args)


@dataclass(frozen=True)
class Ended:
    """How a drain ended.

    :param ran: False if another drain has the lane
    :param again: work is due that this drain had no time for
    :param wake_in: seconds until the next message is due, None if none waits
    """

    ran: bool
    again: bool = False
    wake_in: float | None = None
    processed: int = 0


class Drain:
    """Works a lane until it is empty or its time is over."""

    def __init__(
        self,
        store: Store,
        processor: Processor,
        clock: Clock,
        options: Options | None = None,
        *,
        call: Call = inline,
        rng: random.Random | None = None,
        stopping: Callable[[], bool] = lambda: False,
        hand_over: Callable[[], Any] | None = None,
    ):
        self.store, self.processor, self.clock = store, processor, clock
        self.options = options or Options()
        self.call, self.stopping, self.hand_over = call, stopping, hand_over
        self.rng = rng or random.Random()
        self.owners: dict[int, Owner] = {}
        self.processed = 0
        self._claims = 0
        self._specs: list[EndpointSpec] = []
        self._tasks: dict[asyncio.Task[Report], Job] = {}
        self._results: list[Result] = []
        self._lost = False
        self._stop_at = self._store_at = 0.0

    async def run(self) -> Ended:
        """Drain the lane; exit by *unlock, then look again*.

        A writer looks at the lock after its commit, we look at the rows after
        our unlock: whichever comes last sees the other.
        """
        self._stop_at = self.clock.now() + self.options.max_seconds
        if not await self._try(self.store.lock):
            return Ended(ran=False, again=self._lost)
        fruitless = 0
        while True:
            before = self._claims
            try:
                await self._serve()
            finally:
                await self._leave()
            fruitless = 0 if self._claims > before else fruitless + 1
            wake_in = await self._look_again()
            if self._over() or wake_in is None or wake_in > 0:
                return self._ended(wake_in)
            if fruitless > 1:  # somebody else has the endpoint, or a lock on its rows
                return self._ended(1.0)
            if not await self._try(self.store.lock):
                return self._ended(0.0 if self._lost else None)

    def _ended(self, wake_in: float | None) -> Ended:
        again = wake_in is not None and wake_in <= 0
        return Ended(True, again, None if again else wake_in, self.processed)

    # -- one stay in the lane ------------------------------------------------

    async def _serve(self) -> None:
        idle_since, delay = self.clock.now(), self.options.poll_min
        while True:
            busy = await self._turn()
            if busy:
                idle_since, delay = self.clock.now(), self.options.poll_min
            elif not self._tasks and self._may_leave(idle_since):
                return
            await self._wait(0.0 if busy and not self._tasks else delay)
            delay = min(delay * 2, self.options.poll_max)

    async def _turn(self) -> bool:
        """Collect, start, and now and then record and claim; True if anything happened.

        The store is called once per ``poll_min``, not once per message. What is recorded
        comes before what is claimed: a disabled endpoint must be seen as such.
        """
        finished = self._collect()
        if self._over():
            await self._give_up_at_shutdown()
            await self._record()
            await self._drop_backlogs(self.owners.values())
            await self._let_the_next_one_in()
            return finished
        self._start()
        if self._tasks and self.clock.now() < self._store_at:
            return finished
        await self._record()
        claimed = await self._claim()
        self._start()
        self._store_at = self.clock.now() + self.options.poll_min
        return finished or claimed

    def _over(self) -> bool:
        return self._lost or self.clock.now() >= self._stop_at or self.stopping()

    async def _let_the_next_one_in(self) -> None:
        """Time is over and slow partners keep us: leave the lane and the other endpoints.

        Otherwise a partner that hangs at the end of a drain would hold up everybody.
        """
        hand_over, self.hand_over = self.hand_over, None
        if hand_over and self._tasks and not self._lost and not self.stopping():
            busy = {job.claim.endpoint_id for job in self._tasks.values()}
            await self._try(self.store.unlock, busy)
            await self._try(hand_over)

    async def _give_up_at_shutdown(self) -> None:
        """Leave slow exchanges without an outcome when the server is about to end."""
        if not self.stopping() or not self._tasks:
            return
        await asyncio.wait(self._tasks, timeout=self.options.grace_seconds)
        self._collect()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()

    def _may_leave(self, idle_since: float) -> bool:
        """Idle for the linger time, and nothing becomes due within it."""
        now = self.clock.now()
        if self._over():
            return True
        soon = [self._wake_at(spec, now) for spec in self._specs]
        if any(at is not None and now < at <= now + self.options.linger for at in soon):
            return False
        return now - idle_since >= self.options.linger

    async def _wait(self, timeout: float) -> None:
        if self._tasks:
            await asyncio.wait(
                self._tasks, timeout=timeout, return_when=asyncio.FIRST_COMPLETED
            )
        else:
            await asyncio.sleep(timeout)

    async def _leave(self) -> None:
        """Finish what is under way, give back the rest and the locks."""
        while self._tasks:
            await asyncio.wait(self._tasks)
            self._collect()
        await self._record()
        await self._drop_backlogs(self.owners.values())
        await self._try(self.store.unlock)

    async def _look_again(self) -> float | None:
        """Return the seconds until something can be done, after the unlock."""
        specs = await self._try(self.store.look) or []
        if self._lost:
            return 0.0
        now = self.clock.now()
        self._renew(specs, now)
        wakes = [self._wake_at(spec, now) for spec in specs]
        self.owners = {}
        known = [at for at in wakes if at is not None]
        return max(0.0, min(known) - now) if known else None

    def _wake_at(self, spec: EndpointSpec, now: float) -> float | None:
        owner = self.owners.get(spec.id)
        if owner:
            return owner.wake_at(now)
        return now if spec.orphaned else spec.wake_at(now)

    # -- claiming --------------------------------------------------------------

    async def _claim(self) -> bool:
        specs = await self._try(self.store.look) or []
        await self._take_over(specs)
        now = self.clock.now()
        await self._drop_backlogs(o for o in self.owners.values() if o.gate(now) > now)
        room = self.options.max_in_flight - len(self._tasks)
        wants = [Want(o.spec.id, o.room(now)) for o in self.owners.values()]
        wants = [want for want in wants if want.n > 0 and room > 0]
        claimed = await self._try(self.store.claim, wants) if wants else []
        self._claims += len(claimed or ())
        if claimed:
            await self._enqueue(claimed)
        return bool(claimed)

    async def _take_over(self, specs: Sequence[EndpointSpec]) -> None:
        """Own what has work now; endpoints that may no longer run fall out."""
        now = self.clock.now()
        self._renew(specs, now)
        new = {s.id: s for s in specs if s.id not in self.owners and s.has_work(now)}
        health = await self._try(self.store.own, list(new)) if new else None
        for endpoint_id, state in (health or {}).items():
            self.owners[endpoint_id] = Owner(new[endpoint_id], state, now)

    def _renew(self, specs: Sequence[EndpointSpec], now: float) -> None:
        self._specs = list(specs)
        found = {spec.id: spec for spec in specs}
        for endpoint_id, owner in self.owners.items():
            owner.renew(found.get(endpoint_id), now)

    async def _enqueue(self, claimed: Sequence[Claimed]) -> None:
        tasks = await self._prepare(claimed)
        if tasks is None:
            return
        jobs: dict[int, list[Job]] = {}
        for claim in claimed:
            task = tasks.get(claim.message_id) or MISSING
            if task is not POSTPONED:
                jobs.setdefault(claim.endpoint_id, []).append(Job(claim, task))
        late = [c for c in claimed if tasks.get(c.message_id) is POSTPONED]
        if late:
            await self._try(self.store.release, late)
        for endpoint_id, batch in jobs.items():
            self.owners[endpoint_id].add(batch)

    async def _prepare(self, claimed: Sequence[Claimed]) -> Mapping[int, Any] | None:
        """Load a batch; if that fails, each message alone, to find the one to blame."""
        try:
            return await self.call(self.processor.prepare, claimed)
        except StoreLost:
            self._lost = True
            return None
        except Exception as exc:
            if len(claimed) == 1:
                failure = Report.failed(classify_exception(exc), wire=False)
                return {claimed[0].message_id: failure}
        found: dict[int, Any] = {}
        for claim in claimed:
            late = {claim.message_id: POSTPONED}
            found.update(late if self._over() else await self._prepare([claim]) or {})
        return None if self._lost else found

    # -- processing --------------------------------------------------------------

    def _start(self) -> None:
        now = self.clock.now()
        for owner in self.owners.values():
            while len(self._tasks) < self.options.max_in_flight:
                job = owner.next_job(now)
                if job is None:
                    break
                self._tasks[asyncio.ensure_future(self._process(job))] = job

    async def _process(self, job: Job) -> Report:
        """Never raises: whatever goes wrong is the message's report."""
        if isinstance(job.task, Report):
            return job.task
        started = self.clock.now()
        try:
            return await self.processor.process(job.task)
        except Exception as exc:  # a bug in one message must not stop its neighbours
            outcome = classify_exception(exc)
            took = self.clock.now() - started
            return Report.failed(outcome, started_at=started, duration=took)

    def _collect(self) -> bool:
        done = [task for task in self._tasks if task.done()]
        for task in done:
            job = self._tasks.pop(task)
            self._settle(job, task.result())
        return bool(done)

    def _settle(self, job: Job, report: Report) -> None:
        """Turn a report into a result; let the followers of its key go or wait."""
        owner, now = self.owners[job.claim.endpoint_id], self.clock.now()
        number = job.claim.attempts + report.charged
        result = self._judge(job.claim, report, number, owner)
        owner.settle(job, report, result, now, self.options.hold_seconds)
        self._results.append(result)
        self.processed += 1

    def _judge(
        self, claim: Claimed, report: Report, number: int, owner: Owner
    ) -> Result:
        outcome = report.outcome
        if outcome.ok:
            return Result(claim, report, number, report.final_state or "done")
        if outcome.disables:
            return Result(claim, report, number, "pending", 0.0)
        if outcome.hold:
            return Result(claim, report, number, "pending", self.options.hold_seconds)
        delay = owner.spec.schedule.next_delay(number, outcome, self.rng)
        state = "dead" if delay is None else "pending"
        return Result(claim, report, number, state, delay)

    # -- the store ---------------------------------------------------------------

    async def _record(self) -> None:
        """Write what has ended; results survive a lost connection."""
        blocked = [
            job.claim for owner in self.owners.values() for job in owner.take_blocked()
        ]
        results, self._results = self._results, []
        if results:
            await self._insist(self.store.record, results, self._health(results))
        if blocked:
            await self._insist(self.store.release, blocked, True)

    def _health(self, results: Iterable[Result]) -> dict[int, Mapping[str, Any]]:
        ids = {result.claim.endpoint_id for result in results}
        return {i: self.owners[i].dump() for i in ids}

    async def _drop_backlogs(self, owners: Iterable[Owner]) -> None:
        dropped = [job.claim for owner in owners for job in owner.take_backlog()]
        if dropped:
            await self._try(self.store.release, dropped)

    async def _try(self, method: Callable[..., T], *args: Any) -> T | None:
        """Call the store; a lost one ends this drain, its claims are found later."""
        if self._lost and method != self.store.unlock:
            return None
        try:
            return await self.call(method, *args)
        except StoreLost:
            self._lost = True
            return None

    async def _insist(self, method: Callable[..., Any], *args: Any) -> None:
        """Call the store until it answers: an outcome is worth waiting for."""
        give_up = self.clock.now() + self.options.insist_seconds
        delay = self.options.poll_min
        while True:
            try:
                if self._lost:
                    await self.call(self.store.reconnect)
                await self.call(method, *args)
                return
            except StoreLost:
                self._lost = True
                if self.clock.now() >= give_up:
                    return  # the next owner records an attempt with unknown outcome
            await asyncio.sleep(delay)
            delay = min(delay * 2, 2.0)
