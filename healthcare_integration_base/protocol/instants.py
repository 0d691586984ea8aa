# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Points in time as text (RFC 3339)."""

from __future__ import annotations

import re
from datetime import date, datetime, timezone

_INSTANT = re.compile(
    r"(\d{4}-\d{2}-\d{2})[Tt ](\d{2}:\d{2}:\d{2})(?:\.(\d{1,9}))?([Zz]|[+-]\d{2}:\d{2})",
    re.ASCII,
)
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


def parse_instant(text: str) -> datetime:
    """Return an RFC 3339 instant as naive UTC; digits below microseconds are cut.

    :raises ValueError: it is none, or lies outside of years 1 to 9999 in UTC
    """
    match = _INSTANT.fullmatch(text)
    if not match:
        raise ValueError("no RFC 3339 instant")
    day, clock, fraction, zone = match.groups()
    micros = (fraction or "").ljust(6, "0")[:6]
    zone = "+00:00" if zone in "Zz" else zone
    if int(zone[4:]) > 59:
        raise ValueError("no RFC 3339 offset")
    moment = datetime.fromisoformat(f"{day}T{clock}.{micros}{zone}")
    try:
        return moment.astimezone(timezone.utc).replace(tzinfo=None)
    except OverflowError:
        raise ValueError("outside of the calendar") from None


def format_instant(moment: datetime) -> str:
    """Return a naive UTC datetime as RFC 3339 with microseconds and ``Z``."""
    return f"{moment.isoformat(timespec='microseconds')}Z"


def parse_date(text: str) -> date:
    """Return a full date, ``YYYY-MM-DD``.

    :raises ValueError: it is none
    """
    if not _DATE.fullmatch(text):
        raise ValueError("no full date")
    return date.fromisoformat(text)
