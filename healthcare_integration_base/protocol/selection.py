# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Choose fields of documents: ``fields=number,lines.item.code``."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from .errors import Permanent

MAX_LENGTH = 2000
MAX_DEPTH = 10
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}", re.ASCII)

# A name → what of it is wanted; an empty tree: all of it.
Tree = dict[str, "Tree"]


class BadSelection(Permanent):
    """The text names no fields, or fields that the documents don't have."""

    default_code = "invalid_fields"
    title = "Request refused"


def parse(text: str) -> Tree:
    """Return the tree of wanted fields.

    ``lines,lines.item`` wants whole lines: the wider wish wins.

    :raises BadSelection: too long, too deep, or not names joined by dots and commas
    """
    if len(text) > MAX_LENGTH:
        raise BadSelection(f"fields may have at most {MAX_LENGTH} characters.")
    tree: Tree = {}
    paths = sorted({_path(part) for part in text.split(",")}, key=len)
    for path in paths:
        _add(tree, path)
    return tree


def _path(text: str) -> tuple[str, ...]:
    names = tuple(text.strip(" ").split("."))
    if len(names) > MAX_DEPTH or not all(_NAME.fullmatch(name) for name in names):
        raise BadSelection(
            "fields is a list of names joined by commas; dots lead into inner objects,"
            " for example number,lines.item.code."
        )
    return names


def _add(tree: Tree, path: tuple[str, ...]) -> None:
    """Put a path into the tree; shorter ones have been put before."""
    for index, name in enumerate(path):
        if name in tree and not tree[name]:
            return  # all of it is wanted already
        if name not in tree:
            tree[name] = {}
            if index == len(path) - 1:
                return
            # an inner node gets its children at once, so it is never taken for a whole wish
        tree = tree[name]


def check(tree: Tree, schema: Mapping[str, Any]) -> None:
    """Refuse fields that the schema of the documents does not have.

    :raises BadSelection: with code ``unknown_field``; names the field
    """
    _check(tree, [schema], schema, "")


def _check(
    tree: Tree, places: Sequence[Mapping[str, Any]], root: Mapping[str, Any], path: str
) -> None:
    for name, inner in tree.items():
        found = [
            place["properties"][name]
            for place in _objects(places, root)
            if name in place.get("properties", {})
        ]
        if not found:
            raise BadSelection(f"There is no field {path}{name}.", code="unknown_field")
        _check(inner, found, root, f"{path}{name}.")


def _objects(
    places: Sequence[Mapping[str, Any]], root: Mapping[str, Any], depth: int = 20
) -> list[Mapping[str, Any]]:
    """Return the object schemas behind references, lists and alternatives."""
    found: list[Mapping[str, Any]] = []
    if not depth:
        return found
    for place in places:
        inner: list[Mapping[str, Any]] = [
            *place.get("anyOf", ()),
            *place.get("oneOf", ()),
            *place.get("allOf", ()),
        ]
        if isinstance(place.get("items"), dict):
            inner.append(place["items"])
        if "$ref" in place:
            inner.append(root["$defs"][place["$ref"].rsplit("/", 1)[1]])
        if "properties" in place:
            found.append(place)
        found += _objects(inner, root, depth - 1)
    return found


def pick(tree: Tree, document: Any) -> Any:
    """Return of a document what the tree wants; lists are searched item by item."""
    if not tree:
        return document
    if isinstance(document, list):
        return [pick(tree, item) for item in document]
    if not isinstance(document, dict):
        return document
    return {
        name: pick(tree[name], value)
        for name, value in document.items()
        if name in tree
    }
