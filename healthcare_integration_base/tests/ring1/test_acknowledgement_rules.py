# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""What a business acknowledgement changes."""

from datetime import datetime

import pytest
from hib.protocol.acknowledgement import Said, Standing, changes, satisfies
from hib.protocol.errors import Rejected

NINE, TEN = datetime(2026, 11, 20, 9), datetime(2026, 11, 20, 10)


@pytest.mark.parametrize("state", [None, "awaiting"])
@pytest.mark.parametrize("status", ["accepted", "rejected", "posted"])
def test_the_first_word_counts(state, status):
    assert changes(Standing(state), Said(status))


@pytest.mark.parametrize(
    ("known", "said", "counts"),
    [
        ("accepted", "posted", True),
        ("accepted", "rejected", True),
        ("rejected", "accepted", True),
        ("rejected", "posted", True),
        ("posted", "rejected", True),
        ("posted", "accepted", False),
    ],
)
def test_transitions(known, said, counts):
    assert changes(Standing(known), Said(said)) is counts


def test_what_happened_before_is_only_kept():
    assert not changes(Standing("rejected", at=TEN), Said("accepted", occurred_at=NINE))
    assert changes(Standing("rejected", at=NINE), Said("accepted", occurred_at=TEN))


def test_posted_under_another_reference_contradicts():
    with pytest.raises(Rejected) as error:
        changes(Standing("posted", "V1"), Said("posted", "V2"))
    assert (error.value.status, error.value.code) == (409, "posted_otherwise")
    assert changes(Standing("posted", "V1"), Said("posted", "V1", "again"))


def test_the_same_said_again_has_the_same_digest():
    assert Said("posted", "V1").digest == Said("posted", "V1").digest
    others = {
        Said("posted", "V1").digest,
        Said("accepted", "V1").digest,
        Said("posted", "V2").digest,
        Said("posted", None, "V1").digest,
        Said("posted", "V1", occurred_at=NINE).digest,
    }
    assert len(others) == 5


def test_what_is_waited_for():
    assert satisfies("accepted", "accepted")
    assert not satisfies("accepted", "posted")
    assert satisfies("posted", "accepted")
    assert satisfies("rejected", "posted")
