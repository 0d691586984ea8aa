# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Cursors, chosen fields, entity tags, instants, deprecation: what callers of APIs send."""

from __future__ import annotations

import base64
from datetime import date, datetime, timedelta

import pytest
from hib.protocol import conditional, cursor, deprecation, instants, selection
from hypothesis import given
from hypothesis import strategies as st

MOMENTS = st.datetimes(min_value=datetime(1970, 1, 1), max_value=datetime(9999, 12, 31))
IDS = st.integers(0, cursor.MAX_ID)


# -- cursors ------------------------------------------------------------------------------


@given(MOMENTS, IDS, st.text())
def test_a_cursor_leads_back_to_its_position(moment, record_id, query):
    position = cursor.Position(moment, record_id)
    assert cursor.decode(cursor.encode(position, query), query) == position


@given(st.text())
def test_any_text_is_a_cursor_of_ours_or_refused(text):
    with pytest.raises(cursor.BadCursor):
        cursor.decode(text, "products")


@given(MOMENTS, IDS, st.data())
def test_a_damaged_cursor_is_refused(moment, record_id, data):
    text = cursor.encode(cursor.Position(moment, record_id), "q")
    place = data.draw(st.integers(0, len(text) - 1))
    letter = data.draw(st.characters(codec="ascii").filter(lambda c: c != text[place]))
    damaged = text[:place] + letter + text[place + 1 :]
    try:
        found = cursor.decode(damaged, "q")
    except cursor.BadCursor:
        return
    # unused bits of the last letter may differ: still the same position, never another
    assert found == cursor.Position(moment, record_id)


def test_a_cursor_counts_for_its_own_query_only():
    text = cursor.encode(cursor.Position(datetime(2026, 1, 1), 7), "products")
    with pytest.raises(cursor.BadCursor, match="other parameters"):
        cursor.decode(text, "suppliers")


@pytest.mark.parametrize("body", ["1.999999999999999999.1.", "1.1.9999999999."])
def test_numbers_beyond_the_database_are_refused(body):
    text = base64.urlsafe_b64encode((body + "0" * 16).encode()).decode().rstrip("=")
    with pytest.raises(cursor.BadCursor):
        cursor.decode(text, "q")


# -- chosen fields ------------------------------------------------------------------------

SCHEMA = {
    "properties": {
        "number": {"type": "string"},
        "lines": {"type": "array", "items": {"$ref": "#/$defs/line"}},
        "party": {"anyOf": [{"$ref": "#/$defs/party"}, {"type": "null"}]},
    },
    "$defs": {
        "line": {
            "properties": {
                "product": {},
                "quantity": {},
                "item": {"$ref": "#/$defs/party"},
            }
        },
        "party": {"properties": {"name": {}}},
    },
}
DOCUMENT = {
    "number": "P1",
    "lines": [{"product": "a", "quantity": "1"}, {"product": "b"}],
    "party": {"name": "Medline"},
}


def picked(text):
    tree = selection.parse(text)
    selection.check(tree, SCHEMA)
    return selection.pick(tree, DOCUMENT)


def test_chosen_fields_of_objects_and_lists():
    assert picked("number,lines.product") == {
        "number": "P1",
        "lines": [{"product": "a"}, {"product": "b"}],
    }
    assert picked("party.name") == {"party": {"name": "Medline"}}


@pytest.mark.parametrize("text", ["lines,lines.product", "lines.product,lines"])
def test_the_wider_wish_wins(text):
    assert picked(text) == {"lines": DOCUMENT["lines"]}


def test_several_fields_of_the_same_object():
    assert picked("lines.product,lines.quantity") == {"lines": DOCUMENT["lines"]}


@pytest.mark.parametrize(
    "text", ["nothing", "lines.nothing", "number.deeper", "party.vat"]
)
def test_an_unknown_field_is_named(text):
    with pytest.raises(selection.BadSelection) as error:
        picked(text)
    assert error.value.code == "unknown_field"
    assert text in error.value.message


@pytest.mark.parametrize(
    "text",
    ["", ",", "a,", "a..b", ".a", "a b", "a\0", "ä", "a." * 20 + "a", "a," * 1500],
)
def test_what_is_no_list_of_names_is_refused(text):
    with pytest.raises(selection.BadSelection):
        selection.parse(text)


