# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Lines, arrays and headers that carry messages: nothing is lost, nothing bleeds over."""

import json
import tracemalloc
from itertools import islice

import pytest
from hib.codecs import CodecError
from hib.codecs.batches import binary_event, split_events, split_lines
from hib.codecs.json_codec import JsonCodec
from hypothesis import given
from hypothesis import strategies as st

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=12),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(st.lists(st.binary(max_size=30)))
def test_each_line_comes_back_under_its_own_number(lines):
    lines = [line.replace(b"\n", b"") for line in lines]
    body = b"\n".join(lines)
    expected = [
        (number, line.strip(b" \t\r"))
        for number, line in enumerate(
            body.removeprefix(b"\xef\xbb\xbf").split(b"\n"), 1
        )
        if line.strip(b" \t\r")
    ]
    assert list(split_lines(body)) == expected


@given(st.lists(json_values, max_size=6), st.sampled_from([b"\n", b"\r\n", b"\n\n"]))
def test_documents_survive_the_way_through_lines(documents, ending):
    body = b"".join(json.dumps(one).encode() + ending for one in documents)
    assert [json.loads(line) for _number, line in split_lines(body)] == documents


@given(st.binary(max_size=200))
def test_no_bytes_at_all_break_the_splitting(body):
    numbers = [number for number, _line in split_lines(body)]
    assert numbers == sorted(set(numbers))


def test_of_far_too_many_only_what_is_needed_is_kept():
    body = b" \n" * 1000 + b"1\n" * 1_000_000
    tracemalloc.start()
    found = list(islice(split_lines(body), 11))
    assert (found[0], found[-1]) == ((1001, b"1"), (1011, b"1"))
    assert len(split_events(b"[" + b"1," * 100_000, most=10)) == 11
    assert tracemalloc.get_traced_memory()[1] < 2_000_000
    tracemalloc.stop()


def test_other_line_separators_of_unicode_do_not_end_a_line():
    line = '{"a": "x\u2028y\u0085z"}'.encode()
    assert list(split_lines(line)) == [(1, line)]


@given(st.lists(json_values, max_size=6), st.sampled_from([None, 1]))
def test_events_of_an_array_keep_their_bytes(events, indent):
    body = json.dumps(events, indent=indent, ensure_ascii=False)
    body = body.encode("utf-8", "surrogatepass")
    try:
        body.decode()
    except UnicodeDecodeError:
        return
    found = split_events(body)
    assert [json.loads(one) for one in found] == events
    assert all(one in body for one in found)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "not_an_array"),
        (b"{}", "not_an_array"),
        (b"[", "invalid_json"),
        (b"[1", "invalid_json"),
        (b"[1,]", "invalid_json"),
        (b"[,1]", "invalid_json"),
        (b"[1 2]", "invalid_json"),
        (b"[1] 2", "invalid_json"),
        (b"[1]]", "invalid_json"),
        (b"[" * 100_000, "invalid_json"),
        (b"[\xff]", "invalid_encoding"),
    ],
)
def test_what_is_no_array_is_refused(body, code):
    with pytest.raises(CodecError) as caught:
        split_events(body)
    assert caught.value.code == code


def test_an_empty_array_has_no_events():
    assert split_events(b" [ ] ") == []


@given(st.binary(max_size=80))
def test_random_bytes_are_an_array_or_a_client_error(body):
    try:
        found = split_events(body)
    except CodecError as error:
        assert 400 <= error.status < 500
    else:
        assert json.loads(body.decode("utf-8-sig")) == [json.loads(x) for x in found]


HEADERS = {
    "ce-specversion": "1.0",
    "CE-Id": "e-1",
    "ce-source": "/caf%C3%A9",
    "ce-type": "healthcare.x.y.v1",
    "Content-Type": "application/json",
}


def test_an_event_in_headers_reads_like_a_structured_one():
    body = binary_event(HEADERS, b' {"amount": 1.10} ', "application/json", None)
    assert b'"data":{"amount": 1.10}}' in body
    received = JsonCodec().parse(body, "application/cloudevents+json", None)
    assert (received.external_id, received.source) == ("e-1", "/café")
    assert received.data == {"amount": 1.1}


@pytest.mark.parametrize(
    ("changes", "body", "mimetype", "code"),
    [
        ({}, b"<x/>", "text/xml", "unsupported_media_type"),
        ({}, b"nope", "application/json", "invalid_json"),
        ({}, b"[1]", "application/json", "not_an_object"),
        ({"ce-subject": "%FF"}, b"{}", "application/json", "invalid_cloudevent"),
    ],
)
def test_a_bad_event_in_headers_is_refused(changes, body, mimetype, code):
    with pytest.raises(CodecError) as caught:
        binary_event({**HEADERS, **changes}, body, mimetype, None)
    assert caught.value.code == code


def test_a_header_cannot_pose_as_the_data():
    body = binary_event({**HEADERS, "ce-data": "x"}, b"{}", "application/json", None)
    assert json.loads(body)["data"] == {}


LINE = JsonCodec().parse_line


def test_a_line_says_itself_what_it_is():
    event = {"specversion": "1.0", "id": "1", "source": "s", "type": "t", "data": {}}
    wrapped = {"message_id": "m-1", "content": {"a": 1}, "ordering_key": "k"}
    assert LINE(json.dumps(event).encode())[0].external_id == "1"
    received, _mimetype = LINE(json.dumps(wrapped).encode())
    assert received.data == {"a": 1}
    assert (received.external_id, received.ordering_key) == ("m-1", "k")
    plain, mimetype = LINE(b'{"message_id": "m-1", "content": {}, "more": 1}')
    assert plain.external_id is None and mimetype == "application/json"


@pytest.mark.parametrize("name", ["message_id", "ordering_key"])
@pytest.mark.parametrize("value", ["", "x" * 256, "a\nb", 7, {}])
def test_bad_members_of_a_wrapped_line_are_refused(name, value):
    line = {"message_id": "m", "content": {}, name: value}
    with pytest.raises(CodecError) as caught:
        LINE(json.dumps(line).encode())
    assert caught.value.code == "invalid_message"


@pytest.mark.parametrize(
    "time", ["yesterday", "2026-11-20", "2026-11-20T10:00:00", "2026-13-01T00:00:00Z"]
)
def test_a_cloudevent_has_a_real_timestamp(time):
    event = {"specversion": "1.0", "id": "1", "source": "s", "type": "t", "data": {}}
    with pytest.raises(CodecError) as caught:
        LINE(json.dumps({**event, "time": time}).encode())
    assert caught.value.code == "invalid_cloudevent"
