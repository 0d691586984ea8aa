# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""The field table: rows of target and source, compiled to JSONata.

Rows ``lines[].sku`` from ``order.lines[].item.code`` iterate; a source without
``[]`` inside an array target is read from the top of the event.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from .mapping_errors import MappingError

# value expressions: {v} is the value, {t} names the target in errors
TRANSFORMS: dict[str, str] = {
    "none": "{v}",
    "upper": "$uppercase($string({v}))",
    "lower": "$lowercase($string({v}))",
    "trim": "$trim($string({v}))",
    "string": "$string({v})",
    "number": "$asNumber({v}, {t})",
    "boolean": "$asBoolean({v}, {t})",
    "date": "$asDate({v}, {t})",
    "datetime": "$asDateTime({v}, {t})",
}

_SEGMENT = re.compile(r"([^`\[\].\x00-\x1f]+)(\[(\d{0,6})\])?")
MAX_ROWS = 2_000


@dataclass(frozen=True)
class FieldRow:
    """One line of the table.

    :param target: dotted path of the result; ``name[]`` makes an array
    :param source: dotted path of the event; empty for a constant (``default``)
    :param transform: a key of ``TRANSFORMS``
    :param default: used where the source has no value (or null)
    :param required: an error names the target if there is no value
    :param crosswalk: code domain to translate the value by
    """

    target: str
    source: str = ""
    transform: str = "none"
    default: str | None = None
    required: bool = False
    crosswalk: str | None = None


@dataclass
class _Object:
    """A node of the result: leaves are value expressions, arrays have a source."""

    variable: str
    fields: dict[str, _Object | str] = field(default_factory=dict)
    array_source: str | None = None  # expression of the array it iterates over


def compile_table(rows: Iterable[FieldRow]) -> str:
    """Return the JSONata expression of the table.

    :raises MappingError: mapping_bad_row, naming the row (from 1) and the reason
    """
    root = _Object(variable="$$")
    for number, row in enumerate(rows, 1):
        if number > MAX_ROWS:
            raise _bad_row(number, f"a table has at most {MAX_ROWS} rows")
        _Placer(number, row).place(root)
    if not root.fields:
        raise MappingError("The table has no rows", code="mapping_bad_row")
    return _render(root, 0)


class _Placer:
    """Puts one row into the tree of the result."""

    def __init__(self, number: int, row: FieldRow):
        self.number, self.row = number, row

    def place(self, root: _Object) -> None:
        target = self._path(self.row.target, "target")
        source = (
            self._path(self.row.source, "source") if self.row.source.strip() else []
        )
        if target[-1][1] is not None:
            raise self._bad("the target must end with a field name, not with []")
        self._check_row()
        node, rest = self._descend(root, target[:-1], source)
        name = target[-1][0]
        if name in node.fields:
            raise self._bad(f"the target {self.row.target} is there twice")
        node.fields[name] = self._value(node, rest)

    def _check_row(self) -> None:
        if self.row.transform not in TRANSFORMS:
            raise self._bad(f"there is no transform {self.row.transform!r}")
        if not self.row.source.strip() and self.row.default is None:
            raise self._bad("it has neither a source nor a default")

    def _path(self, text: str, what: str) -> list[tuple[str, str | None]]:
        """Return (name, index) per segment; the index is None, "" for [] or digits."""
        path = []
        for segment in text.strip().split("."):
            match = _SEGMENT.fullmatch(segment.strip())
            if not match:
                raise self._bad(f"the {what} path {text!r} is not valid")
            if what == "target" and match[3]:
                raise self._bad("a target takes [] without a number")
            path.append((match[1], match[3]))
        return path

    def _descend(
        self,
        node: _Object,
        target: list[tuple[str, str | None]],
        source: list[tuple[str, str | None]],
    ) -> tuple[_Object, list[tuple[str, str | None]]]:
        """Return the object the row belongs to, and its source path from there."""
        top = not any(index == "" for _name, index in source)
        for name, index in target:
            if index is None:
                node = self._child(node, name, node.variable, None)
            else:
                expression, source = self._array(node, source, top)
                node = self._child(
                    node, name, f"$i{_depth(node.variable) + 1}", expression
                )
        if any(index == "" for _name, index in source):
            raise self._bad("the source has more [] than the target")
        return node, source

    def _array(
        self, node: _Object, source: list[tuple[str, str | None]], top: bool
    ) -> tuple[str | None, list[tuple[str, str | None]]]:
        if top:  # the value comes from the top of the event, or is constant
            return None, source
        for place, (_name, index) in enumerate(source):
            if index == "":
                head = [*source[:place], (source[place][0], None)]
                return _reference(node.variable, head), source[place + 1 :]
        raise self._bad("the target has more [] than the source")

    def _child(
        self, node: _Object, name: str, variable: str, array: str | None
    ) -> _Object:
        child = node.fields.setdefault(name, _Object(variable))
        if isinstance(child, str) or child.variable != variable:
            raise self._bad(
                f"{name} is a value, an object or an array in different rows"
            )
        if array and child.array_source not in (None, array):
            raise self._bad(f"the array {name} has two different sources")
        child.array_source = array or child.array_source
        return child

    def _value(self, node: _Object, source: list[tuple[str, str | None]]) -> str:
        start = "$$" if "[]" not in self.row.source else node.variable
        return _value_expression(
            self.row, _reference(start, source) if source else None
        )

    def _bad(self, reason: str) -> MappingError:
        return _bad_row(self.number, reason)


def _value_expression(row: FieldRow, reference: str | None) -> str:
    transform, target = TRANSFORMS[row.transform], json.dumps(row.target)
    default = (
        None
        if row.default is None
        else transform.format(v=json.dumps(row.default), t=target)
    )
    if reference is None:
        return str(default)
    value = transform.format(v="$v", t=target)
    if row.crosswalk:
        value = f"$crosswalk({json.dumps(row.crosswalk)}, {value})"
    if (value, default, row.required) == ("$v", None, False):
        return reference
    other = f" : {default}" if default is not None else ""
    value = f"($v := {reference}; $exists($v) and $v != null ? {value}{other})"
    return f"$required({value}, {target})" if row.required else value


def _reference(variable: str, path: list[tuple[str, str | None]]) -> str:
    steps = "".join(
        f".`{name}`" + (f"[{index}]" if index else "") for name, index in path
    )
    return variable + steps


def _depth(variable: str) -> int:
    return 0 if variable == "$$" else int(variable.removeprefix("$i"))


def _render(node: _Object, indent: int) -> str:
    inner = "  " * (indent + 1)
    lines = [
        f"{inner}{json.dumps(name)}: {_render_field(name, value, node, indent + 1)}"
        for name, value in node.fields.items()
    ]
    return "{\n" + ",\n".join(lines) + "\n" + "  " * indent + "}"


def _render_field(name: str, value: _Object | str, parent: _Object, indent: int) -> str:
    if isinstance(value, str):
        return value
    if value.variable == parent.variable:
        return _render(value, indent)
    if value.array_source is None:
        raise MappingError(
            f"The array {name} has no row with a source that iterates ([])",
            code="mapping_bad_row",
        )
    # [ ] keeps one item an array, and makes none an empty array
    body = _render(value, indent)
    return f"[$map({value.array_source}, function({value.variable}) {{ {body} }})]"


def _bad_row(number: int, reason: str) -> MappingError:
    return MappingError(f"Row {number}: {reason}", code="mapping_bad_row")
