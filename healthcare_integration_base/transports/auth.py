# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Authentication of outgoing requests: headers in, headers out, no clock, no network."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from ..protocol import signing
from ..protocol.errors import Configuration, IntegrationError

# RFC 9110 §5.6.2 token
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}")
_VALUE = re.compile(
    r"[\x21-\x7e\xa0-\xff]([\x20-\x7e\xa0-\xff]{0,8190}[\x21-\x7e\xa0-\xff])?"
)
_TOKEN = re.compile(r"[\x21-\x7e]{1,8192}")

# Set by the HTTP client or by the signature; a wrong one breaks the framing.
FORBIDDEN_HEADERS = frozenset(
    {
        "connection",
        "content-encoding",
        "content-length",
        "expect",
        "host",
        "keep-alive",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "proxy-authorization",
        "proxy-connection",
        signing.HEADER_ID,
        signing.HEADER_TIMESTAMP,
        signing.HEADER_SIGNATURE,
    }
)


class HeaderError(IntegrationError, ValueError):
    """A header must not be sent like this; the message never quotes its value."""

    default_code = "bad_header"
    default_status = 422
    title = "Header not allowed"


@dataclass(frozen=True)
class Credential:
    """One way to authenticate; ``secret`` is the decrypted value.

    :param kind: none, basic, bearer, header or signing_secret
    :param header_name: for kind header
    """

    kind: str
    username: str | None = None
    secret: bytes | str | None = field(default=None, repr=False)
    header_name: str | None = None

    def text(self) -> str:
        """Return the secret as text.

        :raises Configuration: credential_without_secret, bad_credential
        """
        if not self.secret:
            raise Configuration(
                f"The credential of kind {self.kind} has no secret",
                code="credential_without_secret",
            )
        try:
            return self.secret if isinstance(self.secret, str) else self.secret.decode()
        except UnicodeDecodeError:
            raise _bad("is not text") from None


def apply(
    headers: Mapping[str, str],
    credentials: Iterable[Credential],
    *,
    msg_id: str,
    body: bytes,
    now: int,
) -> dict[str, str]:
    """Return the headers plus those of all credentials.

    All signing secrets together make one signature header, so a partner may
    hold any of them while secrets are rotated.

    :raises Configuration: if a credential is incomplete or of a kind that
        cannot authenticate an HTTP request; the message is held
    """
    result = dict(headers)
    keys: list[bytes] = []
    for credential in credentials:
        if credential.kind == "signing_secret":
            keys.append(signing.parse_secret(credential.text()))
        else:
            result.update(_headers_of(credential))
    if keys:
        result.update(signing.headers(keys, msg_id, now, body))
    return result


def check_header(name: str, value: str) -> None:
    """Check a header that a person configured.

    :raises HeaderError: for names that break the framing, no tokens, and
        values with control characters or outer spaces
    """
    if not _NAME.fullmatch(name or ""):
        raise HeaderError(
            "The header name may hold letters, digits and !#$%&'*+.^_`|~- only"
        )
    if name.lower() in FORBIDDEN_HEADERS:
        raise HeaderError(
            f"The header {name} is set by the system and cannot be configured"
        )
    if not _VALUE.fullmatch(value or ""):
        raise HeaderError(
            f"The value of the header {name} is empty or has characters not allowed"
        )


def _headers_of(credential: Credential) -> dict[str, str]:
    handler = _HANDLERS.get(credential.kind)
    if not handler:
        raise Configuration(
            f"A credential of kind {credential.kind} cannot authenticate an HTTP request",
            code="unsupported_credential",
        )
    return handler(credential)


def _none(_credential: Credential) -> dict[str, str]:
    return {}


def _basic(credential: Credential) -> dict[str, str]:
    """RFC 7617, with UTF-8."""
    user = credential.username or ""
    if ":" in user or not user.isprintable():
        raise _bad("has a user name with a colon or control characters")
    pair = f"{user}:{credential.text()}".encode()
    return {"Authorization": "Basic " + base64.b64encode(pair).decode()}


def _bearer(credential: Credential) -> dict[str, str]:
    """RFC 6750."""
    token = credential.text()
    if not _TOKEN.fullmatch(token):
        raise _bad("has a token with spaces or characters that are not ASCII")
    return {"Authorization": "Bearer " + token}


def _header(credential: Credential) -> dict[str, str]:
    name, value = credential.header_name or "", credential.text()
    try:
        check_header(name, value)
    except HeaderError as exc:
        raise Configuration(exc.message, code="bad_credential") from None
    return {name: value}


_HANDLERS = {"none": _none, "basic": _basic, "bearer": _bearer, "header": _header}


def _bad(reason: str) -> Configuration:
    return Configuration(f"The credential {reason}", code="bad_credential")
