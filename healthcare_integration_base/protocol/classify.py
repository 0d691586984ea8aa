# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""What an answer or a failure means for the message: retry, give up, hold.

Standard Webhooks 1.0 ("Deliverability"): 2xx is success, everything else is
failure, redirects are not followed, 410 disables, 429/502/504 ask to slow down.
"""

from __future__ import annotations

import asyncio
import math
import re
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timezone
from email.utils import parsedate_to_datetime
from enum import Enum

from .errors import (
    Configuration,
    IntegrationError,
    Permanent,
    Refused,
    Rejected,
    Retryable,
    TransportError,
)

# A partner may not silence its endpoint for longer than this by one header.
RETRY_AFTER_MAX = 86_400.0
_SECONDS = re.compile(r"[0-9]{1,12}(\.[0-9]{1,9})?")


class ErrorClass(str, Enum):
    """The kinds of failure the engine tells apart."""

    TRANSPORT = "transport"
    TIMEOUT = "timeout"
    THROTTLED = "throttled"
    SERVER = "server"
    AUTHENTICATION = "authentication"
    CONTRACT = "contract"
    REJECTED = "rejected"
    GONE = "gone"
    CONFIGURATION = "configuration"


RETRYABLE = frozenset(
    {ErrorClass.TRANSPORT, ErrorClass.TIMEOUT, ErrorClass.THROTTLED, ErrorClass.SERVER}
)
DEAD = frozenset({ErrorClass.AUTHENTICATION, ErrorClass.CONTRACT, ErrorClass.REJECTED})


@dataclass(frozen=True)
class Outcome:
    """The result of one attempt.

    :param status: HTTP status, 0 if there was no answer
    :param code: stable code such as ``connection_refused`` or ``http_503``
    :param retry_after: seconds the partner asked to wait, at least
    """

    ok: bool
    error_class: ErrorClass | None = None
    code: str | None = None
    status: int = 0
    retry_after: float | None = None

    @property
    def retryable(self) -> bool:
        """Another automatic attempt may succeed."""
        return self.error_class in RETRYABLE

    @property
    def dead(self) -> bool:
        """No automatic attempt can succeed: a case for a person."""
        return self.error_class in DEAD

    @property
    def hold(self) -> bool:
        """The message waits and is charged no attempt."""
        return self.error_class in (ErrorClass.CONFIGURATION, ErrorClass.GONE)

    @property
    def disables(self) -> bool:
        """The endpoint must be disabled; its messages are held."""
        return self.error_class is ErrorClass.GONE


_STATUS_CLASSES: dict[int, ErrorClass] = {
    400: ErrorClass.REJECTED,
    401: ErrorClass.AUTHENTICATION,
    403: ErrorClass.AUTHENTICATION,
    407: ErrorClass.AUTHENTICATION,
    408: ErrorClass.TIMEOUT,
    409: ErrorClass.REJECTED,
    410: ErrorClass.GONE,
    422: ErrorClass.REJECTED,
    425: ErrorClass.THROTTLED,
    429: ErrorClass.THROTTLED,
    502: ErrorClass.THROTTLED,
    504: ErrorClass.THROTTLED,
}


def classify_status(status: int, headers: Mapping[str, str], now: float) -> Outcome:
    """Return the outcome of an HTTP answer.

    :param now: Unix seconds, to read a ``Retry-After`` given as a date
    """
    if 200 <= status < 300:
        return Outcome(ok=True, status=status)
    error_class = _status_class(status)
    code = "redirect" if 300 <= status < 400 else f"http_{status}"
    floor = _retry_after_of(headers, now) if error_class in RETRYABLE else None
    return Outcome(False, error_class, code, status, floor)


def _status_class(status: int) -> ErrorClass:
    if status >= 500:
        return _STATUS_CLASSES.get(status, ErrorClass.SERVER)
    return _STATUS_CLASSES.get(status, ErrorClass.CONTRACT)


def _retry_after_of(headers: Mapping[str, str], now: float) -> float | None:
    for name, value in headers.items():
        if name.lower() == "retry-after":
            return parse_retry_after(value, now)
    return None


def parse_retry_after(value: str | None, now: float) -> float | None:
    """Return the whole seconds to wait (RFC 9110 §10.2.3), rounded up.

    None for no, past or unreadable values; at most one day.
    """
    text = (value or "").strip()
    if _SECONDS.fullmatch(text):
        return _bounded(float(text))
    try:
        moment = parsedate_to_datetime(text)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=timezone.utc)
        return _bounded(moment.timestamp() - now)
    except (TypeError, ValueError, OverflowError, IndexError):
        return None


def _bounded(seconds: float) -> float | None:
    if seconds <= 0:
        return None
    return min(float(math.ceil(seconds)), RETRY_AFTER_MAX)


def classify_exception(exc: BaseException) -> Outcome:
    """Return the outcome of a failed attempt without an answer.

    Unknown exceptions are contract failures: retrying a bug for three days
    would hide it.
    """
    if isinstance(exc, IntegrationError):
        return _classify_own(exc)
    if isinstance(
        exc, (TimeoutError, asyncio.TimeoutError)
    ):  # two classes before Python 3.11
        return Outcome(False, ErrorClass.TIMEOUT, "timeout")
    if isinstance(exc, OSError):
        return Outcome(False, ErrorClass.TRANSPORT, os_error_code(exc))
    return Outcome(False, ErrorClass.CONTRACT, "internal_error")


def _classify_own(exc: IntegrationError) -> Outcome:
    if isinstance(exc, TransportError):
        error_class = ErrorClass.TIMEOUT if exc.timeout else ErrorClass.TRANSPORT
        return Outcome(False, error_class, exc.code, retry_after=exc.seconds)
    if isinstance(exc, Retryable):
        return Outcome(False, ErrorClass.SERVER, exc.code, retry_after=exc.seconds)
    if isinstance(exc, Configuration):
        return Outcome(False, ErrorClass.CONFIGURATION, exc.code)
    if isinstance(exc, Rejected):
        return Outcome(False, ErrorClass.REJECTED, exc.code)
    if isinstance(exc, (Refused, Permanent)):
        return Outcome(False, ErrorClass.CONTRACT, exc.code)
    return Outcome(False, ErrorClass.CONTRACT, exc.code)


def os_error_code(exc: OSError) -> str:
    """Return the stable code of an operating system error on a connection."""
    if isinstance(exc, ssl.SSLCertVerificationError):
        return "tls_certificate"
    if isinstance(exc, ssl.SSLError):
        return "tls_failed"
    if isinstance(exc, socket.gaierror):
        return "dns_failed"
    if isinstance(exc, ConnectionRefusedError):
        return "connection_refused"
    if isinstance(exc, (ConnectionResetError, BrokenPipeError, ConnectionAbortedError)):
        return "connection_reset"
    return "connection_failed"
