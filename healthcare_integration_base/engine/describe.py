# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""What an event says about a record: by the code of its model, or by a field table.

A model of a connector describes itself (``integration.emitter``). For any other one the
administrator's field table of the event type does.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from odoo import fields, models
from odoo.tools import html2plaintext

from ..protocol import record_table
from ..protocol.envelope import iso_utc
from ..protocol.field_table import FieldRow

Emitter = models.BaseModel
DIGITS = 10
# Error of an event whose filter failed: it may not be described after all.
UNJUDGED = "condition_failed"

# What no table may read, whoever writes it: values that are secrets by their name or place.
SECRET_NAME = re.compile(
    r"(^|_)(password|passwd|passphrase|secret|secrets|token|tokens|api_?key|apikey|"
    r"private_key|signature_key|totp|otp|pin|credential)(_|$)"
)
SECRET_MODELS = frozenset(
    {
        "ir.config_parameter",
        "res.users.apikeys",
        "res.users.apikeys.description",
        "auth_totp.device",
        "ir.mail_server",
        "fetchmail.server",
        "integration.payload",
        "integration.event",
        "integration.credential",
        "integration.credential.previous",
        "integration.client.key",
    }
)
NO_VALUE = ("binary", "image", "properties", "properties_definition", "reference")


def is_emitter(records) -> bool:
    """Tell whether the model describes its records itself."""
    return hasattr(records, "_integration_payload")


def companies(records, code: str) -> Mapping[int, int | None]:
    """Return the company of each record, None for those that companies share."""
    if is_emitter(records):
        return records._integration_company(code)
    if "company_id" not in records._fields:
        return dict.fromkeys(records.ids)
    return {record.id: record.company_id.id or None for record in records}


def ordering_keys(records, code: str) -> Mapping[int, str | None]:
    """Return what keeps the events of each record in order."""
    if is_emitter(records):
        return records._integration_ordering_key(code)
    return {res_id: f"{records._name},{res_id}" for res_id in records.ids}


def correlations(records, code: str) -> Mapping[int, str | None]:
    """Return what ties the events of one business transaction together."""
    if is_emitter(records):
        return records._integration_correlation(code)
    return {}


def payloads(records, code: str, by_table: bool = False) -> Mapping[int, Any]:
    """Return the canonical data of each record.

    :param by_table: the field table of the event type counts, where it has one
    :raises MappingError: the table does not fit a record
    """
    if by_table or not is_emitter(records):
        event_types = records.env["integration.event.type"]
        event_type = event_types.browse(event_types._get(code) or [])
        if event_type.field_ids or not is_emitter(records):
            return event_type._table_payload(records)
    return records._integration_payload(code)


def filled(record, rows: Sequence[FieldRow]) -> dict[str, Any]:
    """Return the document a table makes of one record.

    :raises MappingError: mapping_required, mapping_bad_value, naming the target
    """
    return record_table.fill(rows, record, READER)


# -- reading ----------------------------------------------------------------------------


def _step(record, name: str):
    found = record[name]
    return found if len(found) == 1 else None


def _items(record, name: str) -> list:
    return list(record[name])


def leaf(record, name: str) -> Any:
    """Return the value of a field as JSON knows it; None for none.

    Decimals are texts, moments ISO 8601 in UTC, a relation is its display name; what
    depends on the company is left out where the record has none.
    """
    field = record._fields[name]
    if field.company_dependent and not record.env.context.get("allowed_company_ids"):
        return None
    value = record[name]
    if field.type == "boolean":
        return bool(value)
    if field.relational:
        return _names(field, value)
    if value is None or value is False:
        return None
    convert = _CONVERT.get(field.type)
    return convert(record, field, value) if convert else value


def _names(field: fields.Field, value) -> Any:
    if field.type == "many2one":
        return value.display_name or None
    return [one.display_name for one in value]


def _decimal(record, field: fields.Field, value: float) -> str:
    digits = (field.get_digits(record.env) or (16, DIGITS))[1]
    return _text_of(value, digits)