@given(st.text(max_size=3000))
def test_any_text_is_parsed_or_refused(text):
    try:
        tree = selection.parse(text)
    except selection.BadSelection:
        return
    assert tree


PATHS = st.lists(
    st.lists(st.sampled_from("abc"), min_size=1, max_size=4).map(".".join), min_size=1
)
DOCUMENTS = st.recursive(
    st.integers(),
    lambda inner: st.lists(inner, max_size=2)
    | st.dictionaries(st.sampled_from("abcd"), inner, max_size=4),
)


@given(PATHS, DOCUMENTS)
def test_nothing_is_picked_that_was_not_there(paths, document):
    def leaves(value, path=()):
        if isinstance(value, dict):
            for name, inner in value.items():
                yield from leaves(inner, (*path, name))
        elif isinstance(value, list):
            for inner in value:
                yield from leaves(inner, path)
        else:
            yield path, value

    kept = list(leaves(selection.pick(selection.parse(",".join(paths)), document)))
    have = list(leaves(document))
    wanted = [tuple(path.split(".")) for path in paths]
    for path, value in kept:
        assert (path, value) in have
        assert any(path[: len(one)] == one[: len(path)] for one in wanted)
    for path, value in have:
        if any(path[: len(one)] == one for one in wanted):
            assert (path, value) in kept


# -- entity tags --------------------------------------------------------------------------


@given(st.binary())
def test_a_tag_is_known_again(body):
    tag = conditional.entity_tag(body)
    for header in (tag, f"W/{tag}", f'"other", {tag}', "*", f' {tag} , "x"'):
        assert conditional.is_known(header, tag)


@given(st.binary(), st.binary())
def test_other_bytes_have_another_tag(one, other):
    assert (conditional.entity_tag(one) == conditional.entity_tag(other)) == (
        one == other
    )


@given(st.text())
def test_any_other_header_is_no_match(header):
    assert conditional.is_known(header, conditional.entity_tag(b"x")) == (
        header.strip() == "*"
    )


# -- instants -----------------------------------------------------------------------------


@given(MOMENTS)
def test_an_instant_comes_back_to_the_microsecond(moment):
    assert instants.parse_instant(instants.format_instant(moment)) == moment


@given(MOMENTS, st.integers(-1439, 1439))
def test_zones_are_turned_into_utc(moment, minutes):
    sign, size = "-" if minutes < 0 else "+", abs(minutes)
    local = moment.isoformat(timespec="microseconds")
    text = f"{local}{sign}{size // 60:02}:{size % 60:02}"
    try:
        expected = moment - timedelta(minutes=minutes)
    except OverflowError:
        expected = None
    if expected is None:
        with pytest.raises(ValueError, match="calendar"):
            instants.parse_instant(text)
    else:
        assert instants.parse_instant(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-20",
        "2026-11-20T10:00:00",
        "2026-11-20T10:00Z",
        "2026-13-01T00:00:00Z",
        "2026-02-30T00:00:00Z",
        "2026-11-20T25:00:00Z",
        "2026-11-20T10:00:60Z",
        "2026-11-20T10:00:00+25:00",
        "2026-11-20T10:00:00+01:75",
        "0001-01-01T00:00:00+01:00",
        "0000-01-01T00:00:00Z",
        "2026-11-20T10:00:00Z\n",
        "２026-11-20T10:00:00Z",
        "yesterday",
        "",
    ],
)
def test_what_is_no_instant_is_refused(text):
    with pytest.raises(ValueError):
        instants.parse_instant(text)


@given(st.text())
def test_any_text_is_an_instant_or_refused(text):
    with pytest.raises(ValueError):
        instants.parse_instant(text)
    with pytest.raises(ValueError):
        instants.parse_date(text)


@given(st.dates())
def test_a_date_comes_back(day):
    assert instants.parse_date(day.isoformat()) == day


# -- deprecation --------------------------------------------------------------------------


def test_deprecation_and_sunset_as_the_standards_write_them():
    assert deprecation.headers(date(2026, 1, 1), date(2026, 12, 31)) == {
        "Deprecation": "@1767225600",
        "Sunset": "Thu, 31 Dec 2026 00:00:00 GMT",
    }
    assert deprecation.headers(None, None) == {}
