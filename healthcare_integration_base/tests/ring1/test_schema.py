# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""JSON Schema: faults with their place, findings without the content."""

import copy
import json

import pytest
from hib.protocol.schema import (
    MAX_CONTENT_DEPTH,
    MAX_ERRORS,
    SchemaError,
    check_schema,
    validate,
)
from hypothesis import given, settings
from hypothesis import strategies as st

ORDER = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "required": ["number", "lines"],
    "additionalProperties": False,
    "properties": {
        "number": {"type": "string", "minLength": 1, "maxLength": 20},
        "total": {"type": "string", "pattern": r"^-?[0-9]+(\.[0-9]+)?$"},
        "currency": {"enum": ["EUR", "USD"]},
        "day": {"type": "string", "format": "date"},
        "at": {"type": "string", "format": "date-time"},
        "uid": {"type": "string", "format": "uuid"},
        "rush": {"type": ["boolean", "null"]},
        "lines": {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/line"}},
    },
    "$defs": {
        "line": {
            "type": "object",
            "required": ["sku", "qty"],
            "properties": {
                "sku": {"type": "string"},
                "qty": {"type": "number", "exclusiveMinimum": 0},
            },
        }
    },
}
VALID = {
    "number": "P00001",
    "total": "-12.50",
    "currency": "EUR",
    "day": "2026-02-28",
    "at": "2026-02-28T10:00:00+01:00",
    "uid": "0190a0a0-0000-7000-8000-000000000000",
    "rush": None,
    "lines": [{"sku": "A", "qty": 1}],
}


def findings(schema=ORDER, **changes):
    return validate(schema, {**VALID, **changes})


def fault(schema):
    with pytest.raises(SchemaError) as caught:
        check_schema(schema)
    return caught.value


def test_a_good_schema_is_returned():
    assert check_schema(json.dumps(ORDER)) == check_schema(ORDER) == ORDER


def test_valid_content_has_no_findings():
    assert findings() == []


@pytest.mark.parametrize(
    "changes, path, message",
    [
        ({"number": 5}, "/number", 'must be of type "string"'),
        ({"number": ""}, "/number", "must have at least 1 characters"),
        ({"number": "x" * 21}, "/number", "must have at most 20 characters"),
        ({"total": "12,5"}, "/total", "must match the pattern"),
        ({"total": "1" * 100_000}, "/total", "must match the pattern"),
        ({"currency": "ssn-4711"}, "/currency", 'must be one of ["EUR", "USD"]'),
        ({"day": "2026-02-30"}, "/day", 'must have the format "date"'),
        ({"day": "20260228"}, "/day", 'must have the format "date"'),
        ({"at": "2026-02-28T10:00:00"}, "/at", 'must have the format "date-time"'),
        (
            {"at": "2026-02-28T10:00:00+25:00"},
            "/at",
            'must have the format "date-time"',
        ),
        ({"uid": "x"}, "/uid", 'must have the format "uuid"'),
        ({"rush": "ssn-4711"}, "/rush", 'must be of type ["boolean", "null"]'),
        ({"lines": []}, "/lines", "must have at least 1 items"),
        (
            {"lines": [{"sku": "A", "qty": 1}, {"sku": "B", "qty": 0}]},
            "/lines/1/qty",
            "must be more than 0",
        ),
        ({"lines": [{"sku": "A"}]}, "/lines/0", "lacks the property qty"),
        ({"ssn-4711": 1}, "", "has properties the schema does not know"),
    ],
)
def test_findings_name_the_place_and_never_the_content(changes, path, message):
    (finding,) = findings(**changes)
    assert finding["path"] == path and finding["message"].startswith(message)
    assert "4711" not in json.dumps(finding)


def test_all_findings_are_listed_up_to_a_limit():
    assert {
        finding["path"] for finding in findings(number=5, currency="x", lines=[{}])
    } == {"/number", "/currency", "/lines/0"}
    assert [f["message"] for f in validate(ORDER, {})] == [
        "lacks the property number",
        "lacks the property lines",
    ]
    assert len(findings(lines=[{}] * 5_000)) == MAX_ERRORS


