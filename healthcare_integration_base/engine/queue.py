# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""The statements on ``integration_queue_entry``: claim, finish, release, heal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from odoo.tools import SQL

from . import sql

# Advisory locks: (space, key). They belong to the connection of a drain.
SPACE_LANE, SPACE_ENDPOINT = 0x48434C, 0x484345


def claim(want: Sequence[Mapping[str, Any]], token: str) -> SQL:
    """Claim due messages, at most ``n`` per endpoint, urgent ones first.

    A message with an older unfinished one of its key leaves the due index
    (``due_at`` NULL) until that one is finished, so it is visited once. What
    is claimed together with its predecessor is a run, in the order of ``seq``.
    """
    return SQL(
        """
        WITH want AS (
            SELECT v.endpoint_id, v.n, p.priority FROM %(want)s
             CROSS JOIN (VALUES (0), (1), (2)) AS p(priority)
        ), found AS MATERIALIZED (
            SELECT c.*, w.n FROM want w CROSS JOIN LATERAL (
                SELECT q.message_id, q.endpoint_id, q.ordering_key, q.seq, q.priority, q.due_at
                  FROM integration_queue_entry q
                 WHERE q.endpoint_id = w.endpoint_id AND q.priority = w.priority
                   AND q.claim IS NULL AND q.due_at <= %(now)s
                 ORDER BY q.due_at, q.seq LIMIT w.n FOR NO KEY UPDATE SKIP LOCKED) c
        ), due AS MATERIALIZED (
            SELECT * FROM (
                SELECT f.*, row_number() OVER (
                    PARTITION BY endpoint_id ORDER BY priority, due_at, seq) AS place
                  FROM found f) r
             WHERE place <= n
        ), verdict AS (
            SELECT d.message_id, d.ordering_key IS NOT NULL AND EXISTS (
                SELECT 1 FROM integration_queue_entry o
                 WHERE o.endpoint_id = d.endpoint_id AND o.ordering_key = d.ordering_key
                   AND o.seq < d.seq
                   AND NOT EXISTS (SELECT 1 FROM due x WHERE x.message_id = o.message_id)
                ) AS blocked
              FROM due d
        ), claimed AS (
            UPDATE integration_queue_entry q
               SET claim = CASE WHEN NOT v.blocked THEN %(token)s END,
                   claimed_at = CASE WHEN NOT v.blocked THEN %(now)s END,
                   due_at = CASE WHEN NOT v.blocked THEN q.due_at END
              FROM verdict v WHERE q.message_id = v.message_id
            RETURNING q.message_id, q.endpoint_id, q.ordering_key, q.seq, q.priority,
                      q.manual_user_id, v.blocked
        )
        SELECT c.*, m.attempt_count AS attempts
          FROM claimed c JOIN integration_message m ON m.id = c.message_id
         WHERE NOT c.blocked
        """,
        want=sql.unnest(want, {"endpoint_id": "int", "n": "int"}),
        now=sql.NOW,
        token=token,
    )


def claim_these(ids: Sequence[int], endpoint_ids: Sequence[int], token: str) -> SQL:
    """Claim these messages where they are due and nothing older of their key is there."""
    return SQL(
        """
        UPDATE integration_queue_entry q SET claim = %(token)s, claimed_at = %(now)s
          FROM integration_message m
         WHERE q.message_id = ANY(%(ids)s) AND q.endpoint_id = ANY(%(endpoints)s)
           AND m.id = q.message_id AND q.claim IS NULL AND q.due_at <= %(now)s
           AND NOT EXISTS (SELECT 1 FROM integration_queue_entry o
                            WHERE o.endpoint_id = q.endpoint_id
                              AND o.ordering_key = q.ordering_key AND o.seq < q.seq)
        RETURNING q.message_id, q.endpoint_id, q.ordering_key, q.seq, q.priority,
                  q.manual_user_id, m.attempt_count AS attempts
        """,
        token=token,
        now=sql.NOW,
        ids=list(ids),
        endpoints=list(endpoint_ids),
    )


def held(ids: Sequence[int], token: str) -> SQL:
    """Lock and return those of the messages that are still in the claim."""
    return SQL(
        "SELECT message_id FROM integration_queue_entry WHERE message_id = ANY(%s)"
        " AND claim = %s ORDER BY message_id FOR UPDATE",
        list(ids),
        token,
    )


def finish(ids: Sequence[int]) -> SQL:
    """Delete entries of finished messages and let the next ones of their keys go."""
    return SQL(
        """
        WITH gone AS (
            DELETE FROM integration_queue_entry WHERE message_id = ANY(%(ids)s)
            RETURNING endpoint_id, ordering_key)
        UPDATE integration_queue_entry q SET due_at = %(now)s
          FROM (SELECT DISTINCT endpoint_id, ordering_key FROM gone
                 WHERE ordering_key IS NOT NULL) g
         CROSS JOIN LATERAL (
            SELECT n.message_id FROM integration_queue_entry n
             WHERE n.endpoint_id = g.endpoint_id AND n.ordering_key = g.ordering_key
               AND NOT (n.message_id = ANY(%(ids)s)) ORDER BY n.seq LIMIT 1) nx
         WHERE q.message_id = nx.message_id AND q.due_at IS NULL AND q.claim IS NULL
           AND EXISTS (SELECT 1 FROM integration_message m
                        WHERE m.id = q.message_id AND m.state = 'pending')
        """,
        ids=list(ids),
        now=sql.NOW,
    )


