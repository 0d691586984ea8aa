# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Several messages in one body: lines (NDJSON), arrays of events; and events in headers.

Each message keeps its own bytes as they came, so that a repeated one is recognised
wherever it stands.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from urllib.parse import unquote

from ..protocol import envelope
from . import json_codec
from .base import CodecError

NDJSON = (
    "application/x-ndjson",
    "application/ndjson",
    "application/jsonl",
    "application/x-jsonlines",
)
HEADER_PREFIX = "ce-"
_SPACE = re.compile(r"[ \t\n\r]*")
_BEGIN = re.compile(rb"[^ \t\r\n]")


def split_lines(body: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield (number of the line, from 1; its bytes) of the lines that are not empty.

    Lines end with LF or CRLF, as NDJSON has it; no other character ends one.
    """
    body, number, place = body.removeprefix(b"\xef\xbb\xbf"), 1, 0
    # one after the other: millions of short lines are refused without being kept
    while found := _BEGIN.search(body, place):
        number += body.count(b"\n", place, found.start())
        end = body.find(b"\n", found.start())
        place = end if end >= 0 else len(body)
        yield number, body[found.start() : place].rstrip(b" \t\r")


def split_events(
    body: bytes, charset: str | None = None, most: int | None = None
) -> list[bytes]:
    """Return the elements of a JSON array, each as it is written (CloudEvents JSON batch).

    :param most: one more is returned at most; what comes after it is not read
    :raises CodecError: the body is no JSON array
    """
    text = json_codec.decode(body, charset)
    place = _skip(text, 0)
    if text[place : place + 1] != "[":
        raise CodecError("The body must be a JSON array", code="not_an_array")
    elements: list[bytes] = []
    place = _skip(text, place + 1)
    while text[place : place + 1] != "]" or elements:
        end = _end_of_value(text, place)
        elements.append(text[place:end].encode())
        if most is not None and len(elements) > most:
            return elements
        place = _skip(text, end)
        if text[place : place + 1] == "]":
            break
        if text[place : place + 1] != ",":
            raise _broken(text, place, "Expecting ',' delimiter")
        place = _skip(text, place + 1)
    if _skip(text, place + 1) < len(text):
        raise _broken(text, place + 1, "Extra data")
    return elements


def _skip(text: str, place: int) -> int:
    found = _SPACE.match(text, place)
    return found.end() if found else place


_scanner = json.JSONDecoder()


def _end_of_value(text: str, place: int) -> int:
    """Return where the value ends; what is in it is checked when the event is read."""
    try:
        return _scanner.raw_decode(text, place)[1]
    except json.JSONDecodeError as exc:
        raise _broken(text, exc.pos, exc.msg) from None
    except (RecursionError, ValueError):  # too deep; an integer of too many digits
        raise CodecError(
            "The body is nested too deeply, or has a number out of range",
            code="invalid_json",
        ) from None


def _broken(text: str, place: int, reason: str) -> CodecError:
    line = text.count("\n", 0, place) + 1
    column = place - text.rfind("\n", 0, place)
    return CodecError(
        f"The body is not JSON: {reason} at line {line}, column {column}",
        code="invalid_json",
    )


def is_binary_mode(headers: Mapping[str, str]) -> bool:
    """Tell whether a CloudEvent comes in binary mode (CloudEvents HTTP binding, 3.1)."""
    return "ce-specversion" in headers or "ce-id" in headers or "ce-type" in headers


def binary_event(
    headers: Mapping[str, str], body: bytes, mimetype: str, charset: str | None
) -> bytes:
    """Return the same event in structured mode; its data keep their bytes.

    :param headers: of the request; attributes are percent-encoded UTF-8 in them
    :raises CodecError: the data are no JSON, or an attribute cannot be read
    """
    if mimetype != "application/json" and not mimetype.endswith("+json"):
        raise CodecError(
            "The data of an event must be JSON",
            code="unsupported_media_type",
            status=415,
        )
    data = json_codec.checked(body, charset).strip()
    attributes = {
        name.lower().removeprefix(HEADER_PREFIX): _decoded(name, value)
        for name, value in headers.items()
        if name.lower().startswith(HEADER_PREFIX)
    }
    attributes.pop("data", None)
    head = envelope.dumps(attributes)
    return head[:-1] + b"," * (len(head) > 2) + b'"data":' + data.encode() + b"}"


def _decoded(name: str, value: str) -> str:
    text = value.strip()
    if len(text) > 1 and text[0] == text[-1] == '"':
        text = text[1:-1].replace('\\"', '"').replace("\\\\", "\\")
    try:
        return unquote(text, errors="strict")
    except UnicodeDecodeError:
        raise CodecError(
            f"CloudEvents attribute in header {name}: is not percent-encoded UTF-8",
            code="invalid_cloudevent",
        ) from None