@pytest.mark.parametrize("content", [None, [], 5, "x", True, [{}]])
def test_content_of_another_type(content):
    assert validate(ORDER, content) == [
        {"path": "", "message": 'must be of type "object"'}
    ]


def test_places_are_json_pointers():
    schema = {"properties": {"a/b~c": {"type": "string"}}}
    assert validate(schema, {"a/b~c": 1})[0]["path"] == "/a~1b~0c"


@pytest.mark.parametrize(
    "keyword, message", [("anyOf", "fits none"), ("oneOf", "must fit exactly one")]
)
def test_alternatives_are_one_finding(keyword, message):
    schema = {keyword: [{"type": "string"}, {"type": "number"}]}
    (finding,) = validate(schema, ["ssn-4711"])
    assert finding["message"].startswith(message)


def test_parts_of_all_of_are_findings_of_their_own():
    schema = {"allOf": [{"required": ["a"]}, {"properties": {"b": {"type": "string"}}}]}
    assert {finding["path"] for finding in validate(schema, {"b": 1})} == {"", "/b"}


@pytest.mark.parametrize(
    "schema, position, pointer, reason",
    [
        ('{"type":', 8, None, "line 1, column 9"),
        ('{\n "type": }', 11, None, "line 2, column 10"),
        ("", 0, None, "line 1, column 1"),
        ("[]", None, "", "JSON object"),
        ('"x"', None, "", "JSON object"),
        (b"\xff{}\xfe", None, None, "UTF-8"),
        ("[" * 100_000, None, None, "not JSON"),
        ('{"type": "text"}', None, "/type", "'text'"),
        (
            '{"properties": {"a": {"minLength": -1}}}',
            None,
            "/properties/a/minLength",
            "minimum",
        ),
        (
            {"$schema": "http://json-schema.org/draft-07/schema#"},
            None,
            "/$schema",
            "2020-12",
        ),
        ({"$schema": 5}, None, "/$schema", "2020-12"),
        ({"pattern": "("}, None, "/pattern", "pattern"),
        ({"items": {"pattern": "(a+)+$"}}, None, "/items/pattern", "repeated"),
        (
            {"patternProperties": {"(a*)*": {}}},
            None,
            "/patternProperties/(a*)*",
            "repeated",
        ),
        (
            {"patternProperties": {"a*a*a*a*a*a*b": {}}},
            None,
            "/patternProperties/a*a*a*a*a*a*b",
            "too long",
        ),
        (
            {"items": {"$ref": "https://example.com/x"}},
            None,
            "/items/$ref",
            "within the document",
        ),
        ({"$ref": "file:///etc/passwd"}, None, "/$ref", "within the document"),
        ({"$ref": "#/$defs/none"}, None, "/$ref", "does not exist"),
        ({"$ref": "#/type", "type": "object"}, None, "/$ref", "does not exist"),
        ({"$ref": "#name"}, None, "/$ref", "within the document"),
        ({"$dynamicRef": "#name"}, None, "/$dynamicRef", "not supported"),
        ({"items": {"$anchor": "name"}}, None, "/items/$anchor", "not supported"),
        (
            {"items": {"$id": "https://x.example/"}},
            None,
            "/items/$id",
            "only the whole schema",
        ),
    ],
)
def test_faults_of_a_schema_name_their_place(schema, position, pointer, reason):
    error = fault(schema)
    assert (error.position, error.pointer, error.code) == (
        position,
        pointer,
        "bad_schema",
    )
    assert reason in error.message


def test_a_reference_is_never_fetched(monkeypatch):
    import socket

    def never(*args, **kwargs):
        raise AssertionError("the network was used")

    monkeypatch.setattr(socket, "getaddrinfo", never)
    monkeypatch.setattr(socket.socket, "connect", never)
    for reference in (
        "https://example.com/schema.json",
        "http://127.0.0.1/x",
        "other.json",
    ):
        with pytest.raises(SchemaError):
            validate({"$ref": reference}, {})


