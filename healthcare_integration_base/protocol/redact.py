# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Making headers and foreign text safe to store and to show."""

from __future__ import annotations

import re
from collections.abc import Mapping

MASK = "***"

SENSITIVE_HEADERS = frozenset(
    {
        "authorization",
        "proxy-authorization",
        "proxy-authenticate",
        "www-authenticate",
        "cookie",
        "set-cookie",
        "webhook-signature",
        "svix-signature",
        "x-api-key",
        "api-key",
        "apikey",
        "x-hub-signature",
        "x-hub-signature-256",
        "x-amz-security-token",
        "x-ssl-client-cert",
    }
)
_SENSITIVE_WORD = re.compile(
    r"(token|secret|password|passwd|signature|credential|api[-_]?key|auth|(?<!idempotency)[-_]key$)",
    re.IGNORECASE,
)
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


def redact_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Return the headers with the values of sensitive ones masked.

    Besides the known names, every name that speaks of a token, secret, key or
    signature is masked: a partner's own header cannot be known beforehand.
    """
    return {
        name: MASK if is_sensitive(name) else value for name, value in headers.items()
    }


def is_sensitive(name: str) -> bool:
    """Return True if the value of this header must not be stored or shown."""
    return name.lower() in SENSITIVE_HEADERS or _SENSITIVE_WORD.search(name) is not None


def safe_text(data: bytes, limit: int) -> str:
    """Return at most ``limit`` characters of any bytes as storable text.

    Never fails: what is no UTF-8 or a control character (PostgreSQL refuses
    NUL) becomes the replacement character.
    """
    # a UTF-8 character has at most four bytes
    text = data[: limit * 4].decode("utf-8", errors="replace")
    return _CONTROL.sub("\ufffd", text[:limit])
