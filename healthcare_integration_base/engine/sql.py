# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Small helpers for bulk statements.

Statements carry payloads and identifiers, and Odoo logs a failed statement with
its values: everything here runs with that switched off.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from odoo.tools import SQL

# Odoo keeps moments as UTC without a zone; microseconds matter in the queue.
NOW = SQL("(clock_timestamp() AT TIME ZONE 'UTC')")


def run(cr, statement: SQL) -> None:
    """Execute without ever logging the values."""
    cr.execute(statement, log_exceptions=False)


def rows_of(cr, statement: SQL) -> list[dict[str, Any]]:
    """Execute and return the rows as dictionaries."""
    run(cr, statement)
    return cr.dictfetchall()


def unnest(rows: Sequence[Mapping[str, Any]], types: Mapping[str, str]) -> SQL:
    """Return ``unnest(...) WITH ORDINALITY AS v(<columns>, place)`` over rows.

    :param types: column name -> PostgreSQL type; both come from our source only
    """
    arrays = [
        SQL("%s::" + t + "[]", [r.get(c) for r in rows]) for c, t in types.items()
    ]
    return SQL(
        "unnest(%s) WITH ORDINALITY AS v(%s)",
        SQL(", ").join(arrays),
        names([*types, "place"]),
    )


def names(columns: Iterable[str], prefix: str = "") -> SQL:
    """Return a list of columns, each under the alias ``prefix``."""
    parts = ([prefix, column] if prefix else [column] for column in columns)
    return SQL(", ").join(SQL.identifier(*part) for part in parts)


def insert(
    table: str, rows: Sequence[Mapping[str, Any]], types: Mapping[str, str]
) -> SQL:
    """Return ``INSERT INTO table (columns) SELECT … `` in the order of the rows."""
    return SQL(
        "INSERT INTO %s (%s) SELECT %s FROM %s ORDER BY place",
        SQL.identifier(table),
        names(types),
        names(types, "v"),
        unnest(rows, types),
    )


def later(seconds: Any) -> SQL:
    """Return the moment that many seconds from now."""
    return SQL("(%s + %s * interval '1 second')", NOW, seconds)
