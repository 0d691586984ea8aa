# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""JSON (RFC 8259), CloudEvents 1.0 in structured JSON mode, and the line of a batch.

Stricter than Python's parser wherever its leniency would surface later as an
error in somebody else's code: numbers no database takes, text no database
takes, nesting no recursive function survives.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable
from typing import Any, NoReturn

from ..protocol import envelope
from ..protocol.mapping_errors import MappingError
from ..protocol.values import as_datetime
from .base import CodecError, Received

MAX_DEPTH = 64
MAX_INTEGER_DIGITS = 40
MAX_ATTRIBUTE = 255
_TIMESTAMP = re.compile(
    r"\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(\.\d+)?([Zz]|[+-]\d{2}:\d{2})", re.ASCII
)
_REQUIRED = ("id", "source", "type")
_OPTIONAL = ("time", "subject", "correlationid", "partitionkey", "traceparent")
# A line of a batch may carry what headers say of a single message.
WRAPPED = "application/vnd.healthcare-integration.message+json"
_WRAPPER = ("message_id", "content", "ordering_key")


class JsonCodec:
    """Any JSON object; a CloudEvent is recognised by its content type."""

    content_types = ("application/json", envelope.CONTENT_TYPE)
    batches = True

    def accepts(self, mimetype: str) -> bool:
        """Return True for JSON and the ``+json`` types, save batches of events."""
        if mimetype == envelope.BATCH_CONTENT_TYPE:
            return False
        return mimetype == "application/json" or mimetype.endswith("+json")

    def parse(self, body: bytes, mimetype: str, charset: str | None) -> Received:
        """Return the object, or the data and attributes of the CloudEvent."""
        return _received(loads(body, charset), mimetype)

    def parse_line(self, body: bytes) -> tuple[Received, str]:
        """Return the content of a line of a batch, and the media type to keep it under.

        A line says itself what it is: a CloudEvent has ``specversion``, a wrapped message
        has ``message_id`` and ``content``; everything else is the content alone.

        :raises CodecError: if the line does not follow the syntax
        """
        document = loads(body)
        mimetype = _kind_of(document)
        return _received(document, mimetype), mimetype


def _received(document: dict[str, Any], mimetype: str) -> Received:
    if mimetype == envelope.CONTENT_TYPE:
        return _cloudevent(document)
    if mimetype == WRAPPED:
        return _wrapped(document)
    return Received(data=document)


def _kind_of(document: dict[str, Any]) -> str:
    if "specversion" in document:
        return envelope.CONTENT_TYPE
    wrapped = "message_id" in document and isinstance(document.get("content"), dict)
    return WRAPPED if wrapped and not document.keys() - _WRAPPER else "application/json"


def loads(body: bytes, charset: str | None = None) -> dict[str, Any]:
    """Return the JSON object of a body.

    :raises CodecError: for another encoding than UTF-8, broken syntax, another
        value than an object, and content that no handler could store
    """
    return _object(decode(body, charset))


def checked(body: bytes, charset: str | None = None) -> str:
    """Return the text of a body that ``loads`` reads. :raises CodecError: it does not"""
    text = decode(body, charset)
    _object(text)
    return text


def _object(text: str) -> dict[str, Any]:
    value = _parse(text)
    if not isinstance(value, dict):
        raise CodecError("The body must be a JSON object", code="not_an_object")
    _check_content(value)
    return value


def decode(body: bytes, charset: str | None) -> str:
    """Return the text of a body. :raises CodecError: it is not UTF-8"""
    if (charset or "utf-8").lower() not in ("utf-8", "utf8", "us-ascii"):
        raise CodecError("JSON must be UTF-8", code="unsupported_charset", status=415)
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        raise CodecError(
            f"The body is not UTF-8 (byte {exc.start})", code="invalid_encoding"
        ) from None


def _parse(text: str) -> Any:
    try:
        return _decoder.decode(text)
    except json.JSONDecodeError as exc:
        raise CodecError(
            f"The body is not JSON: {exc.msg} at line {exc.lineno}, column {exc.colno}",
            code="invalid_json",
        ) from None
    except RecursionError:
        _too_deep()


