# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""The statements of the inbox: messages as they came, stored once.

One statement stores messages, bodies and queue entries, whatever their number. What is
not stored had been there before: then the earlier one is looked for.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from psycopg2.errors import DuplicatePreparedStatement, InvalidSqlStatementName

from odoo.tools import SQL

from . import payload, sql

_COLUMNS = {
    "uid": "varchar",
    "endpoint_id": "int",
    "client_id": "int",
    "event_type_id": "int",
    "route_id": "int",
    "company_id": "int",
    "ordering_key": "varchar",
    "external_id": "varchar",
    "content_type": "varchar",
    "body_sha256": "varchar",
    "size": "int",
    "correlation_uid": "varchar",
    "traceparent": "varchar",
}
_NAMES = ", ".join(_COLUMNS)
_TYPES = {**_COLUMNS, "body": "bytea"}
_NOW = "(clock_timestamp() AT TIME ZONE 'UTC')"

# Constant texts: composing them anew for each message would cost as much as running them.
_STORE_MANY = f"""
    WITH given AS MATERIALIZED (
        SELECT * FROM unnest({", ".join(f"%s::{one}[]" for one in _TYPES.values())})
               WITH ORDINALITY AS v({_NAMES}, body, place)),
    added AS (
        INSERT INTO integration_message
               ({_NAMES}, direction, priority, state, attempt_count, superseded, created_at)
        SELECT {_NAMES}, 'in', '1', 'pending', 0, false, {_NOW} FROM given ORDER BY place
        ON CONFLICT DO NOTHING
        RETURNING id, uid, endpoint_id, ordering_key),
    queued AS (
        INSERT INTO integration_queue_entry
               (message_id, endpoint_id, priority, seq, ordering_key, due_at)
        SELECT id, endpoint_id, 1, id, ordering_key, {_NOW} FROM added),
    kept AS (
        INSERT INTO integration_payload (message_id, kind, body, encrypted)
        SELECT a.id, 'body', g.body, false FROM added a JOIN given g ON g.uid = a.uid
         WHERE g.body IS NOT NULL)
    SELECT id, uid FROM added
    """  # noqa: S608  all of it is ours


def _single(places: Sequence[str]) -> str:
    """Return the statement that stores one message, in half the time of the above.

    :param places: what stands for the values of ``_TYPES``
    """
    *values, body = [
        f"{place}::{one}" for place, one in zip(places, _TYPES.values(), strict=True)
    ]
    return f"""
    WITH added AS (
        INSERT INTO integration_message
               ({_NAMES}, direction, priority, state, attempt_count, superseded, created_at)
        VALUES ({", ".join(values)}, 'in', '1', 'pending', 0, false, {_NOW})
        ON CONFLICT DO NOTHING
        RETURNING id, uid, endpoint_id, ordering_key),
    queued AS (
        INSERT INTO integration_queue_entry
               (message_id, endpoint_id, priority, seq, ordering_key, due_at)
        SELECT id, endpoint_id, 1, id, ordering_key, {_NOW} FROM added),
    kept AS (
        INSERT INTO integration_payload (message_id, kind, body, encrypted)
        SELECT id, 'body', given.body, false
          FROM added CROSS JOIN (SELECT {body} AS body) AS given
         WHERE given.body IS NOT NULL)
    SELECT id, uid FROM added
    """  # noqa: S608  all of it is ours


_STORE_ONE = _single(["%s"] * len(_TYPES))
# Planned once where a connection is kept, as planning takes as long as storing.
_PREPARED = "integration_inbox_store"
_NUMBERED = _single([f"${number + 1}" for number in range(len(_TYPES))])
_PREPARE = f"PREPARE {_PREPARED} ({', '.join(_TYPES.values())}) AS {_NUMBERED}"
_EXECUTE = f"EXECUTE {_PREPARED} ({', '.join(['%s'] * len(_TYPES))})"


@dataclass(frozen=True)
class Entry:
    """A message to be stored.

    :param values: its columns, see ``_COLUMNS``
    :param phi: the body is protected before it is stored
    :param lane: whose drain applies it
    :param window: days its id is remembered, 0 for ever
    """

    values: dict[str, Any]
    body: bytes
    phi: bool
    lane: str
    window: int

    @property
    def uid(self) -> str:
        """Its id, if it is new."""
        return self.values["uid"]

    @property
    def key(self) -> tuple[int, str]:
        """What makes it the same message."""
        return self.values["endpoint_id"], self.values["external_id"]


def insert(cr, entries: Sequence[Entry]) -> set[str]:
    """Store the messages that are new; return their uids.

    :raises Configuration: keyring_missing, when phi has to be encrypted
    """
    rows = [_row(entry) for entry in entries]
    if len(rows) == 1:
        _store_one(cr, rows[0])
    else:
        columns = tuple(map(list, zip(*rows, strict=True)))
        cr.execute(_STORE_MANY, columns, log_exceptions=False)
    added = {uid: message_id for message_id, uid in cr.fetchall()}
    protected = [
        {"message_id": added[entry.uid], "body": entry.body, "phi": True}
        for entry in entries
        if entry.phi and entry.uid in added
    ]
    payload.store(cr, protected)
    return set(added)


def _store_one(cr, row: tuple[Any, ...]) -> None:
    """Store one message; by the prepared statement where its failure would spoil nothing."""
    if cr.connection.autocommit:
        try:
            if not getattr(cr, _PREPARED, False):
                cr.execute(_PREPARE, log_exceptions=False)
                setattr(cr, _PREPARED, True)
            cr.execute(_EXECUTE, row, log_exceptions=False)
            return
        except (InvalidSqlStatementName, DuplicatePreparedStatement):
            # a pooler in between has given us another connection: do without
            setattr(cr, _PREPARED, False)
    cr.execute(_STORE_ONE, row, log_exceptions=False)


def _row(entry: Entry) -> tuple[Any, ...]:
    values = entry.values
    body = None if entry.phi else entry.body
    return (*[values.get(name) for name in _COLUMNS], body)


def find_earlier(
    cr, keys: Collection[tuple[int, str]]
) -> dict[tuple[int, str], dict[str, Any]]:
    """Return the messages that have these ids; ``age`` in days."""
    statement = SQL(
        """
        SELECT m.id, m.uid, m.endpoint_id, m.external_id, m.body_sha256,
               EXTRACT(epoch FROM %(now)s - m.created_at)::float8 / 86400 AS age
          FROM %(keys)s
          JOIN integration_message m
            ON m.endpoint_id = v.endpoint_id AND m.external_id = v.external_id
         WHERE m.direction = 'in' AND m.replay_of_id IS NULL
        """,
        now=sql.NOW,
        keys=sql.unnest(
            [{"endpoint_id": e, "external_id": x} for e, x in keys],
            {"endpoint_id": "int", "external_id": "varchar"},
        ),
    )
    return {
        (row["endpoint_id"], row["external_id"]): row
        for row in sql.rows_of(cr, statement)
    }


def forget(cr, earlier: dict[str, Any]) -> None:
    """Free the partner's id of a message whose window is over, unless somebody else did."""
    statement = SQL(
        "UPDATE integration_message SET external_id = external_id || ' (' || uid || ')'"
        " WHERE id = %s AND external_id = %s",
        earlier["id"],
        earlier["external_id"],
    )
    sql.run(cr, statement)
