# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Conversions and bounded copies of JSON values."""

import json
from datetime import date, datetime

import pytest
from hib.protocol.mapping_errors import MappingError
from hib.protocol.values import (
    as_boolean,
    as_date,
    as_datetime,
    as_number,
    count_nodes,
    plain_copy,
)
from hypothesis import given
from hypothesis import strategies as st

CONVERSIONS = (as_boolean, as_date, as_datetime, as_number)


@pytest.mark.parametrize("convert", CONVERSIONS)
def test_nothing_stays_nothing(convert):
    assert convert(None) is None


@pytest.mark.parametrize(
    "value", [True, 1, 1.0, "true", "TRUE", " yes ", "Y", "1", "on"]
)
def test_true(value):
    assert as_boolean(value) is True


@pytest.mark.parametrize("value", [False, 0, "false", "No", "n", "0", "off", ""])
def test_false(value):
    assert as_boolean(value) is False


@pytest.mark.parametrize(
    "value, expected",
    [
        ("1", 1),
        ("1.50", 1.5),
        ("-0.1", -0.1),
        ("+3", 3),
        (" 7 ", 7),
        ("0.10", 0.1),
        (5, 5),
        (2.5, 2.5),
        ("100.00", 100),
        ("123456789012345678901234567890", 123456789012345678901234567890),
    ],
)
def test_numbers(value, expected):
    assert as_number(value) == expected
    json.dumps(as_number(value), allow_nan=False)


def test_digits_are_never_lost():
    with pytest.raises(MappingError, match="more digits"):
        as_number("0.12345678901234567890123")


@given(
    st.decimals(
        allow_nan=False,
        allow_infinity=False,
        places=4,
        min_value=-(10**9),
        max_value=10**9,
    )
)
def test_amounts_survive(amount):
    assert f"{as_number(str(amount)):.4f}" == f"{amount:.4f}"


@pytest.mark.parametrize(
    "value, expected",
    [
        ("2026-02-28", "2026-02-28"),
        ("20260228", "2026-02-28"),
        ("2026-02-28T23:59:59Z", "2026-02-28"),
        ("2026-02-28 23:59", "2026-02-28"),
        ("2024-02-29", "2024-02-29"),
    ],
)
def test_dates(value, expected):
    assert as_date(value) == expected


@pytest.mark.parametrize(
    "value, expected",
    [
        ("2026-02-28", "2026-02-28T00:00:00Z"),
        ("2026-02-28T12:30:15Z", "2026-02-28T12:30:15Z"),
        ("2026-02-28 12:30", "2026-02-28T12:30:00Z"),
        ("2026-02-28T12:30:15.5+01:00", "2026-02-28T11:30:15.500000Z"),
        ("20260228T123015-0530", "2026-02-28T18:00:15Z"),
        ("20260228123015", "2026-02-28T12:30:15Z"),
        ("2026-02-28T12:30:15.123456789Z", "2026-02-28T12:30:15.123456Z"),
    ],
)
def test_moments(value, expected):
    assert as_datetime(value) == expected


@pytest.mark.parametrize(
    "value",
    [
        "2026-02-30",
        "26-02-01",
        "2026-13-01",
        "x",
        "",
        "2026-02-28T25:00",
        "0000-01-01",
        20260228,
        True,
        [],
        {},
        "٢٠٢٦-02-28",
        "2026-02-28T12:30:15+01:0",
    ],
)
def test_what_is_no_moment(value):
    for convert in (as_date, as_datetime):
        with pytest.raises(MappingError) as caught:
            convert(value)
        assert caught.value.code == "mapping_bad_value"


@pytest.mark.parametrize(
    "value", ["x", "1e5", "1,5", "0x10", "nan", "inf", "1_0", "", True, [], {}, "٣"]
)
def test_what_is_no_number(value):
    with pytest.raises(MappingError):
        as_number(value)


@pytest.mark.parametrize("value", ["maybe", 2, -1, [], {}, 0.5])
def test_what_is_no_boolean(value):
    with pytest.raises(MappingError):
        as_boolean(value)


def test_a_moment_at_the_edge_of_time():
    with pytest.raises(MappingError):
        as_datetime("0001-01-01T00:00:00+05:00")


@given(st.datetimes(min_value=datetime(1900, 1, 1)))
def test_each_moment_reads_back(moment):
    assert datetime.fromisoformat(as_datetime(moment.isoformat())[:-1]) == moment
    assert date.fromisoformat(as_date(moment.isoformat())) == moment.date()


@given(st.text(max_size=40), st.sampled_from(CONVERSIONS))
def test_random_text_only_raises_our_error(text, convert):
    try:
        convert(text)
    except MappingError as exc:
        assert exc.code == "mapping_bad_value"


def test_copies_share_nothing():
    value = {"a": [1, {"b": None}]}
    copy = plain_copy(value, 100)
    copy["a"][1]["b"] = 5
    assert value == {"a": [1, {"b": None}]}


def test_null_objects_become_none():
    null = object()
    assert plain_copy({"a": null, "b": [null]}, 100, null) == {"a": None, "b": [None]}
    assert plain_copy(null, 100, null) is None


@pytest.mark.parametrize(
    "value", [float("nan"), float("inf"), object(), b"x", {1: 2}, (1,), print]
)
def test_what_is_not_json(value):
    with pytest.raises(MappingError) as caught:
        plain_copy([value], 100)
    assert caught.value.code == "mapping_not_json"


def test_size_counts_shared_values_each_time():
    value = ["x"]
    for _ in range(40):
        value = [value, value]
    with pytest.raises(MappingError) as caught:
        count_nodes(value, 10_000)
    assert caught.value.code == "mapping_too_large"
    assert count_nodes({"a": [1, 2]}, 10) == 4


def test_depth_is_bounded():
    value = ["x"]
    for _ in range(100):
        value = [value]
    with pytest.raises(MappingError) as caught:
        plain_copy(value, 10_000)
    assert caught.value.code == "mapping_too_deep"
