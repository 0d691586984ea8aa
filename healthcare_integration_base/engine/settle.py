# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""What an incoming message is and when it happened: found out when it is applied.

Reception decides by what is cheap; expressions, and messages nothing took, wait for the job.
"""

from __future__ import annotations

import hashlib
from typing import Any

from odoo.tools import SQL

from .. import codecs
from ..protocol import errors, paths, routing
from ..protocol.mapping_errors import MappingError
from ..protocol.values import as_datetime
from ..runtime import keyring
from . import payload, sql

SCOPE = "messages:write"


def received(message) -> codecs.Received:
    """Return what the stored bytes of a message say.

    :raises CodecError: they cannot be read
    :raises Rejected: they are no longer there
    """
    mimetype, charset = codecs.parse_content_type(message.content_type or "")
    stored = payload.load(message.env.cr, message.ids).get(message.id)
    if stored is None:
        raise errors.Rejected("The body is no longer stored", code="body_missing")
    codec = codecs.get(message.endpoint_id.codec)
    return codec.parse(payload.clear(stored), mimetype, charset)


def occurred_at(endpoint, content: codecs.Received) -> str | None:
    """Return when it happened, ISO 8601 in UTC: by the endpoint's path, else the event's time."""
    value: Any = content.time
    if endpoint.time_path:
        found = paths.parse(endpoint.time_path).find(content.data, content.meta())
        value = found or value
    try:
        return as_datetime(value.upper() if isinstance(value, str) else None)
    except MappingError:
        return None


def settle(message) -> None:
    """Write down what a message is that reception could not decide.

    :raises Rejected: no route takes it, or its client may not send what it is
    :raises IntegrationError: it cannot be read, or an expression fails on it
    """
    content = received(message)
    route, event_type = _decide(message, content)
    _check_allowed(message.client_id, event_type)
    statement = SQL(
        "UPDATE integration_message SET event_type_id = %s, route_id = %s WHERE id = %s",
        event_type.id,
        route.id or None,
        message.id,
    )
    sql.run(message.env.cr, statement)
    if event_type.sensitivity == "phi":
        _protect(message)


def _decide(message, content: codecs.Received):
    endpoint = message.endpoint_id
    mimetype, _charset = codecs.parse_content_type(message.content_type or "")
    document = routing.Document(content.data, content.meta(), mimetype)
    for route in endpoint.route_ids.sorted(lambda one: (one.sequence, one.id)):
        if route._holds(document):
            return route, route.event_type_id
    event_type = _named_or_default(endpoint, content)
    if event_type.direction != "in":
        raise errors.Rejected(
            "None of the routes of the endpoint takes the message", code="unroutable"
        )
    return endpoint.route_ids.browse(), event_type


def _named_or_default(endpoint, content: codecs.Received):
    if content.type is None:
        return endpoint.event_type_id
    types = endpoint.env["integration.event.type"]
    return types.browse(types._get_by_type(content.type) or [])


def _check_allowed(client, event_type) -> None:
    scopes = client.scope_ids.filtered(lambda own: own.scope == SCOPE)
    if scopes.event_type_ids and event_type not in scopes.event_type_ids:
        raise errors.Rejected(
            f"The client may not send messages of type {event_type.code}",
            code="event_type_not_allowed",
        )


def _protect(message) -> None:
    """Encrypt a body that was stored before its type was protected."""
    stored = payload.load(message.env.cr, message.ids)[message.id]
    if stored["encrypted"]:
        return
    body = payload.clear(stored)
    payload.replace(message.env.cr, message.id, body)
    digest = keyring().keyed_hash(hashlib.sha256(body).hexdigest(), "message")
    statement = SQL(
        "UPDATE integration_message SET body_sha256 = %s WHERE id = %s",
        digest,
        message.id,
    )
    sql.run(message.env.cr, statement)
