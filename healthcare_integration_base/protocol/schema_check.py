# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Checking JSON Schemas of authors: what is accepted can be applied safely."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any
from urllib.parse import unquote

import jsonschema

from . import safe_regex
from .errors import IntegrationError

DIALECT = "https://json-schema.org/draft/2020-12/schema"
MAX_DEPTH = 64
# The validator searches names of properties with Python's own engine, which nothing can
# stop: patterns for them must be cheap, and longer names are refused in the content.
MAX_NAME = 255

# keywords that apply further schemas to the very same place of the content
_SAME_PLACE = ("$ref", "allOf", "anyOf", "oneOf", "not", "if", "then", "else")


class SchemaError(IntegrationError, ValueError):
    """A schema cannot be used.

    :param position: offset in the text, for broken JSON
    :param pointer: JSON pointer into the schema, for a broken schema
    """

    default_code = "bad_schema"
    default_status = 422
    title = "Schema has an error"

    def __init__(
        self,
        message: str,
        *,
        position: int | None = None,
        pointer: str | None = None,
        **kwargs: Any,
    ):
        super().__init__(message, **kwargs)
        self.position = position
        self.pointer = pointer


def check_schema(schema: str | bytes | dict[str, Any]) -> dict[str, Any]:
    """Return the schema if it can be used.

    :raises SchemaError: broken JSON (with line and column), no schema of
        dialect 2020-12 (with the pointer), references outside of the document,
        patterns that could take too long
    """
    document = _parse(schema) if isinstance(schema, (str, bytes)) else schema
    if not isinstance(document, dict):
        raise SchemaError("A schema is a JSON object", pointer="")
    if str(document.get("$schema", DIALECT)).rstrip("#") != DIALECT:
        raise SchemaError(f"$schema must be {DIALECT}", pointer="/$schema")
    try:
        _check_against_dialect(document)
        _check_parts(document, document, "", 0)
        _check_loops(document)
    except RecursionError:
        raise SchemaError("The schema nests too deeply") from None
    return document


def _parse(text: str | bytes) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as exc:
        raise SchemaError(
            f"The schema is not JSON: {exc.msg} at line {exc.lineno}, column {exc.colno}",
            position=exc.pos,
        ) from None
    except (UnicodeDecodeError, RecursionError, ValueError):
        raise SchemaError("The schema is not JSON in UTF-8") from None


def _check_against_dialect(document: dict[str, Any]) -> None:
    try:
        jsonschema.Draft202012Validator.check_schema(document)
    except jsonschema.SchemaError as exc:
        pointer = pointer_of(exc.absolute_path)
        raise SchemaError(
            f"At {pointer or 'the top'}: {exc.message[:300]}", pointer=pointer
        ) from None


def _check_parts(node: Any, document: dict[str, Any], pointer: str, depth: int) -> None:
    if depth > MAX_DEPTH:
        raise SchemaError("The schema nests too deeply", pointer=pointer)
    if isinstance(node, list):
        for index, item in enumerate(node):
            _check_parts(item, document, f"{pointer}/{index}", depth + 1)
    if not isinstance(node, dict):
        return
    _check_reference(node, document, pointer)
    _check_patterns(node, pointer)
    for key, value in node.items():
        if key not in ("const", "enum", "default", "examples"):
            _check_parts(value, document, f"{pointer}/{escape(key)}", depth + 1)


def _check_reference(
    node: dict[str, Any], document: dict[str, Any], pointer: str
) -> None:
    for keyword in ("$dynamicRef", "$anchor", "$dynamicAnchor"):
        if isinstance(node.get(keyword), str):
            raise _bad_reference(f"{pointer}/{keyword}", "it is not supported here")
    if pointer and isinstance(node.get("$id"), str):
        raise _bad_reference(f"{pointer}/$id", "only the whole schema has an $id")
    reference = node.get("$ref")
    if not isinstance(reference, str):
        return
    if reference != "#" and not reference.startswith("#/"):
        reason = "only references within the document (#/…) are allowed"
        raise _bad_reference(f"{pointer}/$ref", reason)
    if not isinstance(_resolve(document, reference), (dict, bool)):
        raise _bad_reference(f"{pointer}/$ref", f"{reference[:200]} does not exist")


def _bad_reference(pointer: str, reason: str) -> SchemaError:
    return SchemaError(f"At {pointer}: {reason}", pointer=pointer)


def _resolve(document: Any, reference: str) -> Any:
    """Return what ``#/a/b`` points to, None if there is nothing."""
    for part in reference.split("/")[1:]:
        key = unquote(part).replace("~1", "/").replace("~0", "~")
        if isinstance(document, list) and key.isascii() and key.isdigit():
            document = document[int(key)] if int(key) < len(document) else None
        else:
            document = document.get(key) if isinstance(document, dict) else None
    return document


def _check_loops(document: dict[str, Any]) -> None:
    """Refuse references that lead back to themselves without going into the content.

    :raises SchemaError: applying such a schema would never end
    """
    finished: set[int] = set()

    def visit(node: Any, path: frozenset[int]) -> None:
        if not isinstance(node, dict) or id(node) in finished:
            return
        if id(node) in path:
            raise SchemaError("A reference ($ref) leads back to itself")
        for same in _same_place(node, document):
            visit(same, path | {id(node)})
        finished.add(id(node))

    for node in _objects(document):
        visit(node, frozenset())


def _same_place(node: dict[str, Any], document: dict[str, Any]) -> Iterator[Any]:
    for keyword in _SAME_PLACE:
        value = node.get(keyword)
        if keyword == "$ref" and isinstance(value, str):
            yield _resolve(document, value)
        elif isinstance(value, list):
            yield from value
        else:
            yield value
    dependent = node.get("dependentSchemas")
    yield from dependent.values() if isinstance(dependent, dict) else ()


def _objects(node: Any) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict):
        yield node
    for inner in inner_values(node):
        yield from _objects(inner)


def inner_values(node: Any) -> Iterable[Any]:
    if isinstance(node, dict):
        return node.values()
    return node if isinstance(node, list) else ()


def _check_patterns(node: dict[str, Any], pointer: str) -> None:
    if isinstance(node.get("pattern"), str):
        _check_pattern(node["pattern"], f"{pointer}/pattern")
    properties = node.get("patternProperties")
    for pattern in properties if isinstance(properties, dict) else ():
        place = f"{pointer}/patternProperties/{escape(pattern)}"
        _check_pattern(pattern, place)
        if safe_pattern(pattern).steps(MAX_NAME) > safe_regex.MAX_STEPS:
            raise SchemaError(f"At {place}: it could take too long", pointer=place)


def _check_pattern(pattern: str, pointer: str) -> None:
    try:
        safe_pattern(pattern)
    except (safe_regex.UnsafeRegex, re.error, OverflowError) as exc:
        raise SchemaError(f"At {pointer}: {exc}", pointer=pointer) from None


@lru_cache(maxsize=1_000)
def safe_pattern(pattern: str) -> safe_regex.SafePattern:
    return safe_regex.compile_safe(pattern)


def pointer_of(path: Any) -> str:
    """Return the JSON pointer (RFC 6901) of a path."""
    return "".join("/" + escape(str(part)) for part in path)


def escape(part: str) -> str:
    return part.replace("~", "~0").replace("/", "~1")
