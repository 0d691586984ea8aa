# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""What a partner says it did with a message, and what that changes.

*Delivered* means that the partner has the bytes. *Accepted*, *rejected* and *posted* are
said by its business: they come later, may come twice, and may overtake each other.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime

from .errors import Rejected

AWAITING = "awaiting"
ACCEPTED, REJECTED, POSTED = "accepted", "rejected", "posted"
STATUSES = (ACCEPTED, REJECTED, POSTED)


@dataclass(frozen=True)
class Said:
    """One business acknowledgement.

    :param reference: the partner's number for it, for example its order or voucher
    :param occurred_at: when the partner decided, naive UTC; None: it does not say
    """

    status: str
    reference: str | None = None
    reason: str | None = None
    occurred_at: datetime | None = None

    @property
    def digest(self) -> str:
        """Return what is the same when the same is said again."""
        parts = (self.status, self.reference, self.reason, _text(self.occurred_at))
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


@dataclass(frozen=True)
class Standing:
    """What is known so far.

    :param state: awaiting, accepted, rejected, posted; None: nothing, and nothing expected
    :param at: when the partner decided that, as it said, naive UTC; our own clock does
        not count, since a word may take long to reach us
    """

    state: str | None = None
    reference: str | None = None
    at: datetime | None = None


def changes(standing: Standing, said: Said) -> bool:
    """Tell whether the message takes the new state; else the word is only kept.

    Accepted after posted, and what is older than what is known, change nothing. A
    rejection counts at any time, also after posting: a partner may reverse a voucher.

    :raises Rejected: 409 posted_otherwise, the message is posted under another reference
    """
    if standing.state not in STATUSES:
        return True
    if _is_posted_otherwise(standing, said):
        raise Rejected(
            "The message was acknowledged as posted under another reference.",
            code="posted_otherwise",
            status=409,
        )
    if standing.state == POSTED and said.status == ACCEPTED:
        return False
    return not (said.occurred_at and standing.at and said.occurred_at < standing.at)


def satisfies(status: str, expected: str | None) -> bool:
    """Tell whether nothing more is to be waited for."""
    return status != ACCEPTED or expected != POSTED


def _is_posted_otherwise(standing: Standing, said: Said) -> bool:
    both = standing.state == POSTED and said.status == POSTED
    named = standing.reference and said.reference
    return bool(both and named and standing.reference != said.reference)


def _text(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
