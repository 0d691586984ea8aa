# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Short-lived signed links: what may be fetched, by whom, until when.

The token carries three numbers and a keyed hash over them, in base64url: nothing in it
can be guessed or changed, and it names neither file nor path.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import re
import struct
from collections.abc import Callable
from dataclasses import dataclass

from .errors import Permanent

PURPOSE = "attachment link"  # of the keyed hash
LIFETIME = 15 * 60  # seconds, the longest a link is good for
_NUMBERS = struct.Struct(">QQQ")
_HASH_BYTES = 32
_TOKEN = re.compile(r"[A-Za-z0-9_-]{75}")

Sign = Callable[[str], str]


@dataclass(frozen=True)
class Link:
    """What a link stands for.

    :param attachment_id: what is fetched
    :param client_id: for whom the link was made
    :param expires_at: seconds since 1970
    """

    attachment_id: int
    client_id: int
    expires_at: int


def write(link: Link, sign: Sign) -> str:
    """Return the token of a link.

    :param sign: keyed hash of a text, 64 hex digits
    """
    numbers = _NUMBERS.pack(link.attachment_id, link.client_id, link.expires_at)
    return _text(numbers + bytes.fromhex(sign(numbers.hex())))


def read(token: str, now: float, sign: Sign) -> Link:
    """Return what a token stands for, once its hash and its time are checked.

    :param now: seconds since 1970
    :raise Permanent: ``unknown_link`` (404) when it is none of ours, ``link_expired`` (410)
    """
    raw = _bytes(token)
    numbers, given = raw[: _NUMBERS.size], raw[_NUMBERS.size :]
    if not hmac.compare_digest(given, bytes.fromhex(sign(numbers.hex()))):
        raise unknown()
    link = Link(*_NUMBERS.unpack(numbers))
    if now >= link.expires_at:
        raise Permanent(
            "The link has expired; ask for a new one.", code="link_expired", status=410
        )
    return link


def _bytes(token: str) -> bytes:
    if not _TOKEN.fullmatch(token):
        raise unknown()
    try:
        raw = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    except (binascii.Error, ValueError):
        raise unknown() from None
    # One spelling only: the last character has bits that decoding ignores.
    if len(raw) != _NUMBERS.size + _HASH_BYTES or _text(raw) != token:
        raise unknown()
    return raw


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def unknown() -> Permanent:
    """Return the one answer to whatever is no link, or leads nowhere (any more)."""
    return Permanent("There is no such link.", code="unknown_link", status=404)
