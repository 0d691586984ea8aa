# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""What a system API publishes of a model. Connectors declare these in ``integration.api``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from odoo.fields import Domain
from odoo.tools import SQL

from ..protocol.errors import Permanent

TEXT = {"type": "string", "maxLength": 255}
# What every item has beside its document.
ENVELOPE = {
    "id": {"type": "string", "description": "Our own, lasting number of the record."},
    "number": {
        "type": ["string", "null"],
        "description": "What people call it; null where it has none (yet).",
    },
    "active": {"type": "boolean", "description": "False: archived."},
    "updated_at": {
        "type": "string",
        "format": "date-time",
        "description": "When it was last changed; good for updated_since.",
    },
}


class BadParameter(Permanent):
    """A query parameter has a value that cannot be."""

    default_code = "invalid_parameter"
    title = "Request refused"


def nothing_more(_env) -> Domain:
    """Narrow nothing: all records of the model belong to the resource."""
    return Domain.TRUE


@dataclass(frozen=True)
class Filter:
    """A query parameter that narrows a collection.

    :param domain: function (environment, value) → domain; may raise :class:`BadParameter`
    :param schema: JSON Schema of its value; an ``enum`` is checked
    """

    name: str
    text: str
    domain: Callable[[Any, str], Domain]
    schema: Mapping[str, Any] = field(default_factory=lambda: dict(TEXT))


@dataclass(frozen=True)
class Query:
    """A query parameter of a part of a record, such as ``date``.

    :param parse: function text → value; may raise ``ValueError``
    :param example: a value that is right, for the error's text
    """

    name: str
    text: str
    parse: Callable[[str], Any]
    example: str
    schema: Mapping[str, Any] = field(default_factory=lambda: dict(TEXT))


@dataclass(frozen=True)
class Part:
    """What can be asked about one record beside its document, at ``…/<number>/<name>``.

    :param build: function (record, values of the queries) → JSON-ready dict
    """

    name: str
    text: str
    build: Callable[[Any, Mapping[str, Any]], dict[str, Any]]
    schema: Mapping[str, Any]
    queries: tuple[Query, ...] = ()


@dataclass(frozen=True)
class Resource:
    """A collection that clients may read.

    :param name: plural, as in the path: ``purchase-orders``
    :param build: batched function (records) → {id: document}; a fixed number of queries
    :param schema: JSON Schema of a document, its references in its own ``$defs``
    :param number: field that holds what people call a record; None: it has only its id
    :param domain: function (environment) → which records of the model belong to it
    :param of_partner: function (commercial partner) → which records a client sees that is
        bound to its system's partner; None: none, such clients are refused
    :param of_company: name of the field that tells whose a record is; None: a rule or the
        model itself does
    :param touched: (table, column) of rows whose change is a change of the record
    :param needs: XML id of the group that the client's user needs at least
    """

    name: str
    title: str
    text: str
    model: str
    build: Callable[[Any], dict[int, dict[str, Any]]]
    schema: Mapping[str, Any]
    number: str | None = "name"
    domain: Callable[[Any], Domain] = nothing_more
    of_partner: Callable[[Any], Domain] | None = None
    of_company: str | None = "company_id"
    filters: tuple[Filter, ...] = ()
    parts: tuple[Part, ...] = ()
    touched: tuple[tuple[str, str], ...] = ()
    needs: str = "base.group_user"
    version: int = 1

    @property
    def scope(self) -> str:
        """Return the scope that a client needs to read it."""
        return f"{self.name}:read"

    def part(self, name: str) -> Part | None:
        """Return the part of this name."""
        return next((part for part in self.parts if part.name == name), None)

    def item_schema(self) -> dict[str, Any]:
        """Return the JSON Schema of an item of the collection, ``$defs`` included."""
        return {
            "type": "object",
            "description": self.text,
            **{key: value for key, value in self.schema.items() if key == "$defs"},
            "properties": {**ENVELOPE, **self.schema.get("properties", {})},
            "additionalProperties": False,
        }

    def moment(self, alias: str) -> SQL:
        """Return the expression for when a record was last changed."""
        own = SQL(
            "COALESCE(%(write)s, %(create)s, 'epoch'::timestamp)",
            write=SQL.identifier(alias, "write_date"),
            create=SQL.identifier(alias, "create_date"),
        )
        if not self.touched:
            return own
        others = [
            SQL(
                "(SELECT MAX(t.write_date) FROM %s t WHERE %s = %s)",
                SQL.identifier(table),
                SQL.identifier("t", column),
                SQL.identifier(alias, "id"),
            )
            for table, column in self.touched
        ]
        return SQL("GREATEST(%s)", SQL(", ").join([own, *others]))
