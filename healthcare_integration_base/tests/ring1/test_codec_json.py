# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""JSON and CloudEvents of partners: what is read, and what is refused with which code."""

import json

import pytest
from hib import codecs
from hib.codecs.json_codec import MAX_DEPTH, JsonCodec, loads
from hypothesis import given
from hypothesis import strategies as st

CLOUDEVENT = "application/cloudevents+json"
codec = JsonCodec()


def event(**changes):
    attributes = {
        "specversion": "1.0",
        "id": "e-1",
        "source": "urn:partner",
        "type": "healthcare.supply.purchase_order.acknowledged.v1",
        "data": {"n": 1},
    }
    attributes.update(changes)
    return json.dumps(
        {name: value for name, value in attributes.items() if value is not None}
    ).encode()


def refusal(body, mimetype="application/json", charset=None):
    with pytest.raises(codecs.CodecError) as caught:
        codec.parse(body, mimetype, charset)
    return caught.value


def test_an_object_is_read_as_it_is():
    received = codec.parse(
        b'{"b": [1, 2.5, "x"], "a": null}', "application/json", "UTF-8"
    )
    assert received.data == {"b": [1, 2.5, "x"], "a": None}
    assert received.type is None and received.external_id is None


def test_a_byte_order_mark_is_skipped():
    assert loads(b'\xef\xbb\xbf{"a": 1}') == {"a": 1}


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "invalid_json"),
        (b"{", "invalid_json"),
        (b'{"a": 1} x', "invalid_json"),
        (b"<xml/>", "invalid_json"),
        (b'{"a": "\x01"}', "invalid_json"),
        (b'{"a": NaN}', "invalid_json"),
        (b'{"a": -Infinity}', "invalid_json"),
        (b"[]", "not_an_object"),
        (b'"text"', "not_an_object"),
        (b"12", "not_an_object"),
        (b'{"a": 1e999}', "number_out_of_range"),
        (b'{"a": ' + b"9" * 41 + b"}", "number_out_of_range"),
        (b'{"a": ' + b"9" * 100_000 + b"}", "number_out_of_range"),
        (b'{"a": ' + b"[" * MAX_DEPTH + b"]" * MAX_DEPTH + b"}", "json_too_deep"),
        (b'{"a":' * 200_000, "json_too_deep"),
        (b"[" * 200_000, "json_too_deep"),
        (b'{"a": "\\u0000"}', "invalid_text"),
        (b'{"\\u0000": 1}', "invalid_text"),
        (b'{"a": ["\\ud800"]}', "invalid_text"),
        (b'{"a": "\xe9"}', "invalid_encoding"),
        ('{"a": 1}'.encode("utf-16"), "invalid_encoding"),
        (b"\x1f\x8b\x08\x00", "invalid_encoding"),
    ],
)
def test_what_no_handler_could_take_is_refused(body, code):
    error = refusal(body)
    assert (error.code, error.status) == (code, 400)


def test_the_deepest_allowed_nesting_is_read():
    body = b'{"a": ' + b"[" * (MAX_DEPTH - 1) + b"]" * (MAX_DEPTH - 1) + b"}"
    assert codec.parse(body, "application/json", None).data


def test_the_position_of_an_error_is_told_and_the_content_is_not():
    error = refusal(b'{"name": "Jane Roe",\n oops}')
    assert "line 2, column 2" in error.message
    assert "Jane" not in error.message and "oops" not in error.message


def test_another_character_set_is_refused_by_name():
    error = refusal(b"{}", charset="iso-8859-1")
    assert (error.code, error.status) == ("unsupported_charset", 415)


def test_a_cloudevent_gives_its_attributes():
    received = codec.parse(
        event(
            subject="P00012",
            time="2026-11-20T10:00:00Z",
            correlationid="c",
            partitionkey="po,7",
        ),
        CLOUDEVENT,
        None,
    )
    assert received.data == {"n": 1}
    assert received.meta() == {
        "id": "e-1",
        "type": "healthcare.supply.purchase_order.acknowledged.v1",
        "time": "2026-11-20T10:00:00Z",
        "subject": "P00012",
        "source": "urn:partner",
        "correlation": "c",
    }
    assert received.ordering_key == "po,7"


@pytest.mark.parametrize(
    ("changes", "attribute"),
    [
        ({"specversion": "0.3"}, "specversion"),
        ({"specversion": None}, "specversion"),
        ({"id": ""}, "id"),
        ({"id": 5}, "id"),
        ({"id": "x" * 256}, "id"),
        ({"id": "a\nb"}, "id"),
        ({"type": None}, "type"),
        ({"source": None}, "source"),
        ({"subject": {"a": 1}}, "subject"),
        ({"data": None}, "data"),
        ({"data": "text"}, "data"),
    ],
)
def test_a_broken_cloudevent_names_the_attribute(changes, attribute):
    error = refusal(event(**changes), CLOUDEVENT)
    assert error.code == "invalid_cloudevent"
    assert f"attribute {attribute}:" in error.message


@pytest.mark.parametrize(
    ("mimetype", "accepted"),
    [
        ("application/json", True),
        (CLOUDEVENT, True),
        ("application/fhir+json", True),
        ("application/cloudevents-batch+json", False),
        ("text/plain", False),
        ("", False),
    ],
)
def test_media_types(mimetype, accepted):
    assert codec.accepts(mimetype) is accepted


def test_an_unknown_codec_is_a_matter_of_configuration():
    with pytest.raises(Exception, match="no codec 'x12'") as caught:
        codecs.get("x12")
    assert caught.value.code == "unknown_codec"


@given(st.binary(max_size=400))
def test_random_bytes_are_read_or_refused_never_worse(body):
    for mimetype in codec.content_types:
        try:
            codec.parse(body, mimetype, None)
        except codecs.CodecError as error:
            assert error.status in (400, 415)


_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(st.dictionaries(st.text(), _values))
def test_any_json_object_is_read_or_refused_never_worse(document):
    try:
        assert loads(json.dumps(document).encode()) is not None
    except codecs.CodecError as error:
        assert error.status == 400
