# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Gather JSON Schemas in one document: what each has in ``$defs`` becomes shared components."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

PLACE = "#/components/schemas/"
_UNFIT = re.compile(r"[^A-Za-z0-9._-]")
_DROPPED = ("$schema", "$id", "$defs")


class Components:
    """The schemas of an OpenAPI or AsyncAPI document.

    Definitions of the same name and content are kept once.
    """

    def __init__(self) -> None:
        self.schemas: dict[str, Any] = {}
        self._sources: dict[str, str] = {}

    def add(
        self, name: str, schema: Mapping[str, Any], group: str = ""
    ) -> dict[str, str]:
        """Keep a schema, and return the reference to it.

        :param group: put before the names of definitions that are taken by others
        """
        return self._keep(name, schema, schema.get("$defs", {}), group or name)

    def _keep(self, name, schema, definitions, group) -> dict[str, str]:
        source = _closure(schema, definitions)
        key = self._free(name, group, source)
        if key not in self._sources:
            self._sources[key] = source
            self.schemas[key] = {}  # a definition may refer to itself
            self.schemas[key] = self._rewritten(schema, key, definitions, group)
        return {"$ref": PLACE + key}

    def _free(self, name: str, group: str, source: str) -> str:
        """Return the name under which this content is, or can be, kept."""
        candidates = [_UNFIT.sub("-", name), _UNFIT.sub("-", f"{group}.{name}")]
        for number in range(2, 1000):
            candidates.append(f"{candidates[1]}.{number}")
        return next(
            key for key in candidates if self._sources.get(key, source) == source
        )

    def _rewritten(self, value: Any, key: str, definitions, group) -> Any:
        if isinstance(value, list):
            return [self._rewritten(inner, key, definitions, group) for inner in value]
        if not isinstance(value, dict):
            return value
        return {
            name: self._reference(inner, key, definitions, group)
            if name == "$ref" and isinstance(inner, str)
            else self._rewritten(inner, key, definitions, group)
            for name, inner in value.items()
            if name not in _DROPPED
        }

    def _reference(self, text: str, key: str, definitions, group) -> str:
        name, _slash, rest = text.removeprefix("#/$defs/").partition("/")
        if text.startswith("#/$defs/") and name in definitions:
            kept = self._keep(name, definitions[name], definitions, group)["$ref"]
            return f"{kept}/{rest}" if rest else kept
        if text.startswith("#") and not text.startswith(PLACE):
            return f"{PLACE}{key}{text[1:]}"
        return text


def _closure(schema: Mapping[str, Any], definitions: Mapping[str, Any]) -> str:
    """Return the text of a schema and of all it refers to, to compare it by."""
    found: dict[str, Any] = {}
    waiting = _names(schema)
    while waiting:
        name = waiting.pop()
        if name in definitions and name not in found:
            found[name] = definitions[name]
            waiting += _names(definitions[name])
    own = {name: value for name, value in schema.items() if name not in _DROPPED}
    return json.dumps([own, found], sort_keys=True, ensure_ascii=False)


def _names(value: Any) -> list[str]:
    if isinstance(value, list):
        return [name for inner in value for name in _names(inner)]
    if not isinstance(value, dict):
        return []
    found = [
        name for key, inner in value.items() if key != "$defs" for name in _names(inner)
    ]
    text = value.get("$ref")
    if isinstance(text, str) and text.startswith("#/$defs/"):
        found.append(text.removeprefix("#/$defs/").partition("/")[0])
    return found
