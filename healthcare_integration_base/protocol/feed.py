# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Rules of feeds: cursors, and what an acknowledgement means for a leased message.

A *lease* hands a message out to one consumer for a time. A *cursor* is the place of an
item in the order of handing out.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from .envelope import parse_type
from .errors import IntegrationError

DELIVERED, FAILED, REJECTED = "delivered", "failed", "rejected"
RESULTS = (DELIVERED, FAILED, REJECTED)
# What a finished message's state says of an earlier acknowledgement.
_MEANT = {"delivered": (DELIVERED,), "dead": (REJECTED, FAILED)}

_EPOCH = datetime(1970, 1, 1)
_CURSOR = re.compile(r"[0-9]{1,16}", re.ASCII)


class Refused(IntegrationError):
    """One item of an acknowledgement is not taken; the others are."""

    default_code = "lease_lost"
    default_status = 409
    title = "Acknowledgement refused"


def cursor_of(moment: datetime) -> str:
    """Return the cursor of an item that was handed out at ``moment`` (naive UTC)."""
    return str((moment - _EPOCH) // timedelta(microseconds=1))


def moment_of(cursor: str) -> datetime | None:
    """Return the moment of a cursor, None if it is none."""
    if not _CURSOR.fullmatch(cursor):
        return None
    return _EPOCH + timedelta(microseconds=int(cursor))


def iso(moment: datetime) -> str:
    """Return a naive UTC moment in RFC 3339, whole seconds rounded down."""
    aware = moment.replace(microsecond=0, tzinfo=timezone.utc)
    return aware.isoformat().replace("+00:00", "Z")


@dataclass(frozen=True)
class Held:
    """A message as the acknowledgement finds it.

    :param lease: the last lease it was handed out under, None if it never was
    :param mine: its last consumer is the one who acknowledges
    :param leased: the lease lasts
    """

    state: str
    lease: str | None = None
    mine: bool = False
    leased: bool = False


def judge(held: Held, result: str, lease: str | None) -> bool:
    """Tell whether an acknowledgement changes something; a repeated one does not.

    A late one counts as long as nobody else has got the message meanwhile.

    :param lease: as the consumer names it; None: whichever it has
    :raises Refused: 409 already_finished, not_leased, lease_lost
    """
    if held.state != "pending":
        return _repeated(held, result)
    if not held.lease:
        raise Refused("The message has not been handed out.", code="not_leased")
    ours = held.lease == lease if lease else held.mine
    if not ours:
        raise Refused(
            "The lease is over, and the message was handed out again or will be."
        )
    return held.leased or result != FAILED


def _repeated(held: Held, result: str) -> bool:
    if result in _MEANT.get(held.state, ()):
        return False
    raise Refused(f"The message is finished: {held.state}.", code="already_finished")


def type_domain(name: str) -> list[tuple[str, str, str | int]] | None:
    """Return the conditions on event types that a name means, None if it is none.

    A bare code means all its versions, a CloudEvents type one of them.
    """
    if not name or len(name) > 255:
        return None
    if not name.startswith("healthcare."):
        return [("code", "=", name)]
    try:
        code, version = parse_type(name)
    except IntegrationError:
        return None
    return [("code", "=", code), ("version", "=", version)]
