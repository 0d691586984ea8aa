# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Schemas of documents and filters that several resources share."""

from __future__ import annotations

import copy
import json
import re
from pathlib import Path
from typing import Any

from odoo.fields import Domain

from odoo.addons.healthcare_integration_base.engine.reading import ID, record_id
from odoo.addons.healthcare_integration_base.engine.resource import Filter

SCHEMAS = Path(__file__).parent.parent / "schemas"
_REFERENCE = re.compile(r'"#/\$defs/(\w+)"')
# An item of a collection may be asked for in part, and a draft has no lines yet.
_DROPPED = ("required", "minItems")


def _file(name: str) -> dict[str, Any]:
    return json.loads((SCHEMAS / f"{name}.json").read_text())


def of_event(name: str, **more: Any) -> dict[str, Any]:
    """Return the schema of documents that look like an event's data.

    :param name: of the schema's file: ``supply.item.updated.v1``
    :param more: further properties
    """
    return document({**_file(name)["properties"], **more})


def document(properties: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of documents with these properties, definitions included."""
    definitions, needed = _file("common.v1")["$defs"], {}
    waiting = _REFERENCE.findall(json.dumps(properties))
    while waiting:
        name = waiting.pop()
        if name not in needed:
            needed[name] = definitions[name]
            waiting += _REFERENCE.findall(json.dumps(definitions[name]))
    return _eased(copy.deepcopy({"properties": properties, "$defs": needed}))


def _eased(value: Any) -> Any:
    if isinstance(value, list):
        return [_eased(inner) for inner in value]
    if not isinstance(value, dict):
        return value
    return {
        name: _eased(inner)
        for name, inner in value.items()
        if not (name in _DROPPED and isinstance(inner, list | int))
    }


def widen(schema: dict[str, Any], path: str, *values: str) -> dict[str, Any]:
    """Let a property have further values than the event's schema allows.

    :param path: names of properties joined by dots
    """
    place = schema
    for name in path.split("."):
        place = place["properties"][name]
    known = place.pop("const", None)
    place["enum"] = list(
        dict.fromkeys([*place.get("enum", [known] if known else []), *values])
    )
    return schema


def ref(name: str) -> dict[str, str]:
    """Return a reference to a definition that all schemas share."""
    return {"$ref": f"#/$defs/{name}"}


def objects(**properties: Any) -> dict[str, Any]:
    """Return the schema of an object with just these properties."""
    return {"type": "object", "properties": properties, "additionalProperties": False}


def lists(**properties: Any) -> dict[str, Any]:
    """Return the schema of a list of such objects."""
    return {"type": "array", "items": objects(**properties)}


TEXT = {"type": "string"}
WHOLE = {"type": "integer"}
TRUTH = {"type": "boolean"}


# -- filters ------------------------------------------------------------------------------


def choice(name: str, text: str, values: dict[str, Any], field: str) -> Filter:
    """Return a filter with fixed values; what each means for the field is in ``values``."""
    return Filter(
        name,
        text,
        lambda _env, value: Domain(field, "in", _listed(values[value])),
        {"type": "string", "enum": list(values)},
    )


def _listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, tuple | list) else [value]


def by_record(name: str, text: str, *paths: str, number: str) -> Filter:
    """Return a filter by another record, by its number or ``id:<id>``.

    :param paths: dotted fields that lead to it; any of them may fit
    :param number: the field that holds its number
    """

    def domain(_env, value):
        if value.startswith(ID):
            wanted = record_id(value.removeprefix(ID))
            return Domain.OR(Domain(path, "=", wanted) for path in paths)
        return Domain.OR(Domain(f"{path}.{number}", "=", value) for path in paths)

    return Filter(name, f"{text} Its number, or id:<id>.", domain)


def by_text(name: str, text: str, *paths: str) -> Filter:
    """Return a filter by the exact value of a field."""
    return Filter(
        name,
        text,
        lambda _env, value: Domain.OR(Domain(path, "=", value) for path in paths),
    )


PRODUCT = by_record(
    "product", "Only about this product.", "product_id", number="default_code"
)
