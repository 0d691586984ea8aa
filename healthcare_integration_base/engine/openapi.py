# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""The OpenAPI 3.1 document, made of the routes, the resources and the event catalogue."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from ..protocol import envelope
from . import openapi_resources
from .catalogue import CLOUD_EVENT, VERSION, Catalogue, event_reference, life
from .openapi_parts import (
    PROBLEM,
    RESPONSES,
    TAGS,
    common_problems,
    security_schemes,
)

_PLACE = re.compile(r"<(?:(\w+)(?:\([^)]*\))?:)?(\w+)>")
_CONVERTERS = {"int": {"type": "integer"}}


def document(catalogue: Catalogue) -> dict[str, Any]:
    """Return the document; it is valid OpenAPI 3.1.0."""
    catalogue.components.add("Problem", PROBLEM)
    paths = _paths(catalogue)
    webhooks = {
        one.type: {"post": _webhook(catalogue, one)} for one in catalogue.of("out")
    }
    scopes = _scopes(paths)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Healthcare Integration for Odoo",
            "version": VERSION,
            "description": "How partners hand in messages, fetch messages and read records."
            " Errors are application/problem+json (RFC 9457) with a stable code.",
            "license": {"name": "LGPL-3.0-or-later", "identifier": "LGPL-3.0-or-later"},
        },
        "servers": [{"url": catalogue.url}],
        "security": [{name: []} for name in security_schemes(catalogue.url, {})],
        "tags": _tags(paths),
        "paths": paths,
        "webhooks": webhooks,
        "components": {
            "schemas": dict(sorted(catalogue.components.schemas.items())),
            "responses": RESPONSES,
            "securitySchemes": security_schemes(catalogue.url, scopes),
        },
    }


def _paths(catalogue: Catalogue) -> dict[str, dict[str, Any]]:
    paths: dict[str, dict[str, Any]] = {}
    for route in catalogue.routes:
        operation = _operation(catalogue, route)
        paths.setdefault(_template(route.path), {})[route.method.lower()] = operation
    for offer in catalogue.offers:
        for path, operation in openapi_resources.operations(catalogue, offer):
            paths[path] = {"get": operation}
    return paths


def _template(path: str) -> str:
    return _PLACE.sub(r"{\2}", path)


def _operation(catalogue: Catalogue, route: Any) -> dict[str, Any]:
    operation = route.operation
    made: dict[str, Any] = {
        "operationId": operation.id,
        "summary": operation.summary,
        "tags": [operation.tag],
        "description": _described(operation.text, operation.scope),
        "parameters": [*_path_parameters(route), *_other_parameters(operation)],
        "responses": _responses(catalogue, operation, route.method),
    }
    if operation.scope:
        made["x-scope"] = operation.scope
    else:
        made["security"] = []
    if operation.body:
        content = _content(catalogue, operation.id, operation.body)
        made["requestBody"] = {"required": True, "content": content}
    return made


def _described(text: str, scope: str | None) -> str:
    needs = f"Scope: `{scope}`." if scope else "No scope is needed."
    return f"{text}\n\n{needs}".strip()


def _path_parameters(route: Any) -> Iterable[dict[str, Any]]:
    own = {one.name: one for one in route.operation.parameters if one.place == "path"}
    for converter, name in _PLACE.findall(route.path):
        known = own.get(name)
        schema = (
            known.schema if known else _CONVERTERS.get(converter, {"type": "string"})
        )
        yield {
            "name": name,
            "in": "path",
            "required": True,
            **({"description": known.text} if known else {}),
            "schema": dict(schema),
        }


def _other_parameters(operation: Any) -> list[dict[str, Any]]:
    return [parameter(one) for one in operation.parameters if one.place != "path"]


def parameter(one: Any) -> dict[str, Any]:
    """Return a parameter of query or header."""
    made = {
        "name": one.name,
        "in": one.place,
        "description": one.text,
        "schema": dict(one.schema),
    }
    return {**made, "required": True} if one.required else made


def _responses(catalogue, operation, method) -> dict[str, Any]:
    responses = common_problems(method, operation.problems)
    for status, answer in operation.answers.items():
        made: dict[str, Any] = {"description": answer.text}
        if answer.headers:
            made["headers"] = {
                name: {"description": text, "schema": {"type": "string"}}
                for name, text in answer.headers.items()
            }
        if answer.content:
            made["content"] = _content(catalogue, operation.id, answer.content)
        responses[str(status)] = made
    return dict(sorted(responses.items()))


def _content(
    catalogue: Catalogue, group: str, content: Mapping[str, Mapping[str, Any]]
) -> dict[str, Any]:
    made = {}
    for media_type, schema in content.items():
        events = _events(catalogue, media_type)
        made[media_type] = {"schema": events or _schema(catalogue, group, schema)}
    return made


def _schema(catalogue, group, schema) -> dict[str, Any]:
    if "$defs" in schema:
        return catalogue.components.add(group, schema)
    return dict(schema)


def _events(catalogue: Catalogue, media_type: str) -> dict[str, Any] | None:
    """Return the schema of CloudEvents handed in: those of the catalogue, or mapped ones."""
    if media_type not in (envelope.CONTENT_TYPE, envelope.BATCH_CONTENT_TYPE):
        return None
    known = [event_reference(catalogue, one) for one in catalogue.of("in")]
    generic = catalogue.components.add("CloudEvent", CLOUD_EVENT)
    one = catalogue.components.add(
        "IncomingEvent",
        {
            "description": "An event of the catalogue, or another one that the endpoint has a"
            " mapping for.",
            "anyOf": [*known, generic],
        },
    )
    if media_type == envelope.CONTENT_TYPE:
        return dict(one)
    return {"type": "array", "items": one, "minItems": 1}


def _webhook(catalogue: Catalogue, event_type: Any) -> dict[str, Any]:
    return {
        "operationId": f"receive_{event_type.key}",
        "summary": event_type.name,
        "description": event_type.text or event_type.name,
        "tags": ["Webhooks"],
        "security": [],
        "parameters": [
            {
                "name": name,
                "in": "header",
                "required": True,
                "description": text,
                "schema": {"type": "string"},
            }
            for name, text in (
                ("webhook-id", "The same in each try of this message."),
                ("webhook-timestamp", "Seconds since 1970, of this try."),
                ("webhook-signature", "Standard Webhooks, v1 or v1a."),
            )
        ],
        "requestBody": {
            "required": True,
            "content": {
                envelope.CONTENT_TYPE: {
                    "schema": event_reference(catalogue, event_type)
                }
            },
        },
        "responses": {
            "2XX": {"description": "Taken. Everything else is tried again, or a case."}
        },
        **life(catalogue, event_type),
    }


def _operations(paths: Mapping[str, Any]) -> Iterable[dict[str, Any]]:
    return (operation for item in paths.values() for operation in item.values())


def _scopes(paths: Mapping[str, Any]) -> dict[str, str]:
    found: dict[str, list[str]] = {}
    for operation in _operations(paths):
        if "x-scope" in operation:
            found.setdefault(operation["x-scope"], []).append(operation["summary"])
    return {scope: "; ".join(texts) for scope, texts in sorted(found.items())}


def _tags(paths: Mapping[str, Any]) -> list[dict[str, str]]:
    used = {tag for operation in _operations(paths) for tag in operation["tags"]}
    names = [*TAGS, *sorted(used - set(TAGS))]
    return [
        {"name": name, "description": TAGS.get(name, name)}
        for name in names
        if name in used or name == "Webhooks"
    ]
