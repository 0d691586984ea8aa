# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Many messages in one request, one a line (NDJSON)."""

import json
import logging
from itertools import islice

from odoo import http
from odoo.http import Response, request

from .. import codecs
from ..codecs import batches
from ..engine import receive
from ..protocol.errors import IntegrationError
from . import promises
from .dispatcher import route
from .gate import admit
from .intake import (
    MAX_BATCH,
    MAX_MESSAGES,
    MESSAGES,
    check_number,
    check_use,
    clients_of,
    permit_for,
    results_of,
    superuser,
)
from .problem import Refusal

_logger = logging.getLogger(__name__)
SCOPE = "messages:write"


class BatchController(http.Controller):
    """``POST …/messages/<endpoint code>/batch``: a result per line, in the same order."""

    @route(
        f"{MESSAGES}/<string:code>/batch",
        "POST",
        operation=promises.BATCH,
        max_content_length=MAX_BATCH,
    )
    def batch(self, code):
        """Store the messages of all good lines in one transaction; 200 when it is committed.

        A bad line costs no other one.
        """
        env = superuser()
        inlet = env["integration.endpoint"]._inlet(code)
        client = admit(env, SCOPE, clients_of(env, inlet))
        check_use(inlet, client)
        codec = _codec(inlet)
        found = batches.split_lines(request.httprequest.get_data())
        lines = list(islice(found, MAX_MESSAGES + 1))
        check_number(lines)
        permit = permit_for(env, client, SCOPE)
        reader = _Reader(env, inlet, client.id, codec, permit)
        entries = [reader.entry_or_error(line) for _number, line in lines]
        numbers = [number for number, _line in lines]
        results = results_of(env, entries, numbers, "line")
        _logger.info("%s lines on endpoint %s", len(results), inlet.id)
        return _answer(results)


class _Reader:
    """Reads lines for one endpoint and client."""

    def __init__(self, env, inlet, client_id, codec, permit):
        self._env, self._inlet, self._client_id = env, inlet, client_id
        self._codec, self._permit = codec, permit
        self._traceparent = request.httprequest.headers.get("traceparent")

    def entry_or_error(self, line):
        """Return what is to be stored of a line, or the error that says why it is nothing."""
        try:
            return self._entry(line)
        except IntegrationError as error:
            return error

    def _entry(self, line):
        if len(line) > self._inlet.max_body:
            text = f"A message may have at most {self._inlet.max_body} bytes."
            raise Refusal(413, "body_too_large", text)
        content, mimetype = self._codec.parse_line(line)
        came = receive.Arrival(line, mimetype, traceparent=self._traceparent)
        return receive.entry_of(
            self._env,
            self._inlet,
            self._client_id,
            came,
            content,
            mimetype,
            self._permit,
        )


def _codec(inlet):
    """Return the codec of the endpoint. :raises Refusal: 415 it takes no lines of this type"""
    codec = codecs.get(inlet.codec)
    content_type = request.httprequest.headers.get("Content-Type", "")
    mimetype, charset = codecs.parse_content_type(content_type)
    if not codec.batches or mimetype not in batches.NDJSON:
        raise Refusal(
            415,
            "unsupported_media_type",
            f"Batches are taken as {batches.NDJSON[0]}, by endpoints for JSON.",
        )
    if (charset or "utf-8").lower() not in ("utf-8", "utf8", "us-ascii"):
        raise Refusal(415, "unsupported_charset", "JSON must be UTF-8.")
    return codec


def _answer(results):
    return Response(
        "".join(json.dumps(one) + "\n" for one in results),
        status=200,
        content_type=batches.NDJSON[0],
        headers={"Cache-Control": "no-store"},
    )
