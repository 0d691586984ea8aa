# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Cursors, and what an acknowledgement of a leased message means."""

from datetime import datetime

import pytest
from hib.protocol import feed
from hib.protocol.feed import DELIVERED, FAILED, REJECTED, Held, Refused, judge
from hypothesis import given
from hypothesis import strategies as st

LEASE = "0b7c"


@given(st.datetimes(min_value=datetime(1970, 1, 1), max_value=datetime(2200, 1, 1)))
def test_a_cursor_leads_back_to_its_moment(moment):
    assert feed.moment_of(feed.cursor_of(moment)) == moment


@given(st.text(max_size=40))
def test_any_text_is_a_cursor_or_none(text):
    moment = feed.moment_of(text)
    assert moment is None or feed.cursor_of(moment) == text.lstrip("0").rjust(1, "0")


@pytest.mark.parametrize("text", ["", "-1", "1.5", "1e3", " 1", "٣", "1" * 17, "0x1"])
def test_no_cursor(text):
    assert feed.moment_of(text) is None


@pytest.mark.parametrize("result", [DELIVERED, FAILED, REJECTED])
def test_what_is_leased_may_be_acknowledged_under_its_lease(result):
    held = Held("pending", LEASE, mine=False, leased=True)
    assert judge(held, result, LEASE)


@pytest.mark.parametrize("result", [DELIVERED, FAILED, REJECTED])
def test_another_lease_is_lost(result):
    held = Held("pending", LEASE, mine=True, leased=True)
    with pytest.raises(Refused) as error:
        judge(held, result, "another")
    assert error.value.code == "lease_lost"
    assert error.value.status == 409


def test_without_a_lease_named_the_last_consumer_counts():
    assert judge(Held("pending", LEASE, mine=True, leased=True), DELIVERED, None)
    with pytest.raises(Refused):
        judge(Held("pending", LEASE, mine=False, leased=True), DELIVERED, None)


def test_what_was_never_handed_out_is_not_acknowledged():
    with pytest.raises(Refused) as error:
        judge(Held("pending"), DELIVERED, None)
    assert error.value.code == "not_leased"


def test_late_results_count_while_nobody_else_has_it_but_a_late_failure_says_nothing():
    late = Held("pending", LEASE, mine=True, leased=False)
    assert judge(late, DELIVERED, LEASE)
    assert judge(late, REJECTED, LEASE)
    assert not judge(late, FAILED, LEASE)


@pytest.mark.parametrize(
    ("state", "result"),
    [("delivered", DELIVERED), ("dead", REJECTED), ("dead", FAILED)],
)
def test_the_same_said_again_changes_nothing(state, result):
    assert not judge(Held(state), result, LEASE)


@pytest.mark.parametrize(
    ("state", "result"),
    [
        ("delivered", FAILED),
        ("delivered", REJECTED),
        ("dead", DELIVERED),
        ("cancelled", DELIVERED),
        ("filtered", FAILED),
    ],
)
def test_what_is_finished_is_not_finished_otherwise(state, result):
    with pytest.raises(Refused) as error:
        judge(Held(state, LEASE, mine=True), result, LEASE)
    assert error.value.code == "already_finished"


def test_event_types_are_named_by_code_or_cloudevents_type():
    assert feed.type_domain("supply.x") == [("code", "=", "supply.x")]
    assert feed.type_domain("healthcare.supply.x.v2") == [
        ("code", "=", "supply.x"),
        ("version", "=", 2),
    ]
    assert feed.type_domain("") is None
    assert feed.type_domain("healthcare.nothing") is None
    assert feed.type_domain("x" * 300) is None
