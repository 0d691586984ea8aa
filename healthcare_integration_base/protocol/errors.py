# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""The exceptions the engine acts upon, and their one translation to HTTP.

The class of an exception says what happens next (retry, give up, hold); its
``code`` is stable and for machines; its ``message`` is for people and never
contains a secret or payload data.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from .cause import Cause


class IntegrationError(Exception):
    """Base of all errors of the integration fabric.

    :param message: safe text for people (no secrets, no payload data)
    :param code: stable snake_case code, default is the class's own
    :param status: HTTP status if a caller of ours gets to see the error
    :param cause: what makes this failure the same case as another one; without it,
        failures with the same code at the same endpoint are one case
    """

    default_code: ClassVar[str] = "integration_error"
    default_status: ClassVar[int] = 500
    title: ClassVar[str] = "Integration error"

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        status: int | None = None,
        cause: Cause | None = None,
    ):
        super().__init__(message)
        self.message = message
        self.cause = cause
        self.code = code or (cause and cause.code) or self.default_code
        self.status = status or self.default_status


class Retryable(IntegrationError):
    """Worth another try later; ``seconds`` is the least time to wait, if known."""

    default_code = "temporarily_unavailable"
    default_status = 503
    title = "Temporarily unavailable"

    def __init__(self, message: str, *, seconds: float | None = None, **kwargs: Any):
        super().__init__(message, **kwargs)
        self.seconds = seconds


class Permanent(IntegrationError):
    """Trying the same again cannot help."""

    default_code = "permanent_failure"
    default_status = 400
    title = "Request cannot be processed"


class Configuration(IntegrationError):
    """This node lacks a setting; the work is held, not lost."""

    default_code = "configuration"
    default_status = 503
    title = "Not configured"


class Rejected(IntegrationError):
    """The content breaks the contract or a business rule.

    :param details: list of ``{"path": JSON pointer, "message": text}``
    """

    default_code = "rejected"
    default_status = 422
    title = "Content rejected"

    def __init__(
        self, message: str, *, details: Sequence[dict[str, str]] = (), **kwargs: Any
    ):
        super().__init__(message, **kwargs)
        self.details = list(details)


class Filtered(IntegrationError):
    """There is nothing to do for this message; it is finished, with the reason.

    Raised by handlers of incoming messages.
    """

    default_code = "filtered"
    default_status = 200
    title = "Filtered"


class Refused(Permanent):
    """The network guard does not allow this address.

    :param rule: the rule that refused, for example ``loopback``
    :param setting: the option of ``[healthcare_integration]`` in odoo.conf
        that allows it, or None where nothing does
    """

    default_code = "refused_address"
    title = "Address refused"

    def __init__(
        self, message: str, *, rule: str, setting: str | None = None, **kwargs: Any
    ):
        super().__init__(message, **kwargs)
        self.rule = rule
        self.setting = setting


class TransportError(Retryable):
    """The exchange with a partner failed below HTTP.

    :param timeout: True if a deadline passed, so that the partner may have
        received the message
    """

    default_code = "connection_failed"
    default_status = 502
    title = "Partner cannot be reached"

    def __init__(self, message: str, *, timeout: bool = False, **kwargs: Any):
        super().__init__(message, **kwargs)
        self.timeout = timeout


def to_problem(exc: BaseException) -> tuple[int, dict[str, Any]]:
    """Return (HTTP status, problem details of RFC 9457) for an exception.

    Anything that is not an IntegrationError becomes a 500 without its text,
    because that text may quote data.
    """
    if not isinstance(exc, IntegrationError):
        exc = IntegrationError(
            "The request failed for an internal reason.", code="internal_error"
        )
    problem: dict[str, Any] = {
        "type": f"urn:healthcare-integration:problem:{exc.code}",
        "title": exc.title,
        "status": exc.status,
        "detail": exc.message,
        "code": exc.code,
    }
    if isinstance(exc, Rejected) and exc.details:
        problem["errors"] = exc.details
    return exc.status, problem
