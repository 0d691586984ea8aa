# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Answers of the partner interface that report a problem (RFC 9457)."""

import json
import logging
import math
import traceback

import psycopg2
from werkzeug.exceptions import HTTPException

from odoo.exceptions import AccessDenied, AccessError, ConcurrencyError
from odoo.http import Response, request

from ..protocol import errors
from ..protocol.tokens import TokenError

_logger = logging.getLogger(__name__)

CONTENT_TYPE = "application/problem+json"
PREFIX = "/integration/v1"
RETRY_AFTER = 5  # seconds, where nothing better is known

# What a partner reads when Odoo or werkzeug refuse before our code does.
_HTTP_CODES = {
    400: ("bad_request", "The request cannot be read."),
    404: ("unknown_route", "There is nothing at this address."),
    405: ("method_not_allowed", "This address does not take this method."),
    413: ("body_too_large", "The body is too large."),
}


class Refusal(errors.Permanent):
    """A request is refused; the caller sees status, code and text."""

    title = "Request refused"
    content_type = CONTENT_TYPE

    def __init__(self, status, code, message, headers=None):
        super().__init__(message, code=code, status=status)
        self.headers = headers or {}

    def content(self, problem):
        """Return the body of the answer, which is the problem unless a standard differs."""
        return problem


def is_ours(path):
    """Return True for the paths of the partner interface."""
    return path == PREFIX or path.startswith(PREFIX + "/")


def answer(exc):
    """Return the response that reports an exception, and log what the caller must not see.

    Never contains a traceback, a stored value or a part of the request.
    """
    known = _known(exc)
    status, problem = errors.to_problem(known)
    _logger.info("A call is answered with %s %s", status, problem["code"])
    own = isinstance(known, Refusal)
    call = getattr(request, "integration_call", None)
    if call:
        call.code = problem["code"]  # for the access log
    return Response(
        json.dumps(known.content(problem) if own else problem),
        status=status,
        headers={"Cache-Control": "no-store", **_headers(known, status)},
        content_type=known.content_type if own else CONTENT_TYPE,
    )


def no_route(exc):
    """Return what to raise when no route fits: 404, or 405 with the methods that do."""
    methods = getattr(exc, "valid_methods", None)
    if methods:
        headers = {"Allow": ", ".join(sorted(methods))}
        refusal = Refusal(405, *_HTTP_CODES[405], headers=headers)
    else:
        refusal = Refusal(404, *_HTTP_CODES[404])
    # no NotFound: Odoo would look for an attachment or a web page instead
    error = _NoRoute()
    error.error_response = answer(refusal)
    return error


class _NoRoute(HTTPException):
    code = 404


def _known(exc):
    """Return the IntegrationError that says in safe words what happened."""
    if isinstance(exc, errors.Configuration):
        # its text is for the administrator: which option of which file
        _logger.error("Cannot serve a partner: %s (%s)", exc.message, exc.code)
        return Refusal(
            503, exc.code, "The receiver is not set up to take this message."
        )
    if isinstance(exc, errors.IntegrationError):
        return exc
    if isinstance(exc, HTTPException) and exc.code and exc.code < 500:
        code, text = _HTTP_CODES.get(
            exc.code, ("bad_request", "The request is refused.")
        )
        return Refusal(exc.code, code, text)
    if isinstance(exc, AccessDenied | AccessError):
        return Refusal(403, "forbidden", "The client's user may not do this.")
    if isinstance(exc, psycopg2.OperationalError | ConcurrencyError):
        return errors.Retryable(
            "The database is busy; please repeat.", seconds=RETRY_AFTER
        )
    _logger.error("Request failed: %s", describe(exc))
    return errors.IntegrationError(
        "The request failed for an internal reason.", code="internal_error"
    )


def describe(exc):
    """Return class and place of an exception, without its text, which may quote data."""
    frames = traceback.extract_tb(exc.__traceback__)
    places = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames[-8:]]
    return f"{type(exc).__name__} at {' < '.join(reversed(places)) or 'unknown place'}"


def _headers(exc, status):
    headers = dict(getattr(exc, "headers", {}))
    if status == 401:
        error = ', error="invalid_token"' if isinstance(exc, TokenError) else ""
        headers.setdefault("WWW-Authenticate", f'Bearer realm="integration"{error}')
    if exc.code == "scope_missing":  # RFC 6750, 3.1
        challenge = 'Bearer realm="integration", error="insufficient_scope"'
        headers.setdefault("WWW-Authenticate", challenge)
    if status in (429, 503):
        seconds = getattr(exc, "seconds", None) or RETRY_AFTER
        headers.setdefault("Retry-After", str(math.ceil(seconds)))
    return headers
