# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""The AsyncAPI 3.0 document: which events come in and go out."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from ..protocol import envelope
from .catalogue import VERSION, Catalogue, EventType, event_reference, life
from .openapi_parts import security_schemes

IN, OUT = "incomingEvents", "outgoingEvents"


def document(catalogue: Catalogue) -> dict[str, Any]:
    """Return the document, as seen from Odoo: it receives what partners hand in."""
    messages = {one.key: _message(catalogue, one) for one in catalogue.event_types}
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Healthcare Integration for Odoo: events",
            "version": VERSION,
            "description": "CloudEvents 1.0 in structured JSON. Incoming ones are posted to"
            " /integration/v1/events or to an endpoint of your own; outgoing ones are sent"
            " to your webhook, or fetched from a feed.",
            "license": {"name": "LGPL-3.0-or-later"},
        },
        "defaultContentType": envelope.CONTENT_TYPE,
        "servers": {"odoo": _server(catalogue.url)},
        "channels": {
            IN: _channel(
                catalogue, "in", "/integration/v1/events", "What partners hand in."
            ),
            OUT: _channel(
                catalogue, "out", None, "What we send to a partner's webhook."
            ),
        },
        "operations": {
            "receiveEvents": _operation(catalogue, "receive", IN, "in"),
            "sendEvents": _operation(catalogue, "send", OUT, "out"),
        },
        "components": {
            "messages": messages,
            "schemas": dict(sorted(catalogue.components.schemas.items())),
            "securitySchemes": _security(catalogue.url),
        },
    }


def _server(url: str) -> dict[str, Any]:
    parts = urlsplit(url)
    return {
        "host": parts.netloc or "localhost",
        "protocol": parts.scheme or "https",
        "security": [{"$ref": "#/components/securitySchemes/apiKey"}],
    }


def _channel(
    catalogue: Catalogue, direction: str, address: str | None, text: str
) -> dict[str, Any]:
    return {
        "address": address,
        "description": text,
        "messages": {
            one.key: {"$ref": f"#/components/messages/{one.key}"}
            for one in catalogue.of(direction)
        },
    }


def _operation(
    catalogue: Catalogue, action: str, channel: str, direction: str
) -> dict[str, Any]:
    return {
        "action": action,
        "channel": {"$ref": f"#/channels/{channel}"},
        "messages": [
            {"$ref": f"#/channels/{channel}/messages/{one.key}"}
            for one in catalogue.of(direction)
        ],
    }


def _message(catalogue: Catalogue, event_type: EventType) -> dict[str, Any]:
    made = {
        "name": event_type.type,
        "title": event_type.name,
        "contentType": envelope.CONTENT_TYPE,
        "payload": event_reference(catalogue, event_type),
        **life(catalogue, event_type),
    }
    made.pop("deprecated", None)  # a word of OpenAPI; messages have none
    return {**made, "description": event_type.text} if event_type.text else made


def _security(url: str) -> dict[str, Any]:
    """Return the ways of OpenAPI in the words of AsyncAPI."""
    ways = security_schemes(url, {})
    token = ways["oauth2"]["flows"]["clientCredentials"]["tokenUrl"]
    return {
        "apiKey": ways["apiKey"],
        "oauth2": {
            "type": "oauth2",
            "description": ways["oauth2"]["description"],
            "flows": {"clientCredentials": {"tokenUrl": token, "availableScopes": {}}},
        },
        "signature": {
            "type": "httpApiKey",
            "in": "header",
            "name": ways["signature"]["name"],
            "description": ways["signature"]["description"],
        },
        "mutualTLS": {"type": "X509", "description": ways["mutualTLS"]["description"]},
    }
