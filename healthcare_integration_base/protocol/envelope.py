# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""The body of a message: CloudEvents 1.0, structured JSON mode."""

from __future__ import annotations

import json
import re
from datetime import date, datetime, timezone
from decimal import Decimal
from typing import Any
from uuid import UUID

from .errors import Permanent

SPEC_VERSION = "1.0"
CONTENT_TYPE = "application/cloudevents+json"
BATCH_CONTENT_TYPE = "application/cloudevents-batch+json"
DATA_CONTENT_TYPE = "application/json"

_TYPE = re.compile(
    r"healthcare\.([a-z][a-z0-9_]*(?:\.[a-z][a-z0-9_]*)*)\.v([1-9][0-9]{0,5})"
)


def type_of(code: str, version: int) -> str:
    """Return the CloudEvents type of an event type: ``healthcare.<code>.v<version>``."""
    return f"healthcare.{code}.v{version}"


def parse_type(text: str) -> tuple[str, int]:
    """Return (code, version) of a CloudEvents type.

    :raises Permanent: unknown_event_type if it has another form
    """
    match = _TYPE.fullmatch(text)
    if not match:
        raise Permanent(
            "The type must have the form healthcare.<code>.v<version>",
            code="unknown_event_type",
            status=422,
        )
    return match[1], int(match[2])


def cloudevent(
    *,
    uid: str,
    code: str,
    version: int,
    source: str,
    subject: str | None,
    time: datetime | str,
    data: Any,
    dataschema: str | None,
    traceparent: str | None = None,
    correlation_uid: str | None = None,
    causation_uid: str | None = None,
    ordering_key: str | None = None,
    dataclass: str | None = None,
) -> dict[str, Any]:
    """Return the event as a dictionary; attributes without a value are left out.

    :param time: when it happened; a naive datetime counts as UTC
    :param ordering_key: becomes ``partitionkey`` (CloudEvents partitioning)
    :param dataclass: the sensitivity of the data, such as ``phi``
    """
    attributes = {
        "specversion": SPEC_VERSION,
        "id": uid,
        "source": source,
        "type": type_of(code, version),
        "subject": subject,
        "time": time if isinstance(time, str) else iso_utc(time),
        "datacontenttype": DATA_CONTENT_TYPE,
        "dataschema": dataschema,
        "traceparent": traceparent,
        "correlationid": correlation_uid,
        "causationid": causation_uid,
        "partitionkey": ordering_key,
        "dataclass": dataclass,
    }
    event = {name: value for name, value in attributes.items() if value}
    event["data"] = data
    return event


def iso_utc(moment: datetime) -> str:
    """Return ISO 8601 with ``Z``; a naive datetime counts as UTC."""
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=timezone.utc)
    return moment.astimezone(timezone.utc).isoformat().replace("+00:00", "Z")


def dumps(value: Any) -> bytes:
    """Return compact UTF-8 JSON with the given order of keys.

    Decimals become strings (no partner may round an amount), moments ISO 8601
    with ``Z``.

    :raises Permanent: not_json for NaN, infinity, lone surrogates, endless
        nesting and types JSON does not know
    """
    try:
        text = json.dumps(
            value,
            ensure_ascii=False,
            allow_nan=False,
            separators=(",", ":"),
            default=_default,
        )
        return text.encode("utf-8")
    except (TypeError, ValueError, RecursionError) as exc:
        raise Permanent(
            f"The content cannot be written as JSON ({type(exc).__name__})",
            code="not_json",
        ) from None


def _default(value: Any) -> str:
    if isinstance(value, Decimal):
        if not value.is_finite():
            raise ValueError("not finite")
        return format(value, "f")
    if isinstance(value, datetime):
        return iso_utc(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, UUID):
        return str(value)
    raise TypeError(type(value).__name__)
