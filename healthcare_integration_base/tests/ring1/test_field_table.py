# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""The field table compiles to JSONata that does what its rows say."""

import pytest
from hib.protocol.field_table import TRANSFORMS
from hib.protocol.mapping import (
    FieldRow,
    MappingError,
    compile_expression,
    compile_table,
)
from hypothesis import given, settings
from hypothesis import strategies as st

EVENT = {
    "number": "P00001",
    "note": None,
    "total": "120.50",
    "rush": "false",
    "due": "2026-03-01T22:30:00+02:00",
    "partner": {"name": " Nord Medical ", "gln": "7300000000001"},
    "order": {
        "lines": [
            {
                "id": 7,
                "item": {"code": "a1"},
                "qty": "2.50",
                "uom": "Units",
                "lots": [{"name": "L1", "until": "20270131"}, {"name": None}],
            },
            {"id": 8, "item": {"code": "b2"}, "qty": 1, "uom": None, "lots": []},
        ]
    },
}


def run(*rows, data=EVENT, crosswalk=None):
    return compile_expression(compile_table(rows)).evaluate(data, crosswalk=crosswalk)


def failure(*rows, data=EVENT):
    with pytest.raises(MappingError) as caught:
        run(*rows, data=data)
    return caught.value


# -- paths -----------------------------------------------------------------------


def test_names_and_objects():
    assert run(
        FieldRow("orderNumber", "number"),
        FieldRow("buyer.party.name", "partner.name"),
        FieldRow("buyer.party.gln", "partner.gln"),
    ) == {
        "orderNumber": "P00001",
        "buyer": {"party": {"name": " Nord Medical ", "gln": "7300000000001"}},
    }


def test_missing_sources_leave_the_target_out_and_null_stays_null():
    assert run(
        FieldRow("a", "nothing.at.all"), FieldRow("b", "note"), FieldRow("c", "number")
    ) == {"b": None, "c": "P00001"}


def test_names_with_strange_characters():
    data = {"@type": 1, "a-b": {"c d": 2}, 'say "x"': 3, "$v": 4, "and": 5, "1st": 6}
    rows = [
        FieldRow("@type", "@type"),
        FieldRow("x-y.z w", "a-b.c d"),
        FieldRow('q"', 'say "x"'),
        FieldRow("v", "$v"),
        FieldRow("or", "and"),
        FieldRow("first", "1st"),
    ]
    assert run(*rows, data=data) == {
        "@type": 1,
        "x-y": {"z w": 2},
        'q"': 3,
        "v": 4,
        "or": 5,
        "first": 6,
    }


def test_one_element_of_an_array():
    assert run(
        FieldRow("first", "order.lines[0].item.code"),
        FieldRow("none", "order.lines[9].id"),
    ) == {"first": "a1"}


# -- arrays ----------------------------------------------------------------------

LINES = (
    FieldRow("lines[].sku", "order.lines[].item.code", "upper"),
    FieldRow("lines[].qty", "order.lines[].qty", "number"),
    FieldRow("lines[].order", "number"),
)


def test_arrays_iterate():
    assert run(*LINES) == {
        "lines": [
            {"sku": "A1", "qty": 2.5, "order": "P00001"},
            {"sku": "B2", "qty": 1, "order": "P00001"},
        ]
    }


def test_one_line_stays_an_array_and_none_is_an_empty_one():
    one = {"number": "X", "order": {"lines": [{"item": {"code": "a"}, "qty": "1"}]}}
    assert run(*LINES, data=one) == {"lines": [{"sku": "A", "qty": 1, "order": "X"}]}
    assert run(*LINES, data={"order": {"lines": []}}) == {"lines": []}
    assert run(*LINES, data={}) == {"lines": []}


def test_arrays_within_arrays():
    assert run(
        FieldRow("positions[].id", "order.lines[].id", "string"),
        FieldRow(
            "positions[].detail.batches[].no", "order.lines[].lots[].name", default="?"
        ),
        FieldRow(
            "positions[].detail.batches[].until", "order.lines[].lots[].until", "date"
        ),
        FieldRow("positions[].detail.batches[].order", "number", "lower"),
        FieldRow("positions[].detail.unit", "order.lines[].uom"),
    ) == {
        "positions": [
            {
                "id": "7",
                "detail": {
                    "batches": [
                        {"no": "L1", "until": "2027-01-31", "order": "p00001"},
                        {"no": "?", "order": "p00001"},
                    ],
                    "unit": "Units",
                },
            },
            {"id": "8", "detail": {"batches": [], "unit": None}},
        ]
    }