TREE = {
    "type": "object",
    "properties": {
        "name": {"type": "string"},
        "children": {"type": "array", "items": {"$ref": "#"}},
        "not": {"$ref": "#/properties/name"},
    },
}


def test_a_schema_may_be_recursive_along_the_content():
    assert check_schema(TREE) == TREE
    assert validate(TREE, {"children": [{"children": [{"name": 5, "not": 6}]}]}) == [
        {"path": "/children/0/children/0/name", "message": 'must be of type "string"'},
        {"path": "/children/0/children/0/not", "message": 'must be of type "string"'},
    ]


@pytest.mark.parametrize(
    "schema",
    [
        {"$ref": "#"},
        {"allOf": [{"$ref": "#"}]},
        {
            "$ref": "#/$defs/a",
            "$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}},
        },
        {
            "properties": {
                "x": {"anyOf": [{"type": "null"}, {"not": {"$ref": "#/properties/x"}}]}
            }
        },
        {"$defs": {"a": {"dependentSchemas": {"x": {"$ref": "#/$defs/a"}}}}},
        {"if": {"oneOf": [True, {"$ref": "#"}]}},
    ],
)
def test_references_that_lead_back_to_themselves_are_refused(schema):
    assert "leads back to itself" in fault(schema).message


def deep(levels):
    value: list = []
    for _ in range(levels - 1):
        value = [value]
    return value


def test_deep_content_is_a_finding_and_never_a_crash():
    """The validator's Rust parts panic at the limit of recursion; we never get there."""

    def at_depth(frames, function):
        return function() if not frames else at_depth(frames - 1, function)

    schema = {"items": {"$ref": "#"}}
    assert check_schema(schema) == schema
    assert at_depth(200, lambda: validate(schema, deep(MAX_CONTENT_DEPTH))) == []
    for levels in (MAX_CONTENT_DEPTH + 1, 900, 100_000):
        assert validate(schema, deep(levels)) == [
            {"path": "", "message": "nests too deeply"}
        ]


def test_a_value_named_like_a_keyword_is_no_reference():
    schema = {
        "properties": {
            "kind": {"const": {"$ref": "https://x"}, "default": {"pattern": "(a+)+"}}
        }
    }
    assert check_schema(schema) == schema


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=60) | st.text(max_size=60))
def test_random_schemas_only_raise_our_error(text):
    try:
        check_schema(text)
    except SchemaError:
        pass


KEYWORDS = st.sampled_from(
    [
        "type",
        "properties",
        "items",
        "$ref",
        "pattern",
        "enum",
        "$schema",
        "allOf",
        "const",
    ]
)
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=5)
    | st.just("#/properties"),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(KEYWORDS | st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=8,
)


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(KEYWORDS, JSON, max_size=4), JSON)
def test_what_passes_the_check_can_be_applied(schema, content):
    try:
        check_schema(schema)
    except SchemaError:
        return
    before = copy.deepcopy(content)
    assert isinstance(validate(schema, content), list)
    assert content == before


def test_names_longer_than_patterns_can_bear_are_refused():
    cheap = check_schema({"patternProperties": {"^[a-z]+-[0-9]+$": {}}})
    assert validate(cheap, {"a" * 255: 1}) == []
    found = validate(cheap, {"items": [{"a" * 256: 1}]})
    assert found == [{"path": "", "message": "has a property name that is too long"}]


# an exception that hits a callback of the garbage collector is reported, and sent again
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_check_that_does_not_end_is_cut_off(monkeypatch):
    monkeypatch.setattr("hib.protocol.schema.TIMEOUT", 0.2)
    branching = {
        f"d{i}": {"anyOf": [{"$ref": f"#/$defs/d{i + 1}"}] * 2} for i in range(40)
    }
    endless = {"$defs": {**branching, "d40": False}, "$ref": "#/$defs/d0"}
    found = validate(check_schema(endless), 1)
    assert found == [{"path": "", "message": "takes too long to check"}]
    pairs = [{"n": number} for number in range(20_000)]
    found = validate(check_schema({"uniqueItems": True}), pairs)
    assert found == [{"path": "", "message": "takes too long to check"}]
