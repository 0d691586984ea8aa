# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""CloudEvents 1.0 over HTTP: structured, batched and binary mode.

The address names no endpoint: it is found among those of the client, by what the event is.
"""

import logging

from odoo import http
from odoo.http import request

from .. import codecs
from ..codecs import batches, json_codec
from ..engine import receive
from ..protocol import envelope, errors, routing
from . import promises
from .dispatcher import route
from .gate import admit
from .intake import (
    MAX_BATCH,
    MAX_MESSAGES,
    accepted,
    answer_json,
    check_number,
    check_use,
    clients_of,
    permit_for,
    results_of,
    superuser,
)
from .problem import PREFIX, Refusal

_logger = logging.getLogger(__name__)
SCOPE = "events:write"


class EventController(http.Controller):
    """``POST …/events``, with ``?endpoint=<code>`` where the event does not tell."""

    @route(
        f"{PREFIX}/events",
        "POST",
        operation=promises.EVENTS,
        max_content_length=MAX_BATCH,
    )
    def events(self):
        """Store one event (202), or those of a batch (200 with a result for each)."""
        env = superuser()
        code = request.httprequest.args.get("endpoint")
        inlet = env["integration.endpoint"]._inlet(code) if code else None
        _check_signed(code)
        client = admit(env, SCOPE, clients_of(env, inlet))
        if code:
            check_use(inlet, client)
            _check_codec(inlet)
        reader = _Reader(env, client, [inlet] if inlet else _inlets(env, client))
        mimetype, charset = codecs.parse_content_type(
            request.httprequest.headers.get("Content-Type", "")
        )
        body = request.httprequest.get_data()
        if mimetype == envelope.BATCH_CONTENT_TYPE:
            found = batches.split_events(body, charset, MAX_MESSAGES)
            return _batch(env, reader, found)
        return _single(env, reader, _structured(body, mimetype, charset))


def _check_signed(code):
    """A signature is verified with the secrets of an endpoint's clients, so it is named."""
    headers = request.httprequest.headers
    if "webhook-signature" in headers and "Authorization" not in headers and not code:
        raise Refusal(
            400,
            "endpoint_required",
            "A signed call names the endpoint: ?endpoint=<code>.",
        )


def _check_codec(inlet):
    if not _takes_events(inlet):
        raise Refusal(
            415, "unsupported_media_type", "This endpoint takes no CloudEvents."
        )


def _structured(body, mimetype, charset):
    """Return the event of the request as structured JSON, whatever its mode."""
    headers = request.httprequest.headers
    if mimetype == envelope.CONTENT_TYPE:
        return json_codec.checked(body, charset).encode()
    if not batches.is_binary_mode(headers):
        raise Refusal(
            415,
            "unsupported_media_type",
            f"Send {envelope.CONTENT_TYPE}, {envelope.BATCH_CONTENT_TYPE}, or the attributes"
            " of the event as ce- headers.",
        )
    return batches.binary_event(headers, body, mimetype, charset)


def _single(env, reader, body):
    kinds = []
    entry = reader.entry(body, kinds.append)
    receipt = receive.keep(env, [entry])[0]
    if isinstance(receipt, Exception):
        raise receipt
    return accepted(receipt, kinds[0] if kinds else None)


def _batch(env, reader, bodies):
    check_number(bodies)
    entries = [reader.entry_or_error(body) for body in bodies]
    numbers = range(1, len(bodies) + 1)
    results = results_of(env, entries, numbers, "event")
    _logger.info("%s events in a batch", len(results))
    return answer_json(200, {"results": results})


def _inlets(env, client):
    """Return the endpoints in use of the client that read JSON."""
    Endpoint = env["integration.endpoint"]
    found = [Endpoint._inlet(code) for code in Endpoint._inlets_of(client.id)]
    return [inlet for inlet in found if inlet and _takes_events(inlet)]


def _takes_events(inlet):
    return codecs.get(inlet.codec).accepts(envelope.CONTENT_TYPE)


class _Reader:
    """Reads events for one client."""

    def __init__(self, env, client, inlets):
        self._env, self._client, self._inlets = env, client, inlets
        self._permit = permit_for(env, client, SCOPE)
        self._traceparent = request.httprequest.headers.get("traceparent")

    def entry_or_error(self, body):
        """Return what is to be stored of an event, or the error that says why it is nothing."""
        try:
            return self.entry(body)
        except errors.IntegrationError as error:
            return error

    def entry(self, body, seen=None):
        """Return what is to be stored of an event.

        :param seen: called with the type of the event
        :raises IntegrationError: why it cannot be taken
        """
        content = codecs.get("json").parse(body, envelope.CONTENT_TYPE, None)
        inlet = self._inlet_for(content)
        check_use(inlet, self._client)
        check_length_of(body, inlet)
        came = receive.Arrival(
            body, envelope.CONTENT_TYPE, traceparent=self._traceparent
        )
        return receive.entry_of(
            self._env,
            inlet,
            self._client.id,
            came,
            content,
            envelope.CONTENT_TYPE,
            lambda kind: (self._permit(kind), seen and seen(kind)),
        )

    def _inlet_for(self, content):
        """Return the endpoint for an event: one made for it, else one that takes any.

        :raises Refusal: 400, there is none, or more than one
        """
        inlets = self._inlets
        if len(inlets) != 1:
            made = [one for one in inlets if self._is_for(one, content)]
            inlets = made or [
                one for one in inlets if one.type is None and not one.rules
            ]
        if len(inlets) == 1:
            return inlets[0]
        if inlets:
            raise Refusal(
                400,
                "ambiguous_endpoint",
                "Several of your endpoints take such an event; name one: ?endpoint=<code>.",
            )
        raise Refusal(400, "unroutable", "None of your endpoints takes such an event.")

    def _is_for(self, inlet, content):
        document = routing.Document(content.data, content.meta(), envelope.CONTENT_TYPE)
        rule, _certain = routing.choose(inlet.rules, document)
        named = self._env["integration.event.type"]._named(content.type)
        return bool(rule) or bool(inlet.type and named and inlet.type == named)


def check_length_of(body, inlet):
    """Refuse an event that is longer than a message of its endpoint may be."""
    if len(body) > inlet.max_body:
        text = f"An event may have at most {inlet.max_body} bytes."
        raise Refusal(413, "body_too_large", text)