def test_constants_within_arrays():
    assert run(
        FieldRow("lines[].id", "order.lines[].id"),
        FieldRow("lines[].kind", default="goods"),
    ) == {"lines": [{"id": 7, "kind": "goods"}, {"id": 8, "kind": "goods"}]}


def test_two_arrays_from_one_source():
    assert run(
        FieldRow("a[].id", "order.lines[].id"), FieldRow("b[].uom", "order.lines[].uom")
    ) == {"a": [{"id": 7}, {"id": 8}], "b": [{"uom": "Units"}, {"uom": None}]}


# -- values ----------------------------------------------------------------------


@pytest.mark.parametrize(
    "transform, source, expected",
    [
        ("none", "total", "120.50"),
        ("upper", "partner.name", " NORD MEDICAL "),
        ("lower", "number", "p00001"),
        ("trim", "partner.name", "Nord Medical"),
        ("string", "order.lines[0].id", "7"),
        ("number", "total", 120.5),
        ("boolean", "rush", False),
        ("date", "due", "2026-03-01"),
        ("datetime", "due", "2026-03-01T20:30:00Z"),
    ],
)
def test_transforms(transform, source, expected):
    assert run(FieldRow("x", source, transform)) == {"x": expected}


@pytest.mark.parametrize("transform", TRANSFORMS)
@pytest.mark.parametrize("source", ["nothing", "note"])
def test_transforms_of_no_value(transform, source):
    result = run(FieldRow("x", source, transform), FieldRow("n", "number"))
    assert result.get("x") is None and result["n"] == "P00001"


@pytest.mark.parametrize("source", ["nothing", "note", ""])
def test_defaults_replace_no_value_and_null(source):
    assert run(FieldRow("x", source, default="EUR")) == {"x": "EUR"}
    assert run(FieldRow("x", source, "number", default="0")) == {"x": 0}
    assert run(FieldRow("x", source, "boolean", default="yes")) == {"x": True}


def test_defaults_are_text_not_code():
    for text in ("$eval('1')", 'a"b', "`x`", "{{v}}", "{v}", "\\", "\n", "€"):
        assert run(FieldRow("x", default=text)) == {"x": text}
        assert run(FieldRow("x", "nothing", "trim", default=text))["x"] == text.strip()


def test_values_replace_the_default():
    assert run(FieldRow("x", "number", default="EUR")) == {"x": "P00001"}
    assert run(FieldRow("x", "rush", "boolean", default="yes")) == {"x": False}
    assert run(FieldRow("x", "empty", default="EUR"), data={"empty": ""}) == {"x": ""}
    assert run(FieldRow("x", "zero", default="9"), data={"zero": 0}) == {"x": 0}


@pytest.mark.parametrize("source", ["nothing", "note"])
def test_required_names_the_target(source):
    error = failure(FieldRow("head.currency", source, required=True))
    assert error.code == "mapping_required_missing" and "head.currency" in error.message
    assert run(FieldRow("x", source, required=True, default="EUR")) == {"x": "EUR"}


def test_required_within_arrays():
    error = failure(FieldRow("lines[].uom", "order.lines[].uom", required=True))
    assert "lines[].uom" in error.message
    assert run(FieldRow("lines[].id", "order.lines[].id", required=True))["lines"][
        1
    ] == {"id": 8}


def test_values_that_cannot_be_converted_name_the_target():
    error = failure(FieldRow("lines[].qty", "order.lines[].item.code", "number"))
    assert error.message == "The field lines[].qty: A value cannot be read as a number"