def requeue(rows: Sequence[Mapping[str, Any]]) -> SQL:
    """Give claimed messages a new due time; ``due_in`` None parks them (dead head)."""
    return SQL(
        "UPDATE integration_queue_entry q SET claim = NULL, claimed_at = NULL,"
        " lease_until = NULL, client_id = NULL, manual_user_id = NULL, due_at = %s"
        " FROM %s WHERE q.message_id = v.message_id",
        sql.later(SQL("v.due_in")),
        sql.unnest(rows, {"message_id": "int", "due_in": "float8"}),
    )


def release(ids: Sequence[int], token: str, blocked: bool) -> SQL:
    """Give claimed messages back; ``blocked`` ones wait for an older one, if it is there."""
    waits = SQL(
        "CASE WHEN EXISTS (SELECT 1 FROM integration_queue_entry o"
        " WHERE o.endpoint_id = q.endpoint_id AND o.ordering_key = q.ordering_key"
        " AND o.seq < q.seq) THEN NULL ELSE %s END",
        sql.NOW,
    )
    return SQL(
        "UPDATE integration_queue_entry q SET claim = NULL, claimed_at = NULL,"
        " lease_until = NULL, due_at = %s WHERE q.message_id = ANY(%s) AND q.claim = %s",
        waits if blocked else SQL("q.due_at"),
        list(ids),
        token,
    )


def heal(endpoints: SQL) -> SQL:
    """Let messages go that wait for an older one which is no longer there.

    :param endpoints: condition on ``q.endpoint_id``
    """
    return SQL(
        """
        UPDATE integration_queue_entry q SET due_at = %s
          FROM integration_message m
         WHERE %s AND q.due_at IS NULL AND q.claim IS NULL
           AND m.id = q.message_id AND m.state = 'pending'
           AND NOT EXISTS (SELECT 1 FROM integration_queue_entry o
                            WHERE o.endpoint_id = q.endpoint_id
                              AND o.ordering_key = q.ordering_key AND o.seq < q.seq)
        """,
        sql.NOW,
        endpoints,
    )


def orphans(endpoint_ids: Sequence[int], token: str) -> SQL:
    """Return the condition for claims of former owners of endpoints."""
    return SQL(
        "endpoint_id = ANY(%s) AND claim IS NOT NULL AND claim <> %s",
        list(endpoint_ids),
        token,
    )


def older_than(seconds: float) -> SQL:
    """Return the condition for claims that no drain can have any more."""
    return SQL(
        "claim IS NOT NULL AND lease_until IS NULL AND claimed_at < %s",
        sql.later(-seconds),
    )


def free(orphaned: SQL) -> SQL:
    """Free claims of drains that are gone; each message gets an attempt ``unknown``."""
    return SQL(
        """
        WITH orphan AS (
            SELECT message_id, claimed_at, manual_user_id FROM integration_queue_entry
             WHERE %(orphaned)s ORDER BY message_id FOR NO KEY UPDATE
        ), freed AS (
            UPDATE integration_queue_entry q
               SET claim = NULL, claimed_at = NULL, lease_until = NULL,
                   manual_user_id = NULL, due_at = %(now)s
              FROM orphan o WHERE q.message_id = o.message_id
        ), counted AS (
            UPDATE integration_message m SET attempt_count = m.attempt_count + 1
              FROM orphan o WHERE m.id = o.message_id
            RETURNING m.id, m.attempt_count
        )
        INSERT INTO integration_attempt
               (message_id, number, started_at, outcome, trigger, user_id)
        SELECT c.id, c.attempt_count, COALESCE(o.claimed_at, %(now)s), 'unknown',
               CASE WHEN o.manual_user_id IS NULL THEN 'automatic' ELSE 'manual' END,
               o.manual_user_id
          FROM counted c JOIN orphan o ON o.message_id = c.id
        """,
        orphaned=orphaned,
        now=sql.NOW,
    )


def try_lock(space: int, keys: Sequence[int]) -> SQL:
    """Try to take advisory locks; returns the keys that were taken."""
    return SQL(
        "SELECT k AS key FROM unnest(%s::int[]) AS k WHERE pg_try_advisory_lock(%s, k)",
        list(keys),
        space,
    )


def unlock(space: int, keys: Sequence[int]) -> SQL:
    """Give advisory locks back."""
    return SQL(
        "SELECT pg_advisory_unlock(%s, k) FROM unnest(%s::int[]) AS k",
        space,
        list(keys),
    )


def is_locked(space: int, key: int) -> SQL:
    """Look whether anybody has the advisory lock, without taking it."""
    return SQL(
        "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 2"
        " AND classid = %s AND objid = %s AND granted"
        " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
        space,
        key,
    )
