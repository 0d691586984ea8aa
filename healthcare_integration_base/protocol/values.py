# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""JSON values: bounded copies, and the conversions of the field table."""

from __future__ import annotations

import contextlib
import math
import re
from datetime import datetime, timedelta, timezone
from decimal import Decimal, InvalidOperation
from typing import Any

from .mapping_errors import MappingError

MAX_DEPTH = 64

_DECIMAL = re.compile(r"[-+]?[0-9]{1,30}(\.[0-9]{1,30})?")
_MOMENT = re.compile(
    r"(?P<y>\d{4})-?(?P<m>\d{2})-?(?P<d>\d{2})"
    r"(?:[T ]?(?P<H>\d{2}):?(?P<M>\d{2})(?::?(?P<S>\d{2})(?:[.,](?P<f>\d{1,9}))?)?"
    r"(?P<zone>Z|[+-]\d{2}:?\d{2})?)?",
    re.ASCII,
)
_TRUE = frozenset({"true", "yes", "y", "1", "on", "t"})
_FALSE = frozenset({"false", "no", "n", "0", "off", "f", ""})


def count_nodes(value: Any, limit: int) -> int:
    """Return the number of values inside ``value``, shared ones counted each time.

    :raises MappingError: mapping_too_large beyond ``limit``
    """
    count, stack = 0, [value]
    while stack:
        count += 1
        if count > limit:
            raise _too_large()
        item = stack.pop()
        if isinstance(item, dict):
            stack.extend(item.values())
        elif isinstance(item, list):
            stack.extend(item)
        if len(stack) > limit:
            raise _too_large()
    return count


def plain_copy(value: Any, limit: int, null: object = None) -> Any:
    """Return a copy of plain JSON types.

    :param null: an object that stands for null
    :raises MappingError: mapping_too_large, mapping_too_deep, or
        mapping_not_json for functions, NaN and other types
    """
    count_nodes(value, limit)
    return _copy(value, null, 0)


def _copy(value: Any, null: object, depth: int) -> Any:
    if depth > MAX_DEPTH:
        raise MappingError("The result nests too deeply", code="mapping_too_deep")
    if isinstance(value, dict):
        return {_key(key): _copy(item, null, depth + 1) for key, item in value.items()}
    if isinstance(value, list):
        return [_copy(item, null, depth + 1) for item in value]
    return None if value is null else _scalar(value)


def _key(key: Any) -> str:
    if not isinstance(key, str):
        raise _not_json()
    return key


def _scalar(value: Any) -> Any:
    if value is None or isinstance(value, (str, bool, int)):
        return value
    if isinstance(value, float) and math.isfinite(value):
        return value
    raise _not_json()


def _too_large() -> MappingError:
    return MappingError(
        "The expression makes a value that is too large", code="mapping_too_large"
    )


def _not_json() -> MappingError:
    return MappingError(
        "The result is not a JSON value (a function, or a number out of range)",
        code="mapping_not_json",
    )


# -- conversions -------------------------------------------------------------------


def as_boolean(value: Any) -> bool | None:
    """Return the truth of true, "yes", 1 and the like; None for None.

    :raises MappingError: mapping_bad_value for anything else
    """
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, (int, float)) and value in (0, 1):
        return bool(value)
    text = value.strip().lower() if isinstance(value, str) else None
    if text in _TRUE or text in _FALSE:
        return text in _TRUE
    raise _bad_value("boolean")


def as_number(value: Any) -> int | float | None:
    """Return a JSON number for a number or a decimal text; None for None.

    :raises MappingError: mapping_bad_value for other texts, and where a JSON
        number would lose digits
    """
    if value is None or (
        isinstance(value, (int, float)) and not isinstance(value, bool)
    ):
        return value
    text = value.strip() if isinstance(value, str) else ""
    if not _DECIMAL.fullmatch(text):
        raise _bad_value("number")
    return _exact(Decimal(text))


def _exact(number: Decimal) -> int | float:
    if number == number.to_integral_value():
        return int(number)
    with contextlib.suppress(InvalidOperation, OverflowError):
        if Decimal(repr(float(number))) == number:
            return float(number)
    raise MappingError(
        "The number has more digits than a JSON number keeps; send it as text",
        code="mapping_bad_value",
    )


def as_date(value: Any) -> str | None:
    """Return YYYY-MM-DD for an ISO 8601 date or moment (extended or basic form); None for None.

    :raises MappingError: mapping_bad_value
    """
    return None if value is None else _moment(value, "date")[0].date().isoformat()


def as_datetime(value: Any) -> str | None:
    """Return the moment in UTC, ``YYYY-MM-DDThh:mm:ss[.ffffff]Z``; None for None.

    A moment without a zone counts as UTC, a date as its midnight.

    :raises MappingError: mapping_bad_value
    """
    if value is None:
        return None
    moment, zone = _moment(value, "moment")
    try:
        return (moment - zone).isoformat() + "Z"
    except OverflowError:
        raise _bad_value("moment") from None


def _moment(value: Any, kind: str) -> tuple[datetime, timedelta]:
    """Return (local time without zone, offset of the zone)."""
    match = _MOMENT.fullmatch(value.strip()) if isinstance(value, str) else None
    if not match:
        raise _bad_value(kind)
    parts = [int(match[name] or 0) for name in ("y", "m", "d", "H", "M", "S")]
    microseconds = int((match["f"] or "0")[:6].ljust(6, "0"))
    try:
        moment = datetime(*parts, microseconds, tzinfo=timezone.utc)  # type: ignore[misc, arg-type]
    except ValueError:
        raise _bad_value(kind) from None
    return moment.replace(tzinfo=None), _offset(match["zone"])


def _offset(zone: str | None) -> timedelta:
    if not zone or zone == "Z":
        return timedelta()
    digits = zone[1:].replace(":", "")
    offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return -offset if zone[0] == "-" else offset


def _bad_value(kind: str) -> MappingError:
    return MappingError(f"A value cannot be read as a {kind}", code="mapping_bad_value")