def _no_constant(name: str) -> NoReturn:
    raise CodecError(f"{name} is not JSON", code="invalid_json")


def _float(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise CodecError("A number is out of range", code="number_out_of_range")
    return number


def _integer(text: str) -> int:
    if len(text) > MAX_INTEGER_DIGITS:
        raise CodecError(
            f"An integer has more than {MAX_INTEGER_DIGITS} digits; send it as a string",
            code="number_out_of_range",
        )
    return int(text)


# Made once: it costs more than reading a small message.
_decoder = json.JSONDecoder(
    parse_constant=_no_constant, parse_float=_float, parse_int=_integer
)


def _too_deep() -> NoReturn:
    raise CodecError(
        f"The JSON is nested deeper than {MAX_DEPTH} levels", code="json_too_deep"
    )


def _check_content(document: dict[str, Any]) -> None:
    level: list[Any] = [document]
    depth = 0
    while level:
        depth += 1
        if depth > MAX_DEPTH:
            _too_deep()
        level = [inner for value in level for inner in _inner(value)]


def _inner(value: Any) -> Iterable[Any]:
    """Return the values within an object or array, after a look at the texts of a level."""
    if isinstance(value, dict):
        for key in value:
            _check_text(key)
        return value.values()
    if isinstance(value, list):
        return value
    if isinstance(value, str):
        _check_text(value)
    return ()


def _check_text(text: str) -> None:
    # PostgreSQL stores neither; both get past the parser as \u escapes
    if not text.isascii() and not _encodable(text) or "\0" in text:
        raise CodecError(
            "A text contains U+0000 or half of a surrogate pair", code="invalid_text"
        )


def _encodable(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _cloudevent(event: dict[str, Any]) -> Received:
    if event.get("specversion") != envelope.SPEC_VERSION:
        raise _bad_event("specversion", f'must be "{envelope.SPEC_VERSION}"')
    for name in _REQUIRED:
        _check_attribute(name, event.get(name))
    for name in _OPTIONAL:
        if event.get(name) is not None:
            _check_attribute(name, event[name])
    if event.get("time") is not None and not _is_timestamp(event["time"]):
        raise _bad_event("time", "must be a timestamp with offset (RFC 3339)")
    if not isinstance(event.get("data"), dict):
        raise _bad_event("data", "must be a JSON object")
    return Received(
        data=event["data"],
        type=event["type"],
        external_id=event["id"],
        time=event.get("time"),
        subject=event.get("subject"),
        source=event["source"],
        correlation=event.get("correlationid"),
        ordering_key=event.get("partitionkey"),
        traceparent=event.get("traceparent"),
    )


def _is_timestamp(text: str) -> bool:
    if not _TIMESTAMP.fullmatch(text):
        return False
    try:
        return bool(as_datetime(text.upper()))
    except MappingError:
        return False


def _wrapped(document: dict[str, Any]) -> Received:
    for name in ("message_id", "ordering_key"):
        if document.get(name) is not None:
            _check_member(name, document[name])
    if not isinstance(document.get("content"), dict):
        raise CodecError("content must be a JSON object", code="invalid_message")
    return Received(
        data=document["content"],
        external_id=document.get("message_id"),
        ordering_key=document.get("ordering_key"),
    )


def _check_member(name: str, value: Any) -> None:
    fits = isinstance(value, str) and 0 < len(value) <= MAX_ATTRIBUTE
    if not (fits and value.isprintable()):
        raise CodecError(
            f"{name} must be a text of 1 to {MAX_ATTRIBUTE} printable characters",
            code="invalid_message",
        )


def _check_attribute(name: str, value: Any) -> None:
    if not isinstance(value, str) or not value or len(value) > MAX_ATTRIBUTE:
        raise _bad_event(name, f"must be a text of 1 to {MAX_ATTRIBUTE} characters")
    if not value.isprintable():
        raise _bad_event(name, "contains control characters")


def _bad_event(name: str, reason: str) -> CodecError:
    return CodecError(
        f"CloudEvents attribute {name}: {reason}", code="invalid_cloudevent"
    )
