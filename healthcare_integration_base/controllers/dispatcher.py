# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""The route type ``integration``: machines call it, and every error is problem+json.

Odoo's type ``http`` parses forms into memory before the controller runs, so an
unauthenticated caller would have his body parsed; and it answers errors in HTML.
"""

import logging
import os

import psycopg2
from werkzeug.exceptions import HTTPException

from odoo import http
from odoo.exceptions import ConcurrencyError
from odoo.http import HttpDispatcher, Response

from ..engine import quiet_access
from . import call as calls
from . import operation as operations
from . import problem
from .problem import Refusal

_logger = logging.getLogger(__name__)

quiet_access.install()

FORM_TYPES = ("application/x-www-form-urlencoded", "multipart/form-data")
BODY_METHODS = ("POST", "PUT", "PATCH")


def route(path, method, operation=None, **options):
    """Decorate a controller's method that machines call.

    It does its own authentication, keeps no session, and may write.

    :param str path: as ``http.route`` takes it
    :param str method: the HTTP method
    :param operation: what the OpenAPI document says of it; None: partners need not know it
    :param options: further options of ``http.route``
    """
    if operation:
        operations.publish(path, method, operation)
    return http.route(
        path,
        type="integration",
        auth="none",
        methods=[method],
        csrf=False,
        save_session=False,
        readonly=False,
        **options,
    )


class IntegrationDispatcher(HttpDispatcher):
    """Checks what can be checked before anybody is authenticated; turns errors into answers."""

    routing_type = "integration"
    mimetypes = ("application/json",)

    @classmethod
    def is_compatible_with(cls, request):
        """Return True for our paths, so that errors of other routes don't name this type."""
        return problem.is_ours(request.httprequest.path)

    def dispatch(self, endpoint, args):
        """Call the endpoint with the arguments of the path only; the body is left unread."""
        self.request.params = dict(args)
        if self.request.httprequest.method == "OPTIONS":
            return Response(
                status=204, headers={"Allow": ", ".join(endpoint.routing["methods"])}
            )
        call = None
        try:
            call = calls.begin(_pattern(endpoint, self.request.httprequest.path))
            check_head(self.request.httprequest, endpoint.routing.get("forms"))
            response = self.request.registry["ir.http"]._dispatch(endpoint)
        except (psycopg2.OperationalError, ConcurrencyError):
            raise  # Odoo rolls back and calls again, see handle_error
        except Exception as exc:
            response = self._finish(problem.answer(exc))
            if call and call.is_stranger:
                return response  # nothing was written for him
            # raised, not returned: a returned answer would commit
            raise HTTPException(response=response) from None
        return self._finish(response)

    def handle_error(self, exc):
        """Return the answer to an exception raised outside of the endpoint."""
        if isinstance(exc, HTTPException) and exc.response is not None:
            return exc.response
        return self._finish(problem.answer(exc))

    def _finish(self, response):
        """Add what every answer has; have the call logged. Never fails a call that is done."""
        try:
            calls.end(self.request.env, response)
        except Exception as exc:
            _logger.error("A call could not be logged: %s", problem.describe(exc))
        return response


def _pattern(endpoint, path):
    """Return the route that stands for a path, whose parts may name documents."""
    routes = endpoint.routing["routes"]
    return (
        routes[0] if len(routes) == 1 else max(routes, key=lambda r: _shared(r, path))
    )


def _shared(pattern, path):
    return len(os.path.commonprefix([pattern, path]))


def check_head(httprequest, forms=False):
    """Refuse by the headers alone what no endpoint takes.

    :param forms: the route does take a form, which it reads itself
    :raises Refusal: 415 for forms and encoded bodies, 411 without Content-Length
        (a chunked body is cut silently), 413 above the limit of the route, 400 for a
        body where none belongs: it would be read before anybody is authenticated
    """
    if httprequest.method not in BODY_METHODS:
        if httprequest.content_length or "Transfer-Encoding" in httprequest.headers:
            raise Refusal(400, "unexpected_body", "This method takes no body.")
        return
    if httprequest.mimetype in FORM_TYPES and not forms:
        raise Refusal(
            415,
            "unsupported_media_type",
            "Forms are not taken. Send the document itself, with its content type, "
            "for example Content-Type: application/json.",
        )
    if httprequest.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise Refusal(
            415, "unsupported_content_encoding", "Send the body without compression."
        )
    check_length(httprequest, httprequest.max_content_length)


def check_length(httprequest, limit):
    """Refuse a body without a length (411) or longer than ``limit`` bytes (413)."""
    length = httprequest.content_length
    if length is None:
        raise Refusal(
            411,
            "length_required",
            "Send a Content-Length; chunked bodies are not taken.",
        )
    if limit is not None and length > limit:
        raise Refusal(
            413, "body_too_large", f"The body may have at most {limit} bytes."
        )
