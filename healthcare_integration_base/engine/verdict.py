# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""What an exception means for an incoming message: later, never, nothing to do.

The text that is kept never quotes the payload, because operators without the right to
read payloads see it, and mails and logs carry it on.
"""

from __future__ import annotations

import logging
import traceback
from collections.abc import Iterator
from typing import Any

import psycopg2

from odoo.exceptions import (
    AccessError,
    ConcurrencyError,
    LockError,
    MissingError,
    UserError,
    ValidationError,
)

from .. import codecs, runtime
from ..protocol import errors
from ..protocol.cause import Cause
from ..protocol.classify import ErrorClass, Outcome
from ..protocol.drain_types import Report
from ..protocol.mapping import MappingError

_logger = logging.getLogger(__name__)

MAX_TEXT = 500
MIN_VALUE = 3  # shorter values of the payload are words like "a", found everywhere

# Odoo's own exceptions, most special first: their texts are for users of Odoo, not for partners.
_ODOO = (
    (AccessError, "access_error"),
    (MissingError, "missing_record"),
    (ValidationError, "validation_error"),
    (UserError, "user_error"),
    (psycopg2.IntegrityError, "constraint_violation"),
)
_BUSY = (
    psycopg2.OperationalError,
    psycopg2.InterfaceError,
    ConcurrencyError,
    LockError,
)
# What a partner can do something about; and the codes whose texts are for operators even so.
_FOR_PARTNERS = ("contract", "schema", "business")
_INTERNAL = frozenset(
    {code for _cls, code in _ODOO} | {"handler_error", "database_busy"}
)


class SchemaViolation(errors.Rejected):
    """The canonical content breaks the schema of its type."""

    default_code = "schema_violation"

    def __init__(self, deviations: list[dict[str, str]]):
        first = "; ".join(f"{d['path'] or '/'}: {d['message']}" for d in deviations[:3])
        super().__init__(
            f"{len(deviations)} deviations from the schema: {first}", details=deviations
        )


def is_for_partners(message: Any) -> bool:
    """Tell whether the partner may read the error text of its message."""
    return (
        message.last_error_class in _FOR_PARTNERS
        and message.last_error_code not in _INTERNAL
    )


def of(exc: Exception, work: Any) -> Report:
    """Return the report of a message whose transaction was rolled back by an exception.

    :param work: with ``report``, ``claim``, ``phi``, and ``data`` (None if it could not be read)
    """
    if isinstance(exc, errors.Filtered):
        work.details["filter_reason"] = exc.message[:MAX_TEXT]
        return work.report(Outcome(True), final_state="filtered")
    if isinstance(exc, errors.Retryable):
        return _later(work, exc.code, exc.message, exc.seconds)
    if isinstance(exc, _BUSY):
        return _later(
            work, "database_busy", "Other work has the same records; tried again later"
        )
    if _is_keyless(exc):
        outcome = Outcome(False, ErrorClass.CONFIGURATION, exc.code)
        return work.report(outcome, error=exc.message, charged=False)
    error_class, code, text = _refusal(exc, work)
    work.details["cause"] = _cause(exc, work)
    outcome = Outcome(False, ErrorClass.REJECTED, code)
    return work.report(outcome, error_class=error_class, error=text[:MAX_TEXT])


def _cause(exc: Exception, work: Any) -> dict[str, Any] | None:
    """Return what makes this failure the same case as another one, as it is stored."""
    cause = getattr(exc, "cause", None)
    if not isinstance(cause, Cause):
        return None
    try:
        return (storable(cause) if work.phi else cause).to_json()
    except Exception as problem:  # the message gets its case by endpoint and code then
        _logger.error(
            "Message %s: its cause cannot be kept (%s)",
            work.claim.message_id,
            type(problem).__name__,
        )
        return None


def storable(cause: Cause) -> Cause:
    """Return a cause without what may not be shown of protected health information.

    :raises Configuration: no key is on this node
    """
    ring = runtime.keyring()
    return cause.without_personal_data(lambda key: ring.keyed_hash(key, "cause"))


def _later(work: Any, code: str, text: str, seconds: float | None = None) -> Report:
    # SERVER: the class that is tried again by the schedule
    outcome = Outcome(False, ErrorClass.SERVER, code, retry_after=seconds)
    return work.report(outcome, error_class="business", error=text[:MAX_TEXT])


def _is_keyless(exc: Exception) -> bool:
    """A key is missing on this node: the messages are held, not refused."""
    return isinstance(exc, errors.Configuration) and exc.code.startswith("key")


def _refusal(exc: Exception, work: Any) -> tuple[str, str, str]:
    """Return (error class, code, safe text) of what another try cannot help."""
    if isinstance(exc, SchemaViolation):
        return "schema", exc.code, exc.message
    if isinstance(exc, MappingError):
        return "mapping", exc.code, exc.message
    if isinstance(exc, codecs.CodecError):
        return "contract", exc.code, exc.message
    if isinstance(exc, errors.Configuration):
        return "configuration", exc.code, exc.message
    if isinstance(exc, errors.IntegrationError):
        return "business", exc.code, exc.message
    for cls, code in _ODOO:
        if isinstance(exc, cls):
            return "business", code, _user_text(exc, work)
    place = _place(exc)
    _logger.error(
        "Message %s: its handler failed with %s", work.claim.message_id, place
    )
    return "business", "handler_error", f"The handler failed: {place}"


def _user_text(exc: Exception, work: Any) -> str:
    """Return an error text meant for users of Odoo, without values of the payload."""
    name = type(exc).__name__
    if isinstance(exc, psycopg2.Error) or work.phi:
        return f"Odoo refused it ({name})"
    return without_values(str(exc), work.data)


def without_values(text: str, data: Any) -> str:
    """Return the text with every value of the payload that it quotes replaced by an ellipsis."""
    for value in sorted(set(_values(data)), key=len, reverse=True):
        if len(value) >= MIN_VALUE:
            text = text.replace(value, "…")
    return text


def _values(data: Any) -> Iterator[str]:
    if isinstance(data, dict):
        data = list(data.values())
    if isinstance(data, list):
        for value in data:
            yield from _values(value)
    elif data is not None and not isinstance(data, bool):
        yield str(data)


def _place(exc: Exception) -> str:
    """Return class and place of an exception; its text may quote the payload."""
    frames = traceback.extract_tb(exc.__traceback__)[-3:]
    places = [f"{frame.filename.rpartition('/')[2]}:{frame.lineno}" for frame in frames]
    return f"{type(exc).__name__} at {' < '.join(reversed(places))}"
