# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""JSON Schema 2020-12, with messages that quote the schema and never the content."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from datetime import date, datetime
from functools import lru_cache
from typing import Any

import jsonschema
import referencing
from jsonschema.exceptions import ValidationError

from . import ids, safe_regex
from .errors import IntegrationError

DIALECT = "https://json-schema.org/draft/2020-12/schema"
MAX_ERRORS = 50
MAX_DEPTH = 64

_DATE_TIME = re.compile(
    r"\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(\.\d{1,9})?([Zz]|[+-]\d{2}:\d{2})",
    re.ASCII,
)
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


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


# -- checking a schema -----------------------------------------------------------


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
        pointer = _pointer(exc.absolute_path)
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
            _check_parts(value, document, f"{pointer}/{_escape(key)}", depth + 1)


def _check_reference(
    node: dict[str, Any], document: dict[str, Any], pointer: str
) -> None:
    reference = node.get("$ref")
    if not isinstance(reference, str):
        return
    if not reference.startswith("#"):
        raise SchemaError(
            f"At {pointer}/$ref: only references within the document (#/…) are allowed",
            pointer=f"{pointer}/$ref",
        )
    if reference.startswith("#/") and _resolve(document, reference[1:]) is None:
        raise SchemaError(
            f"At {pointer}/$ref: {reference[:200]} does not exist",
            pointer=f"{pointer}/$ref",
        )


def _resolve(document: Any, pointer: str) -> Any:
    for part in pointer.split("/")[1:]:
        key = part.replace("~1", "/").replace("~0", "~")
        if not isinstance(document, dict) or key not in document:
            return None
        document = document[key]
    return document


def _check_patterns(node: dict[str, Any], pointer: str) -> None:
    if isinstance(node.get("pattern"), str):
        _check_pattern(node["pattern"], f"{pointer}/pattern")
    properties = node.get("patternProperties")
    for pattern in properties if isinstance(properties, dict) else ():
        _check_pattern(pattern, f"{pointer}/patternProperties/{_escape(pattern)}")


def _check_pattern(pattern: str, pointer: str) -> None:
    try:
        _safe_pattern(pattern)
    except (safe_regex.UnsafeRegex, re.error, OverflowError) as exc:
        raise SchemaError(f"At {pointer}: {exc}", pointer=pointer) from None


@lru_cache(maxsize=1_000)
def _safe_pattern(pattern: str) -> safe_regex.SafePattern:
    return safe_regex.compile_safe(pattern)


# -- checking content ------------------------------------------------------------


def validate(schema: dict[str, Any], instance: Any) -> list[dict[str, str]]:
    """Return what in ``instance`` breaks the schema, at most 50 findings.

    Each is ``{"path": JSON pointer, "message": text}``; the text holds nothing
    of the content. An empty list means valid. References outside of the schema
    are never fetched.

    :raises SchemaError: if the schema itself cannot be applied
    """
    validator = _Validator(
        schema, registry=referencing.Registry(), format_checker=_formats
    )
    findings = []
    try:
        for error in validator.iter_errors(instance):
            findings += [_finding(leaf) for leaf in _leaves(error)]
            if len(findings) >= MAX_ERRORS:
                break
    except RecursionError:
        return [{"path": "", "message": "nests too deeply"}]
    except (referencing.exceptions.Unresolvable, jsonschema.exceptions.UnknownType):
        raise SchemaError(
            "The schema has a reference or type that does not exist"
        ) from None
    findings.sort(key=lambda finding: finding["path"])
    return findings[:MAX_ERRORS]


def _leaves(error: ValidationError) -> Iterator[ValidationError]:
    """Yield the causes below allOf and $ref; anyOf and oneOf stay one finding."""
    if error.context and error.validator == "allOf":
        for child in error.context:
            yield from _leaves(child)
    else:
        yield error


def _finding(error: ValidationError) -> dict[str, str]:
    return {"path": _pointer(error.absolute_path), "message": _message(error)}


def _pointer(path: Any) -> str:
    """RFC 6901."""
    return "".join("/" + _escape(str(part)) for part in path)


def _escape(part: str) -> str:
    return part.replace("~", "~0").replace("/", "~1")


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
    try:
        if _safe_pattern(pattern).search(instance):
            return
    except (safe_regex.UnsafeRegex, re.error):
        pass  # too long for the pattern: not a match
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