def _text_of(value: float, digits: int) -> str:
    number = Decimal(repr(value)).quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP)
    return format(number.normalize() + 0, "f")


def _amount(record, field: fields.Field, value: float) -> str:
    currency = record[field.get_currency_field(record) or "currency_id"]
    places = currency.decimal_places if currency else 2
    number = Decimal(repr(value)).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)
    return format(number + 0, "f")


_CONVERT = {
    "float": _decimal,
    "monetary": _amount,
    "datetime": lambda _record, _field, value: iso_utc(value),
    "date": lambda _record, _field, value: value.isoformat(),
    "html": lambda _record, _field, value: html2plaintext(value),
    "integer": lambda _record, field, value: str(value)
    if field.name == "id"
    else value,
    "many2one_reference": lambda _record, _field, value: str(value),
}

READER = record_table.Reader(step=_step, items=_items, leaf=leaf)

_SCHEMAS: dict[str, dict[str, Any]] = {
    "boolean": {"type": "boolean"},
    "integer": {"type": "integer"},
    "date": {"type": "string", "format": "date"},
    "datetime": {"type": "string", "format": "date-time"},
    "one2many": {"type": "array", "items": {"type": "string"}},
    "many2many": {"type": "array", "items": {"type": "string"}},
    "json": {},
}


# -- checking ---------------------------------------------------------------------------


class Unreadable(Exception):
    """A path leads to nothing, or to what its author may not publish.

    :ivar name: the field or model it is about
    :ivar reason: ``missing``, ``not_relation``, ``no_list``, ``list``, ``forbidden``,
        ``secret``, ``no_value``
    """

    def __init__(self, name: str, reason: str):
        super().__init__(name)
        self.name, self.reason = name, reason


def check_path(model, path: str) -> fields.Field:
    """Return the last field of a path, if its author may read all of it.

    :param model: empty recordset in the author's environment
    :param path: as in the table, ``order_line[].product_id.name``
    :raises Unreadable: which part is why not to be published
    """
    names = [name.strip() for name in path.split(".")]
    for place, name in enumerate(names):
        field = _checked_field(model, name.removesuffix("[]"))
        if place == len(names) - 1:
            if field.type in NO_VALUE:
                raise Unreadable(name, "no_value")
            return field
        _check_relation(field, name)
        model = model.env[field.comodel_name]
    raise Unreadable(path, "missing")


def with_brackets(model, path: str) -> str:
    """Return a path with ``[]`` after its lists, as the field selector leaves them out.

    :param model: empty recordset, or None: the path stays as it is
    """
    names = [name.strip() for name in path.split(".")]
    for place, name in enumerate(names[:-1]):
        field = (
            model._fields.get(name.removesuffix("[]")) if model is not None else None
        )
        if field is None or not field.relational:
            break
        if field.type in ("one2many", "many2many"):
            names[place] = name.removesuffix("[]") + "[]"
        model = model.env[field.comodel_name]
    return ".".join(names)


def value_schema(field: fields.Field) -> dict[str, Any]:
    """Return the JSON Schema of what ``leaf`` makes of a field."""
    if field.name == "id":
        return {"type": "string"}
    return _SCHEMAS.get(field.type, {"type": "string"})


def _checked_field(model, name: str) -> fields.Field:
    if model._name in SECRET_MODELS:
        raise Unreadable(model._name, "secret")
    field = model._fields.get(name)
    if field is None:
        raise Unreadable(name, "missing")
    if field.groups == fields.NO_ACCESS or SECRET_NAME.search(name):
        raise Unreadable(name, "secret")
    if not (model.has_access("read") and model._has_field_access(field, "read")):
        raise Unreadable(name, "forbidden")
    return field


def _check_relation(field: fields.Field, name: str) -> None:
    if not field.relational:
        raise Unreadable(name, "not_relation")
    many = field.type in ("one2many", "many2many")
    if many and not name.endswith("[]"):
        raise Unreadable(name, "list")
    if not many and name.endswith("[]"):
        raise Unreadable(name, "no_list")
