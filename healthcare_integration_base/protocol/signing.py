# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Signatures by the Standard Webhooks specification 1.0, scheme ``v1``.

The signature covers bytes, so bodies in any character set can be signed (the
official library decodes UTF-8 first). Each scheme is a row of ``SCHEMES``.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
import secrets as random_source
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from .errors import IntegrationError

PREFIX = "whsec_"
SECRET_MIN, SECRET_MAX = 24, 64
TOLERANCE = 300
HEADER_ID = "webhook-id"
HEADER_TIMESTAMP = "webhook-timestamp"
HEADER_SIGNATURE = "webhook-signature"
MAX_TOKENS = 64  # of a signature header; each costs one comparison per secret

# A dot in the id would let (id, timestamp) pairs collide: "a.1" + "2" = "a" + "1.2".
_ID = re.compile(r"[\x21-\x2d\x2f-\x7e]{1,255}")
_TIMESTAMP = re.compile(r"[0-9]{1,12}")


class SecretError(IntegrationError, ValueError):
    """A signing secret has a wrong form; the message never quotes it."""

    default_code = "bad_signing_secret"
    default_status = 422
    title = "Signing secret has a wrong form"


class SignatureError(IntegrationError):
    """A signature is missing or does not fit.

    ``code``: missing_header, bad_timestamp, timestamp_out_of_tolerance,
    bad_id, no_matching_signature or no_secret.
    """

    default_code = "no_matching_signature"
    default_status = 401
    title = "Signature verification failed"


@dataclass(frozen=True)
class Scheme:
    """One signature scheme: its label, the form of a token and its two directions."""

    label: str
    token: re.Pattern[str]
    sign: Callable[[bytes, bytes], str]
    matches: Callable[[bytes, bytes, str], bool]


def _hmac_sign(secret: bytes, content: bytes) -> str:
    return base64.b64encode(hmac.new(secret, content, hashlib.sha256).digest()).decode()


def _hmac_matches(secret: bytes, content: bytes, value: str) -> bool:
    return hmac.compare_digest(_hmac_sign(secret, content), value)


V1 = Scheme("v1", re.compile(r"v1,([A-Za-z0-9+/]+=*)"), _hmac_sign, _hmac_matches)
SCHEMES: dict[str, Scheme] = {V1.label: V1}


def generate_secret() -> str:
    """Return a new symmetric secret of 32 random bytes, ``whsec_…``."""
    return PREFIX + base64.b64encode(random_source.token_bytes(32)).decode()


def decode_secret(text: str) -> bytes:
    """Return the key bytes of ``whsec_<base64>`` (prefix and padding optional).

    :raises SecretError: on another prefix, on anything but base64, or if empty
    """
    encoded = text.strip().removeprefix(PREFIX)
    if "_" in encoded:
        raise SecretError(
            f"The secret has an unknown prefix; a symmetric secret starts with {PREFIX}"
        )
    unpadded = encoded.rstrip("=")
    if not unpadded:
        raise SecretError("The secret is empty")
    try:
        return base64.b64decode(unpadded + "=" * (-len(unpadded) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise SecretError("The secret is not valid base64") from None


def parse_secret(text: str) -> bytes:
    """Return the key bytes of a secret that meets the specification.

    :raises SecretError: as ``decode_secret``, and if it is shorter than 24 or
        longer than 64 bytes
    """
    key = decode_secret(text)
    if not SECRET_MIN <= len(key) <= SECRET_MAX:
        raise SecretError(
            f"The secret is {len(key)} bytes long; allowed are {SECRET_MIN} to {SECRET_MAX} bytes"
        )
    return key


def _content(msg_id: str, timestamp: str, body: bytes) -> bytes:
    return b".".join((msg_id.encode("ascii"), timestamp.encode("ascii"), body))


def _check_id(msg_id: str) -> None:
    if not _ID.fullmatch(msg_id):
        raise SignatureError(
            "The message id must be 1 to 255 visible ASCII characters without a dot",
            code="bad_id",
        )


def sign(secret: bytes, msg_id: str, timestamp: int, body: bytes) -> str:
    """Return the signature ``v1,<base64>`` of the exact bytes that are sent.

    :raises SignatureError: if the id could be confused with another (bad_id)
    """
    _check_id(msg_id)
    return f"{V1.label},{V1.sign(secret, _content(msg_id, str(int(timestamp)), body))}"


def headers(
    secrets: Sequence[bytes], msg_id: str, timestamp: int, body: bytes
) -> dict[str, str]:
    """Return the three webhook headers, signed by every unexpired secret.

    :raises SignatureError: without a secret (no_secret) or with a bad id
    """
    if not secrets:
        raise SignatureError("There is no valid signing secret", code="no_secret")
    return {
        HEADER_ID: msg_id,
        HEADER_TIMESTAMP: str(int(timestamp)),
        HEADER_SIGNATURE: " ".join(
            sign(key, msg_id, timestamp, body) for key in secrets
        ),
    }


def verify(
    secrets: Sequence[bytes],
    headers: Mapping[str, str],
    body: bytes,
    *,
    now: float,
    tolerance: float = TOLERANCE,
) -> str:
    """Return the message id if one secret fits one signature of the header.

    Compares in constant time and without leaving early, so time tells neither
    which secret fits nor how far a forgery got.

    :raises SignatureError: with a code that says why
    """
    keys = [key for key in secrets if key]
    if not keys:
        raise SignatureError("There is no valid signing secret", code="no_secret")
    msg_id, timestamp, signature = _read_headers(headers)
    _check_id(msg_id)
    _check_timestamp(timestamp, now, tolerance)
    content = _content(msg_id, timestamp, body)
    if not _any_match(keys, content, signature):
        raise SignatureError("No signature fits the body", code="no_matching_signature")
    return msg_id


def _read_headers(headers: Mapping[str, str]) -> tuple[str, str, str]:
    lowered = {name.lower(): value for name, value in headers.items()}
    names = (HEADER_ID, HEADER_TIMESTAMP, HEADER_SIGNATURE)
    for name in names:
        if not lowered.get(name):
            raise SignatureError(f"The header {name} is missing", code="missing_header")
    msg_id, timestamp, signature = (str(lowered[name]) for name in names)
    return msg_id, timestamp, signature


def _check_timestamp(timestamp: str, now: float, tolerance: float) -> None:
    if not _TIMESTAMP.fullmatch(timestamp):
        raise SignatureError(
            f"{HEADER_TIMESTAMP} must be Unix seconds in decimal digits",
            code="bad_timestamp",
        )
    if abs(now - int(timestamp)) > tolerance:
        raise SignatureError(
            f"{HEADER_TIMESTAMP} is more than {tolerance:g} s away from our clock",
            code="timestamp_out_of_tolerance",
        )


def _any_match(keys: Sequence[bytes], content: bytes, signature: str) -> bool:
    found = False
    for token in signature.split()[:MAX_TOKENS]:
        scheme = SCHEMES.get(token.partition(",")[0])
        value = scheme.token.fullmatch(token) if scheme else None
        if scheme and value:
            for key in keys:
                found |= scheme.matches(key, content, value[1])
    return found
