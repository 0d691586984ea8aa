# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""What an operator does with messages: retry, replay, skip, cancel.

These run in the user's transaction and touch the queue as a drain does; a drain that
works on the same row makes one of the two repeat its transaction.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from odoo.tools import SQL

from ..protocol import ids as uids
from . import outbox, payload, queue, sql


def lock(cr, message_ids: Sequence[int]) -> None:
    """Lock messages for the rest of the transaction.

    In a user's transaction this fails when a drain has finished one of them since the
    user's snapshot was taken; Odoo repeats the request then, and the checks see it.
    """
    statement = SQL(
        "SELECT id FROM integration_message WHERE id = ANY(%s) ORDER BY id FOR NO KEY UPDATE",
        list(message_ids),
    )
    sql.run(cr, statement)


def in_flight(cr, message_ids: Sequence[int]) -> set[int]:
    """Return those of the messages a drain is working on now."""
    statement = SQL(
        "SELECT message_id FROM integration_queue_entry"
        " WHERE message_id = ANY(%s) AND claim IS NOT NULL",
        list(message_ids),
    )
    return {row["message_id"] for row in sql.rows_of(cr, statement)}


def retry(cr, message_ids: Sequence[int], user_id: int) -> None:
    """Make messages due now; the manual attempt takes the place of the planned one."""
    statement = SQL(
        """
        INSERT INTO integration_queue_entry AS q
               (message_id, endpoint_id, priority, seq, ordering_key, due_at, manual_user_id)
        SELECT m.id, m.endpoint_id, m.priority::int, COALESCE(m.event_id, m.id), m.ordering_key,
               %(now)s, %(user)s
          FROM integration_message m
         WHERE m.id = ANY(%(ids)s) AND m.state IN ('pending', 'dead') AND NOT m.superseded
         ORDER BY m.id
        ON CONFLICT (message_id) DO UPDATE
           SET due_at = EXCLUDED.due_at, manual_user_id = EXCLUDED.manual_user_id
         WHERE q.claim IS NULL
        """,
        now=sql.NOW,
        user=user_id,
        ids=list(message_ids),
    )
    sql.run(cr, statement)
    statement = SQL(
        "UPDATE integration_message SET state = 'pending', finished_at = NULL"
        " WHERE id = ANY(%s) AND state = 'dead'",
        list(message_ids),
    )
    sql.run(cr, statement)


def finish(cr, message_ids: Sequence[int], reason: str | None) -> None:
    """Cancel messages and let the next ones of their keys go."""
    sql.run(cr, queue.finish(message_ids))
    statement = SQL(
        "UPDATE integration_message SET state = 'cancelled', finished_at = %s, filter_reason = %s"
        " WHERE id = ANY(%s)",
        sql.NOW,
        reason,
        list(message_ids),
    )
    sql.run(cr, statement)


def replay(cr, message_ids: Sequence[int]) -> list[int]:
    """Make new messages that take the place of finished ones; return their ids.

    A dead original leaves the queue: its place in the order is the new one's.
    """
    originals = sql.rows_of(cr, _originals(message_ids))
    dead = [row["id"] for row in originals if row["state"] == "dead"]
    if dead:
        sql.run(
            cr,
            SQL("DELETE FROM integration_queue_entry WHERE message_id = ANY(%s)", dead),
        )
        sql.run(
            cr,
            SQL(
                "UPDATE integration_message SET superseded = true WHERE id = ANY(%s)",
                dead,
            ),
        )
    new = outbox.insert_messages(cr, [_replayed(row) for row in originals])
    _copy_received(cr, originals, new)
    return new


def _originals(message_ids: Sequence[int]) -> SQL:
    return SQL(
        """
        SELECT m.*, COALESCE(q.seq, m.event_id, m.id) AS seq, t.sensitivity = 'phi' AS phi
          FROM integration_message m
          LEFT JOIN integration_queue_entry q ON q.message_id = m.id
          LEFT JOIN integration_event_type t ON t.id = m.event_type_id
         WHERE m.id = ANY(%s) ORDER BY COALESCE(q.seq, m.event_id, m.id), m.id
        """,
        list(message_ids),
    )


def _replayed(row: dict[str, Any]) -> dict[str, Any]:
    """Return the new message; what was rendered is left out, what was received is kept."""
    received = ("external_id", "content_type", "body_sha256", "size", "client_id")
    left_out = () if row["direction"] == "in" else received
    values = {name: row[name] for name in outbox.MESSAGE if name not in left_out}
    dead = row["state"] == "dead"
    return {
        **values,
        "uid": uids.uuid7(),
        "replay_of_id": row["id"],
        "exception_id": row["exception_id"] if dead else None,
        "seq": row["seq"],
    }


def _copy_received(cr, originals: Sequence[dict[str, Any]], new: Sequence[int]) -> None:
    """Give replays of incoming messages the raw bytes, bound to their own id."""
    pairs = [
        (o, n) for o, n in zip(originals, new, strict=True) if o["direction"] == "in"
    ]
    bodies = (
        payload.load(cr, [original["id"] for original, _new in pairs]) if pairs else {}
    )
    rows = [
        {
            "message_id": new_id,
            "body": payload.clear(bodies[original["id"]]),
            "phi": bodies[original["id"]]["encrypted"],
            "facts": bodies[original["id"]]["facts"],
        }
        for original, new_id in pairs
        if original["id"] in bodies
    ]
    payload.store(cr, rows)
