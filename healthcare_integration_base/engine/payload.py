# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Bytes at rest: bodies, answers and event data; ciphertext where phi."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from odoo.tools import SQL

from .. import runtime
from . import sql

COLUMNS = {
    "message_id": "int",
    "kind": "varchar",
    "body": "bytea",
    "encrypted": "bool",
    "facts": "jsonb",
}


def store(cr, rows: Sequence[Mapping[str, Any]]) -> None:
    """Store payloads, in one statement; what is there already stays.

    :param rows: ``message_id``, ``body`` (bytes), optional ``kind`` (default body),
        ``phi`` and ``facts`` (JSON values kept beside the bytes)
    :raises Configuration: keyring_missing, when phi has to be encrypted
    """
    if rows:
        statement = SQL(
            "%s ON CONFLICT (message_id, kind) DO NOTHING",
            sql.insert("integration_payload", [_row(row) for row in rows], COLUMNS),
        )
        sql.run(cr, statement)


def _row(row: Mapping[str, Any]) -> dict[str, Any]:
    kind, phi = row.get("kind", "body"), bool(row.get("phi"))
    body = row["body"]
    facts = row.get("facts")
    return {
        "message_id": row["message_id"],
        "kind": kind,
        "body": seal(body, _aad(row["message_id"], kind)) if phi else body,
        "encrypted": phi,
        "facts": None if facts is None else json.dumps(facts),
    }


def replace(cr, message_id: int, body: bytes) -> None:
    """Put ciphertext in the place of a body that was stored in the clear.

    :raises Configuration: keyring_missing
    """
    statement = SQL(
        "UPDATE integration_payload SET body = %s, encrypted = true"
        " WHERE message_id = %s AND kind = 'body'",
        seal(body, _aad(message_id, "body")),
        message_id,
    )
    sql.run(cr, statement)


def load(
    cr, message_ids: Sequence[int], kind: str = "body"
) -> dict[int, dict[str, Any]]:
    """Return ``body`` (token where ``encrypted``) and ``facts`` by message."""
    statement = SQL(
        "SELECT message_id, kind, body, encrypted, facts FROM integration_payload"
        " WHERE message_id = ANY(%s) AND kind = %s",
        list(message_ids),
        kind,
    )
    return {row["message_id"]: row for row in sql.rows_of(cr, statement)}


def clear(row: Mapping[str, Any]) -> bytes:
    """Return the bytes of a loaded payload.

    :raises Configuration: keyring_missing, key_unknown
    """
    body = bytes(row["body"] or b"")
    if not row["encrypted"]:
        return body
    return runtime.keyring().decrypt(body, _aad(row["message_id"], row["kind"]))


def seal(body: bytes, aad: bytes) -> bytes:
    """Encrypt. :raises Configuration: keyring_missing"""
    return runtime.keyring().encrypt(body, aad)


def response_aad(message_id: int) -> bytes:
    """Return the context an encrypted answer of an attempt is bound to."""
    return b"integration.attempt:%d" % message_id


def _aad(message_id: int, kind: str) -> bytes:
    return f"integration.payload:{message_id}:{kind}".encode()


# -- data of events ----------------------------------------------------------------


def event_aad(type_id: int, res_model: str | None, res_id: int | None) -> bytes:
    """Return the context event data are bound to; the same when they coalesce."""
    return f"integration.event:{type_id}:{res_model or ''}:{res_id or 0}".encode()


def seal_text(text: str, aad: bytes) -> str:
    """Encrypt text for a text column. :raises Configuration: keyring_missing"""
    return seal(text.encode(), aad).hex()


def clear_text(token: str, aad: bytes) -> str:
    """Return the text of ``seal_text``. :raises Configuration: keyring_missing, key_unknown"""
    return runtime.keyring().decrypt(bytes.fromhex(token), aad).decode()
