# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""The field table read from records: rows of target and source, filled without JSONata.

The same rows as ``field_table``, but the source is a record and its fields, and it is
filled in the transaction of the user who published the event: no expression is evaluated.
How a field is read is the caller's; this file knows paths, lists, transforms, defaults.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from . import values
from .field_table import FieldRow, compile_table
from .mapping_errors import MappingError

Read = Callable[[Any, str], Any]
_SOURCE = re.compile(r"[a-z_][a-z0-9_]*(\[\])?(\.[a-z_][a-z0-9_]*(\[\])?)*", re.ASCII)


@dataclass(frozen=True)
class Reader:
    """How records are read.

    :param step: (record, field) → record, or None where there is none
    :param items: (record, field) → records of a list
    :param leaf: (record, field) → JSON value, None where there is none
    """

    step: Read
    items: Callable[[Any, str], Sequence[Any]]
    leaf: Read


@dataclass(frozen=True)
class _Row:
    row: FieldRow
    target: tuple[str, ...]
    source: tuple[str, ...]


def check(rows: Sequence[FieldRow]) -> None:
    """Refuse a table that cannot be filled.

    :raises MappingError: mapping_bad_row, naming the row (from 1) and the reason
    """
    for number, row in enumerate(rows, 1):
        source = row.source.strip()
        if source and not _SOURCE.fullmatch(source):
            raise _bad(number, f"the source {source!r} is no path of fields")
        if source.endswith("[]"):
            raise _bad(number, "the source must end with a field, not with []")
        if row.crosswalk:
            raise _bad(number, "values are translated by mappings, not in events")
    compile_table(rows)


def fill(rows: Sequence[FieldRow], record: Any, reader: Reader) -> dict[str, Any]:
    """Return the document of a record.

    Values that are not there are left out; a list is there even if it is empty.

    :raises MappingError: mapping_required, mapping_bad_value, naming the target
    """
    result: dict[str, Any] = {}
    parsed = [_parse(row) for row in rows]
    # constants inside lists need the items that other rows make
    for row in sorted(parsed, key=lambda one: "[]" not in one.row.source):
        _put(result, row.target, row.source, record, row.row, reader)
    return result


def _parse(row: FieldRow) -> _Row:
    def split(text: str) -> tuple[str, ...]:
        return tuple(part.strip() for part in text.split(".")) if text.strip() else ()

    return _Row(row, split(row.target), split(row.source))


def _put(
    out: dict[str, Any],
    target: tuple[str, ...],
    source: tuple[str, ...],
    record: Any,
    row: FieldRow,
    reader: Reader,
) -> None:
    name, rest = target[0], target[1:]
    if name.endswith("[]"):
        _put_items(out, name[:-2], rest, source, record, row, reader)
    elif rest:
        _put(out.setdefault(name, {}), rest, source, record, row, reader)
        if not out[name]:
            del out[name]
    else:
        value = _value(row, _leaf(record, source, reader) if source else None)
        if value is not None:
            out[name] = value


def _put_items(out, name, rest, source, record, row, reader) -> None:
    items = out.setdefault(name, [])
    place = next((i for i, part in enumerate(source) if part.endswith("[]")), None)
    if place is None:  # a constant, or a value of the whole for each item
        for item in items:
            _put(item, rest, source, record, row, reader)
        return
    parent = _walk(record, source[:place], reader)
    found = (
        [] if parent is None else list(reader.items(parent, source[place].rstrip("[]")))
    )
    items += [{} for _missing in range(len(found) - len(items))]
    for item, one in zip(items, found, strict=False):
        _put(item, rest, source[place + 1 :], one, row, reader)


def _walk(record: Any, names: Sequence[str], reader: Reader) -> Any:
    for name in names:
        record = None if record is None else reader.step(record, name)
    return record


def _leaf(record: Any, source: tuple[str, ...], reader: Reader) -> Any:
    parent = _walk(record, source[:-1], reader)
    return None if parent is None else reader.leaf(parent, source[-1])


def _value(row: FieldRow, value: Any) -> Any:
    if value is None:
        value = row.default
    if value is None:
        if row.required:
            raise MappingError(
                f"The target {row.target} has no value", code="mapping_required"
            )
        return None
    try:
        return _TRANSFORMS[row.transform](value)
    except MappingError:
        raise MappingError(
            f"The value of {row.target} is no {row.transform}", code="mapping_bad_value"
        ) from None


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


_TRANSFORMS: dict[str, Callable[[Any], Any]] = {
    "none": lambda value: value,
    "upper": lambda value: _text(value).upper(),
    "lower": lambda value: _text(value).lower(),
    "trim": lambda value: _text(value).strip(),
    "string": _text,
    "number": values.as_number,
    "boolean": values.as_boolean,
    "date": values.as_date,
    "datetime": values.as_datetime,
}

# -- schema --------------------------------------------------------------------------------

_TYPES: dict[str, dict[str, Any]] = {
    "number": {"type": "number"},
    "boolean": {"type": "boolean"},
    "date": {"type": "string", "format": "date"},
    "datetime": {"type": "string", "format": "date-time"},
}


def schema(
    rows: Sequence[FieldRow], types: Sequence[dict[str, Any]], title: str
) -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of what a table makes.

    :param types: of each row, the schema of the value its source has
    """
    root: dict[str, Any] = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": title,
        "type": "object",
    }
    for row, given in zip(rows, types, strict=True):
        kind = given if row.transform == "none" else _TYPES.get(row.transform)
        _describe(root, _parse(row).target, kind or {"type": "string"}, row.required)
    return root


def _describe(
    node: dict[str, Any], target: tuple[str, ...], kind: dict[str, Any], required: bool
) -> None:
    name, rest = target[0], target[1:]
    properties = node.setdefault("properties", {})
    if not rest:
        properties[name] = dict(kind)
    elif name.endswith("[]"):
        name = name[:-2]
        listed = properties.setdefault(name, {"type": "array"})
        _describe(listed.setdefault("items", {"type": "object"}), rest, kind, required)
    else:
        _describe(properties.setdefault(name, {"type": "object"}), rest, kind, required)
    if required and name not in node.setdefault("required", []):
        node["required"].append(name)
    if not node.get("required"):
        node.pop("required", None)


def _bad(number: int, reason: str) -> MappingError:
    return MappingError(f"Row {number}: {reason}", code="mapping_bad_row")
