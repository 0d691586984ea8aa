# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""The operations of a resource in the OpenAPI document."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..protocol import cursor, selection
from .catalogue import Catalogue, Offer, life
from .openapi_parts import common_problems
from .resource import Filter, Part, Query, Resource

PREFIX = "/integration/v1"
DEFAULT_LIMIT, MAX_LIMIT, MAX_IDS, MAX_VALUE = 100, 500, 500, 2000
TRUTH = ("true", "false")

_FIELDS = (
    "fields",
    "Only these fields, joined by commas; dots lead into inner objects and lists.",
    {"type": "string", "maxLength": selection.MAX_LENGTH},
)
_SYSTEM = (
    "system",
    "Code of the system whose identifier is meant.",
    {"type": "string", "maxLength": 255},
)
PAGE = (
    (
        "updated_since",
        "Changed at this moment (RFC 3339) or later. Give the updated_at of the last item"
        " you have read: nothing is lost, the last one may come again.",
        {"type": "string", "format": "date-time"},
    ),
    (
        "limit",
        "Items of a page.",
        {
            "type": "integer",
            "minimum": 1,
            "maximum": MAX_LIMIT,
            "default": DEFAULT_LIMIT,
        },
    ),
    (
        "cursor",
        "The member next of the page before.",
        {"type": "string", "maxLength": cursor.MAX_LENGTH},
    ),
    _FIELDS,
    (
        "ids",
        f"Only these records, by our ids, joined by commas, at most {MAX_IDS}.",
        {"type": "string", "maxLength": MAX_VALUE},
    ),
    (
        "identifier",
        "Only what an external system calls so: <kind>:<value>.",
        {"type": "string", "maxLength": 300},
    ),
    _SYSTEM,
    (
        "active",
        "false: only archived records, true: only others. Without it both come.",
        {"type": "string", "enum": list(TRUTH)},
    ),
)
_HEADERS = {
    "ETag": "Changes when the answer changes; send it as If-None-Match.",
    "Deprecation": "Since when the resource is deprecated (RFC 9745).",
    "Sunset": "From when on it may be gone (RFC 8594).",
}
_NUMBER = {
    "name": "number",
    "in": "path",
    "required": True,
    "description": "The number; or id:<our id>; or identifier:<kind>:<value>. A slash in it"
    " may be written as it is, or as %2F.",
    "schema": {"type": "string", "minLength": 1, "maxLength": MAX_VALUE},
}
_CONDITION = {
    "name": "If-None-Match",
    "in": "header",
    "description": "The ETag you have: while nothing changed the answer is 304.",
    "schema": {"type": "string"},
}


def operations(
    catalogue: Catalogue, offer: Offer
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield (path, operation) of the collection, the single record and its parts."""
    resource = offer.resource
    item = catalogue.components.add(
        f"resource.{resource.name}", resource.item_schema(), group="resource"
    )
    path = f"{PREFIX}/{resource.name}"
    yield path, _collection(catalogue, offer, item)
    narrow = [_query(one) for one in (*resource.filters, _SYSTEM)]
    read = {
        "operationId": f"read_{_id(resource)}",
        "summary": f"{resource.title}: one record",
        "parameters": [_NUMBER, *narrow, _query(_FIELDS), _CONDITION],
        "responses": _responses(item, "The record.", 409),
    }
    yield f"{path}/{{number}}", _common(catalogue, offer, read)
    for part in resource.parts:
        yield (
            f"{path}/{{number}}/{part.name}",
            _common(catalogue, offer, _part(catalogue, resource, part)),
        )


def _id(resource: Resource) -> str:
    return resource.name.replace("-", "_")


def _collection(catalogue, offer, item) -> dict[str, Any]:
    resource = offer.resource
    page = {
        "type": "object",
        "required": ["items", "next"],
        "additionalProperties": False,
        "properties": {
            "items": {"type": "array", "items": item},
            "next": {
                "type": ["string", "null"],
                "description": "The cursor of the next page; null at the end.",
            },
        },
    }
    responses = _responses(page, "A page.")
    responses["200"]["headers"]["Link"] = _header("The next page, as rel=next.")
    filters = [_query(one) for one in (*PAGE, *resource.filters)]
    made = {
        "operationId": f"list_{_id(resource)}",
        "summary": resource.title,
        "parameters": [*filters, _CONDITION],
        "responses": responses,
    }
    return _common(catalogue, offer, made)


def _part(catalogue, resource: Resource, part: Part) -> dict[str, Any]:
    schema = catalogue.components.add(
        f"resource.{resource.name}.{part.name}",
        {"type": "object", "additionalProperties": False, **part.schema},
        group="resource",
    )
    own = {query.name for query in part.queries}
    narrow = [one for one in resource.filters if one.name not in own]
    return {
        "operationId": f"read_{_id(resource)}_{part.name}",
        "summary": part.text,
        "parameters": [
            _NUMBER,
            *(_query(one) for one in (*part.queries, *narrow, _SYSTEM)),
            _CONDITION,
        ],
        "responses": _responses(schema, part.text, 409),
    }


def _common(catalogue: Catalogue, offer: Offer, made: dict[str, Any]) -> dict[str, Any]:
    resource = offer.resource
    texts = [resource.text, offer.text, f"Scope: `{resource.scope}`."]
    if offer.needs:
        texts.append(f"The client's user needs the group {offer.needs}.")
    if resource.of_partner is None:
        texts.append("Not for clients that are bound to their partner's documents.")
    return {
        **made,
        "tags": ["Resources"],
        "description": "\n\n".join(text for text in texts if text),
        "x-scope": resource.scope,
        **life(catalogue, offer),
    }


def _query(one: Filter | Query | tuple) -> dict[str, Any]:
    name, text, schema = (
        one if isinstance(one, tuple) else (one.name, one.text, one.schema)
    )
    return {"name": name, "in": "query", "description": text, "schema": dict(schema)}


def _header(text: str) -> dict[str, Any]:
    return {"description": text, "schema": {"type": "string"}}


def _responses(schema: dict[str, Any], text: str, *problems: int) -> dict[str, Any]:
    headers = {name: _header(meaning) for name, meaning in _HEADERS.items()}
    return {
        "200": {
            "description": text,
            "headers": headers,
            "content": {"application/json": {"schema": schema}},
        },
        "304": {"description": "You have it already.", "headers": headers},
        **common_problems("GET", problems),
    }
