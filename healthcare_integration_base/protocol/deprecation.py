# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Tell callers what will go: ``Deprecation`` (RFC 9745) and ``Sunset`` (RFC 8594)."""

from __future__ import annotations

from datetime import date, datetime, time, timezone
from email.utils import format_datetime


def headers(deprecated: date | None, sunset: date | None) -> dict[str, str]:
    """Return the headers of a resource that is, or will be, deprecated.

    :param deprecated: from this day on (UTC) nobody should begin to use it
    :param sunset: from this day on it may be gone
    """
    found = {}
    if deprecated:
        found["Deprecation"] = f"@{int(_midnight(deprecated).timestamp())}"
    if sunset:
        found["Sunset"] = format_datetime(_midnight(sunset), usegmt=True)
    return found


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), timezone.utc)
