# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Leased rates: several processes together never exceed the limit, and use all of it."""

from hib.protocol.lease import Grant, Leases, Limit
from hypothesis import given
from hypothesis import strategies as st


class Row:
    """The shared row, as the database keeps it."""

    def __init__(self, limit):
        self.limit, self.tokens, self.at, self.visits = limit, limit.burst, 0.0, 0
        self.now = 0.0

    def fetch(self, _key, limit, unspent):
        self.visits += 1
        refill = (self.now - self.at) * limit.rate
        there = min(limit.burst, self.tokens + unspent + refill)
        taken = min(limit.batch, int(there))
        self.tokens, self.at = there - taken, self.now
        return Grant(taken, self.tokens)


def spend(leases, row, times=1):
    """Return how many of so many requests are granted at the row's present moment."""
    verdicts = [
        leases.spend("client:1", row.limit, row.fetch, row.now) for _ in range(times)
    ]
    return sum(verdict.granted for verdict in verdicts)


def test_a_burst_is_granted_and_no_more():
    row = Row(Limit(10, 50))
    assert spend(Leases(), row, 80) == 50


def test_a_lease_is_spent_without_asking():
    row = Row(Limit(100, 1000))
    assert spend(Leases(), row, 200) == 200
    assert row.visits == 200 / row.limit.batch == 10


def test_the_tokens_come_back_with_time():
    row, leases = Row(Limit(2, 4)), Leases()
    assert spend(leases, row, 10) == 4
    row.now = 1.5
    assert spend(leases, row, 10) == 3


def test_a_refused_one_learns_when_to_come_again():
    row, leases = Row(Limit(0.5, 1)), Leases()
    spend(leases, row)
    verdict = leases.spend("client:1", row.limit, row.fetch, row.now)
    assert not verdict.granted
    assert verdict.retry_after == 2.0
    assert verdict.remaining == 0


def test_refusals_do_not_ask_the_row_each_time():
    row, leases = Row(Limit(1, 1)), Leases()
    spend(leases, row)
    before = row.visits
    spend(leases, row, 100)
    assert row.visits <= before + 1


def test_what_remains_is_told():
    row, leases = Row(Limit(2, 10)), Leases()
    verdict = leases.spend("client:1", row.limit, row.fetch, 0.0)
    assert (verdict.remaining, verdict.reset) == (9, 1)


def test_a_refunded_token_is_spent_again():
    row, leases = Row(Limit(0.001, 1)), Leases()
    for _number in range(5):
        assert spend(leases, row) == 1
        leases.refund("client:1")


def test_a_new_limit_counts_at_once():
    row, leases = Row(Limit(100, 1000)), Leases()
    spend(leases, row)
    row.limit = Limit(1, 1)
    assert spend(leases, row, 5) == 1


def test_the_memory_is_bounded():
    leases, row = Leases(), Row(Limit(1, 10))
    for number in range(12_000):
        leases.spend(f"address:{number}", row.limit, lambda *_: Grant(1, 1), 0.0)
    assert len(leases._leases) <= 10_000


@given(
    rate=st.floats(0.1, 50),
    burst=st.integers(1, 60),
    steps=st.lists(
        st.tuples(st.integers(0, 3), st.floats(0, 3), st.integers(0, 40)), max_size=40
    ),
)
def test_processes_together_never_exceed_the_limit(rate, burst, steps):
    row = Row(Limit(rate, burst))
    processes = [Leases() for _ in range(4)]
    granted = 0
    for process, pause, requests in steps:
        row.now += pause
        granted += spend(processes[process], row, requests)
        assert granted <= burst + rate * row.now + 1e-6
