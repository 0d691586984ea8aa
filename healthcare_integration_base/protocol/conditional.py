# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Entity tags and ``If-None-Match`` (RFC 9110, sections 8.8.3 and 13.1.2)."""

from __future__ import annotations

import hashlib
import re

_TAG = re.compile(r'(?:W/)?("[\x21\x23-\x7e\x80-\xff]*")')
MAX_HEADER = 4000


def entity_tag(body: bytes) -> str:
    """Return the strong entity tag of exactly these bytes, quotes included."""
    return f'"{hashlib.sha256(body).hexdigest()[:32]}"'


def is_known(header: str | None, tag: str) -> bool:
    """Tell whether the caller has this state already, by his ``If-None-Match``.

    The comparison is the weak one, as the standard says for reading. A header that cannot
    be understood is as good as none: the caller gets the content.
    """
    if not header or len(header) > MAX_HEADER:
        return False
    if header.strip() == "*":
        return True
    return tag in _TAG.findall(header)
