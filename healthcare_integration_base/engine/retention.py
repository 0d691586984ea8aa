# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Forgetting traffic whose time is over, in batches."""

from __future__ import annotations

from odoo.tools import SQL

from . import sql

BATCH = 1000
FINISHED = ("delivered", "done", "filtered", "cancelled", "shadow")


def forget(cr) -> int:
    """Delete a batch of finished messages and of events that no message needs any more.

    A dead message stays until somebody has settled it: its replay got through, or its
    case is closed. A type that keeps its traffic for 0 days keeps it for ever.

    :return: how many rows were deleted
    """
    sql.run(cr, _messages())
    messages = cr.rowcount
    sql.run(cr, _events())
    return messages + cr.rowcount


def _messages() -> SQL:
    return SQL(
        """
        DELETE FROM integration_message WHERE id IN (
            SELECT m.id FROM integration_message m
              JOIN integration_event_type t ON t.id = m.event_type_id
              LEFT JOIN integration_exception e ON e.id = m.exception_id
             WHERE t.retention_days > 0
               AND m.finished_at < %(now)s - t.retention_days * interval '1 day'
               AND (m.state = ANY(%(finished)s) OR m.superseded
                    OR m.state = 'dead' AND e.state IN ('resolved', 'ignored'))
               AND NOT EXISTS (SELECT 1 FROM integration_message r
                                WHERE r.replay_of_id = m.id AND r.state = 'pending')
             ORDER BY m.id LIMIT %(batch)s FOR UPDATE OF m SKIP LOCKED)
        """,
        now=sql.NOW,
        finished=list(FINISHED),
        batch=BATCH,
    )


def _events() -> SQL:
    return SQL(
        """
        DELETE FROM integration_event WHERE id IN (
            SELECT v.id FROM integration_event v
              JOIN integration_event_type t ON t.id = v.type_id
             WHERE t.retention_days > 0
               AND v.occurred_at < %(now)s - t.retention_days * interval '1 day'
               AND NOT EXISTS (SELECT 1 FROM integration_message m WHERE m.event_id = v.id)
             ORDER BY v.id LIMIT %(batch)s FOR UPDATE OF v SKIP LOCKED)
        """,
        now=sql.NOW,
        batch=BATCH,
    )
