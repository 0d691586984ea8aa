# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""What every operation of the OpenAPI document has alike: problems, security, tags."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

PROBLEM = {
    "type": "object",
    "description": "RFC 9457. Build on code, not on the texts.",
    "required": ["type", "title", "status", "detail", "code"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "code": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "path": {"type": "string", "description": "JSON pointer."},
                    "message": {"type": "string"},
                },
            },
        },
    },
}
_TEXTS = {
    400: "The request cannot be read, or a value cannot be.",
    401: "The caller is not known.",
    403: "The caller may not do this.",
    404: "There is none, or none for this caller.",
    405: "This address does not take this method.",
    409: "It contradicts what is there already, or several fit.",
    410: "It is no longer there.",
    411: "Content-Length is missing.",
    412: "A condition of the request does not hold.",
    413: "The body is too large.",
    414: "The address is too long.",
    415: "The body's type or encoding is not taken.",
    422: "The content breaks the contract.",
    429: "Too many requests; Retry-After tells when.",
    500: "It failed for an internal reason.",
    503: "Not now; Retry-After tells when.",
}
ALWAYS = (400, 401, 403, 404, 405, 429, 500, 503)
WITH_BODY = (411, 413, 415)
_PROBLEM = {
    "application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}
}
RESPONSES = {
    f"Problem{status}": {"description": text, "content": _PROBLEM}
    for status, text in _TEXTS.items()
}
TAGS = {
    "Authentication": "Get a token.",
    "Messages": "Hand in messages and ask what became of them.",
    "Feeds": "Fetch messages instead of having them sent.",
    "Acknowledgements": "Tell what you did with a message of ours.",
    "Resources": "Read records: products, orders, stock, invoices and more.",
    "Validations": "Check numbers before you use them.",
    "Attachments": "Download files that belong to documents.",
    "Descriptions": "Schemas and descriptions for machines.",
    "Webhooks": "What we send to your endpoint.",
}


def common_problems(method: str, more: Iterable[int]) -> dict[str, Any]:
    """Return the problems that an operation may answer with."""
    statuses = {*ALWAYS, *more, *(WITH_BODY if method != "GET" else ())}
    return {
        str(status): {"$ref": f"#/components/responses/Problem{status}"}
        for status in sorted(statuses)
    }


def security_schemes(url: str, scopes: Mapping[str, str]) -> dict[str, Any]:
    """Return the ways to prove who calls; one of them is enough."""
    return {
        "apiKey": {
            "type": "http",
            "scheme": "bearer",
            "description": "An API key, hik_…, from the administrator.",
        },
        "oauth2": {
            "type": "oauth2",
            "description": "Client credentials, by secret or private_key_jwt.",
            "flows": {
                "clientCredentials": {
                    "tokenUrl": f"{url}/integration/v1/oauth/token",
                    "scopes": dict(scopes),
                }
            },
        },
        "signature": {
            "type": "apiKey",
            "in": "header",
            "name": "webhook-signature",
            "description": "Standard Webhooks: HMAC-SHA256 of <webhook-id>.<webhook-timestamp>"
            ".<body>, with the headers webhook-id and webhook-timestamp.",
        },
        "mutualTLS": {
            "type": "mutualTLS",
            "description": "A client certificate that was registered, through the proxy.",
        },
    }
