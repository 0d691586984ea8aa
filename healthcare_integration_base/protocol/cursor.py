# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Where a caller stands in a collection that is sorted by (moment of change, id)."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from .errors import Permanent

EPOCH = datetime(1970, 1, 1)
MAX_LENGTH = 200
_TEXT = re.compile(r"1\.(\d{1,18})\.(\d{1,10})\.([0-9a-f]{16})", re.ASCII)
_LAST = (datetime.max - EPOCH) // timedelta(microseconds=1)
MAX_ID = 2**31 - 1


class BadCursor(Permanent):
    """The text is no cursor of ours, or belongs to another query."""

    default_code = "invalid_cursor"
    title = "Request refused"


@dataclass(frozen=True)
class Position:
    """The last record a caller has got.

    :param moment: when it was changed, naive UTC with microseconds
    """

    moment: datetime
    id: int


def encode(position: Position, query: str) -> str:
    """Return the cursor that goes on after ``position`` in the same query.

    :param query: what was asked, apart from page size and cursor; a cursor counts for it only
    """
    micros = (position.moment - EPOCH) // timedelta(microseconds=1)
    body = f"1.{micros}.{position.id}"
    text = f"{body}.{_digest(body, query)}"
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def decode(text: str, query: str) -> Position:
    """Return the position a cursor stands for.

    :raises BadCursor: it is damaged, or was given for another query
    """
    match = _TEXT.fullmatch(_clear(text))
    if not match:
        raise BadCursor("The cursor is not one that this address gave.")
    micros, record_id, digest = int(match[1]), int(match[2]), match[3]
    if micros > _LAST or record_id > MAX_ID:
        raise BadCursor("The cursor is not one that this address gave.")
    if _digest(f"1.{match[1]}.{match[2]}", query) != digest:
        raise BadCursor(
            "The cursor belongs to a query with other parameters; only limit and fields may differ."
        )
    return Position(EPOCH + timedelta(microseconds=micros), record_id)


def _clear(text: str) -> str:
    if len(text) > MAX_LENGTH or not text.isascii():
        return ""
    try:
        return base64.b64decode(
            text + "=" * (-len(text) % 4), altchars=b"-_", validate=True
        ).decode("ascii")
    except (binascii.Error, UnicodeDecodeError):
        return ""


def _digest(body: str, query: str) -> str:
    # no secret: what a caller may read is decided by his scopes, never by a cursor
    return hashlib.sha256(f"{body}\n{query}".encode()).hexdigest()[:16]
