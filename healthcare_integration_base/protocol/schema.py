# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""JSON Schema 2020-12, with messages that quote the schema and never the content."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Callable, Iterator
from datetime import date, datetime
from typing import Any

import jsonschema
import referencing
from jsonschema.exceptions import ValidationError

from . import ids, safe_regex
from .cutoff import run_for
from .schema_check import (
    MAX_NAME,
    SchemaError,
    check_schema,
    inner_values,
    pointer_of,
    safe_pattern,
)

__all__ = ["SchemaError", "check_schema", "validate"]

MAX_ERRORS = 50
# Each level costs the validator several frames; at Python's limit of recursion
# its Rust parts panic, which no except clause for Exception catches.
MAX_CONTENT_DEPTH = 50
# References that branch, and items compared in pairs, cost more than their length.
TIMEOUT = 5.0

_DATE_TIME = re.compile(
    r"\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(\.\d{1,9})?([Zz]|[+-]\d{2}:\d{2})",
    re.ASCII,
)
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


def validate(schema: dict[str, Any], instance: Any) -> list[dict[str, str]]:
    """Return what in ``instance`` breaks the schema, at most 50 findings.

    Each is ``{"path": JSON pointer, "message": text}``; the text holds nothing
    of the content. An empty list means valid. References outside of the schema
    are never fetched. The schema has passed ``check_schema`` before.

    :raises SchemaError: if the schema itself cannot be applied
    """
    if _too_deep(instance):
        return [{"path": "", "message": "nests too deeply"}]
    if _has_long_name(instance):
        return [{"path": "", "message": "has a property name that is too long"}]
    try:
        return run_for(TIMEOUT, lambda _watch: _findings(schema, instance))
    except TimeoutError:
        return [{"path": "", "message": "takes too long to check"}]
    except RecursionError:
        return [{"path": "", "message": "nests too deeply"}]
    except (referencing.exceptions.Unresolvable, jsonschema.exceptions.UnknownType):
        raise SchemaError(
            "The schema has a reference or type that does not exist"
        ) from None


def _findings(schema: dict[str, Any], instance: Any) -> list[dict[str, str]]:
    validator = _Validator(
        schema, registry=referencing.Registry(), format_checker=_formats
    )
    findings: list[dict[str, str]] = []
    for error in validator.iter_errors(instance):
        findings += [_finding(leaf) for leaf in _leaves(error)]
        if len(findings) >= MAX_ERRORS:
            break
    findings.sort(key=lambda finding: finding["path"])
    return findings[:MAX_ERRORS]


def _too_deep(instance: Any) -> bool:
    level = [instance]
    for _ in range(MAX_CONTENT_DEPTH):
        level = [inner for value in level for inner in inner_values(value)]
        if not level:
            return False
    return True


def _has_long_name(instance: Any) -> bool:
    """Look at all names; ``instance`` does not nest too deeply."""
    if isinstance(instance, dict) and any(len(name) > MAX_NAME for name in instance):
        return True
    return any(_has_long_name(inner) for inner in inner_values(instance))


def _leaves(error: ValidationError) -> Iterator[ValidationError]:
    """Yield the causes below allOf and $ref; anyOf and oneOf stay one finding."""
    if error.context and error.validator == "allOf":
        for child in error.context:
            yield from _leaves(child)
    else:
        yield error


def _finding(error: ValidationError) -> dict[str, str]:
    return {"path": pointer_of(error.absolute_path), "message": _message(error)}


_TEXTS = {
    "const": "must be {value}",
    "enum": "must be one of {value}",
    "format": "must have the format {value}",
    "maxItems": "must have at most {value} items",
    "maxLength": "must have at most {value} characters",
    "maxProperties": "must have at most {value} properties",
    "maximum": "must be at most {value}",
    "exclusiveMaximum": "must be less than {value}",
    "minItems": "must have at least {value} items",
    "minLength": "must have at least {value} characters",
    "minProperties": "must have at least {value} properties",
    "minimum": "must be at least {value}",
    "exclusiveMinimum": "must be more than {value}",
    "multipleOf": "must be a multiple of {value}",
    "pattern": "must match the pattern {value}",
    "type": "must be of type {value}",
    "additionalProperties": "has properties the schema does not know",
    "unevaluatedProperties": "has properties the schema does not know",
    "unevaluatedItems": "has items the schema does not know",
    "uniqueItems": "must not have the same item twice",
    "anyOf": "fits none of the allowed forms",
    "oneOf": "must fit exactly one of the allowed forms",
    "not": "has a form that is not allowed",
    "contains": "lacks an item of the required form",
    "propertyNames": "has a property name that is not allowed",
}


def _message(error: ValidationError) -> str:
    keyword = str(error.validator)
    if keyword == "required":
        return f"lacks the property {_missing(error)}"
    if keyword == "dependentRequired":
        return "lacks a property that another one requires"
    value = json.dumps(error.validator_value, ensure_ascii=False, default=str)[:200]
    return _TEXTS.get(keyword, f"breaks the rule {keyword}").format(value=value)


def _missing(error: ValidationError) -> str:
    # one error per missing name; its text quotes that name of the schema first
    names = error.validator_value if isinstance(error.validator_value, list) else []
    return next((name for name in names if error.message.startswith(repr(name))), "?")


def _pattern(
    _validator: Any, pattern: str, instance: Any, _schema: Any
) -> Iterator[ValidationError]:
    if not isinstance(instance, str):
        return
    # what is too long for the pattern is no match
    with contextlib.suppress(safe_regex.UnsafeRegex, re.error):
        if safe_pattern(pattern).search(instance):
            return
    yield ValidationError("does not match")


_Validator: Any = jsonschema.validators.extend(
    jsonschema.Draft202012Validator, {"pattern": _pattern}
)


# -- formats ---------------------------------------------------------------------


def _is_date(text: str) -> bool:
    return _DATE.fullmatch(text) is not None and _parses(date.fromisoformat, text)


def _is_date_time(text: str) -> bool:
    """RFC 3339: a zone is required."""
    if not _DATE_TIME.fullmatch(text):
        return False
    return _parses(datetime.fromisoformat, text[:19].upper()) and _zone_ok(text)


def _zone_ok(text: str) -> bool:
    zone = text[-6:]
    return zone[0] not in "+-" or (int(zone[1:3]) <= 23 and int(zone[4:]) <= 59)


def _parses(parser: Callable[[str], Any], text: str) -> bool:
    try:
        parser(text)
    except ValueError:
        return False
    return True


def _make_formats() -> jsonschema.FormatChecker:
    checker = jsonschema.FormatChecker(formats=())
    for name, function in (
        ("date", _is_date),
        ("date-time", _is_date_time),
        ("uuid", ids.is_uuid),
    ):
        checker.checks(name)(_for_text(function))
    return checker


def _for_text(function: Callable[[str], bool]) -> Callable[[object], bool]:
    return lambda value: not isinstance(value, str) or function(value)


_formats = _make_formats()