def test_crosswalk_translates_after_the_transform():
    asked = []

    def crosswalk(domain, value):
        asked.append((domain, value))
        return "C62"

    rows = [
        FieldRow(
            "lines[].unit", "order.lines[].uom", "upper", default="EA", crosswalk="uom"
        )
    ]
    assert run(*rows, crosswalk=crosswalk) == {
        "lines": [{"unit": "C62"}, {"unit": "EA"}]
    }
    assert asked == [("uom", "UNITS")]


def test_a_crosswalk_without_an_answer_is_no_value():
    row = FieldRow("x", "number", crosswalk="uom")
    assert run(row, crosswalk=lambda domain, value: None) == {}


# -- wrong tables ----------------------------------------------------------------


@pytest.mark.parametrize(
    "rows, reason",
    [
        ((), "no rows"),
        ((FieldRow("", "a"),), "Row 1: the target path"),
        ((FieldRow("a..b", "a"),), "Row 1: the target path"),
        ((FieldRow("a`b", "a"),), "Row 1: the target path"),
        ((FieldRow("a", "a]"),), "Row 1: the source path"),
        ((FieldRow("a", "a[x]"),), "Row 1: the source path"),
        ((FieldRow("a", "a`"),), "Row 1: the source path"),
        ((FieldRow("a[]", "a[]"),), "must end with a field name"),
        ((FieldRow("a[0].b", "a[].b"),), "without a number"),
        ((FieldRow("a"),), "neither a source nor a default"),
        ((FieldRow("a", "b", "reverse"),), "no transform 'reverse'"),
        (
            (FieldRow("a", "x"), FieldRow("a", "y")),
            "Row 2: the target a is there twice",
        ),
        ((FieldRow("a", "x"), FieldRow("a.b", "y")), "Row 2: a is a value"),
        (
            (FieldRow("a.b", "x"), FieldRow("a", "y")),
            "Row 2: the target a is there twice",
        ),
        (
            (FieldRow("a.b", "x"), FieldRow("a[].c", "y[].z")),
            "Row 2: a is a value, an object or an array",
        ),
        (
            (FieldRow("a[].b", "x[].b"), FieldRow("a[].c", "y[].c")),
            "two different sources",
        ),
        ((FieldRow("a", "x[].b"),), "the source has more []"),
        ((FieldRow("a[].b[].c", "x[].c"),), "the target has more []"),
        ((FieldRow("a[].b", "x"),), "no row with a source that iterates"),
        (
            tuple(FieldRow(f"f{number}", "x") for number in range(2_001)),
            "at most 2000 rows",
        ),
    ],
)
def test_wrong_rows_are_named_with_the_reason(rows, reason):
    with pytest.raises(MappingError) as caught:
        compile_table(rows)
    assert caught.value.code == "mapping_bad_row"
    assert reason in caught.value.message


def test_the_order_of_rows_does_not_matter_for_arrays():
    top_first = (LINES[2], LINES[0], LINES[1])
    assert run(*top_first) == run(*LINES)


PATHS = st.lists(
    st.tuples(
        st.sampled_from(["a", "b", "line items", "x-1", "$", "null", "@"]),
        st.booleans(),
    ),
    min_size=1,
    max_size=4,
).map(lambda path: ".".join(name + ("[]" if many else "") for name, many in path))


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.builds(
            FieldRow,
            target=PATHS | st.text(max_size=8),
            source=PATHS | st.text(max_size=8),
            transform=st.sampled_from(list(TRANSFORMS)),
            default=st.none() | st.text(max_size=8),
            required=st.booleans(),
            crosswalk=st.none() | st.text(max_size=5),
        ),
        max_size=5,
    ),
    st.recursive(
        st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=4),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["a", "b", "line items", "x-1"]), inner, max_size=3
            )
        ),
        max_leaves=10,
    ),
)
def test_any_table_either_names_its_fault_or_is_valid_jsonata(rows, data):
    try:
        text = compile_table(rows)
    except MappingError as exc:
        assert exc.code == "mapping_bad_row"
        return
    compiled = compile_expression(text)
    try:
        result = compiled.evaluate(
            data, timeout=5, crosswalk=lambda domain, value: value
        )
    except MappingError as exc:
        assert exc.code in (
            "mapping_required_missing",
            "mapping_bad_value",
            "mapping_failed",
        )
    else:
        assert isinstance(result, dict)
