# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""The statements of feeds on ``integration_queue_entry``: lease, read again, expire.

A leased entry is claimed like one in a drain, the lease being the claim; ``lease_until``
says that no drain has it. ``claimed_at`` is its place in the order of handing out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from odoo.tools import SQL

from . import queue, sql

LOCK_TIMEOUT = "5s"


@dataclass(frozen=True)
class Wanted:
    """What a consumer asks for.

    :param seconds: how long it is leased to him
    :param company_ids: messages of these companies, and those of none
    :param type_ids: only these event types; None: all
    :param on_demand: only what an operator has asked to be sent
    """

    endpoint_id: int
    client_id: int
    limit: int
    seconds: int
    company_ids: Sequence[int]
    type_ids: Sequence[int] | None = None
    on_demand: bool = False


def lock(cr, endpoint_id: int) -> None:
    """Have the endpoint's queue to oneself until the end of the transaction.

    Blocking a younger message and letting it go must not happen at the same time, as
    with drains; it takes milliseconds.

    :raises psycopg2.OperationalError: somebody keeps it for too long
    """
    sql.run(cr, SQL("SELECT set_config('lock_timeout', %s, true)", LOCK_TIMEOUT))
    statement = SQL(
        "SELECT pg_advisory_xact_lock(%s, %s)", queue.SPACE_ENDPOINT, endpoint_id
    )
    sql.run(cr, statement)


def lease(wanted: Wanted, token: str, limit: int) -> SQL:
    """Lease due messages, urgent ones first; of each ordering key only the oldest.

    One with an older unfinished message of its key leaves the due index until that one
    is finished. Rows of what was looked at are returned, ``leased`` tells which is which.
    """
    return SQL(
        """
        WITH found AS MATERIALIZED (
            SELECT c.* FROM (VALUES (0), (1), (2)) AS p(priority) CROSS JOIN LATERAL (
                SELECT q.message_id, q.ordering_key, q.seq, q.priority, q.due_at
                  FROM integration_queue_entry q
                 WHERE q.endpoint_id = %(endpoint)s AND q.priority = p.priority
                   AND q.claim IS NULL AND q.due_at <= %(now)s AND %(condition)s
                 ORDER BY q.due_at, q.seq LIMIT %(limit)s FOR NO KEY UPDATE SKIP LOCKED) c
        ), due AS MATERIALIZED (
            SELECT * FROM found ORDER BY priority, due_at, seq LIMIT %(limit)s
        ), verdict AS (
            SELECT d.*, d.ordering_key IS NOT NULL AND EXISTS (
                SELECT 1 FROM integration_queue_entry o
                 WHERE o.endpoint_id = %(endpoint)s AND o.ordering_key = d.ordering_key
                   AND o.seq < d.seq) AS blocked
              FROM due d
        ), placed AS (
            SELECT message_id, blocked, row_number() OVER (
                PARTITION BY blocked ORDER BY priority, due_at, seq) AS place
              FROM verdict
        ), start AS (
            SELECT GREATEST(%(now)s, max(claimed_at)) AS at
              FROM integration_queue_entry
             WHERE endpoint_id = %(endpoint)s AND claim IS NOT NULL
        )
        UPDATE integration_queue_entry q
           SET claim = CASE WHEN NOT v.blocked THEN %(token)s END,
               lease = CASE WHEN NOT v.blocked THEN %(token)s ELSE q.lease END,
               client_id = CASE WHEN NOT v.blocked THEN %(client)s ELSE q.client_id END,
               lease_until = CASE WHEN NOT v.blocked THEN %(until)s END,
               claimed_at = CASE WHEN NOT v.blocked
                            THEN start.at + v.place * interval '1 microsecond' END,
               due_at = CASE WHEN NOT v.blocked THEN q.due_at END
          FROM placed v, start WHERE q.message_id = v.message_id
        RETURNING q.message_id, NOT v.blocked AS leased
        """,
        endpoint=wanted.endpoint_id,
        client=wanted.client_id,
        condition=_condition(wanted),
        until=sql.later(wanted.seconds),
        now=sql.NOW,
        token=token,
        limit=limit,
    )


def _condition(wanted: Wanted) -> SQL:
    types = (
        SQL("m.event_type_id = ANY(%s)", list(wanted.type_ids))
        if wanted.type_ids is not None
        else SQL("TRUE")
    )
    by_hand = SQL("q.manual_user_id IS NOT NULL") if wanted.on_demand else SQL("TRUE")
    return SQL(
        """%s AND EXISTS (
            SELECT 1 FROM integration_message m
             WHERE m.id = q.message_id AND %s
               AND (m.company_id IS NULL OR m.company_id = ANY(%s)))""",
        by_hand,
        types,
        list(wanted.company_ids),
    )


def lease_again(wanted: Wanted, token: str, after: datetime) -> SQL:
    """Renew the consumer's leases of what it was handed out after a cursor."""
    return SQL(
        """
        UPDATE integration_queue_entry q
           SET claim = %(token)s, lease = %(token)s, lease_until = %(until)s
         WHERE q.message_id IN (
            SELECT o.message_id FROM integration_queue_entry o
             WHERE o.endpoint_id = %(endpoint)s AND o.client_id = %(client)s
               AND o.lease_until IS NOT NULL AND o.claim IS NOT NULL
               AND o.claimed_at > %(after)s
             ORDER BY o.claimed_at LIMIT %(limit)s)
        RETURNING q.message_id
        """,
        token=token,
        until=sql.later(wanted.seconds),
        endpoint=wanted.endpoint_id,
        client=wanted.client_id,
        after=after,
        limit=wanted.limit,
    )


def leased_rows(message_ids: Sequence[int]) -> SQL:
    """Return what is known of leased messages, in the order of handing out."""
    return SQL(
        """
        SELECT q.message_id, q.endpoint_id, q.ordering_key, q.seq, q.priority,
               q.manual_user_id, q.claim, q.claimed_at, q.lease_until,
               m.attempt_count AS attempts, t.code, t.version
          FROM integration_queue_entry q
          JOIN integration_message m ON m.id = q.message_id
          LEFT JOIN integration_event_type t ON t.id = m.event_type_id
         WHERE q.message_id = ANY(%s) ORDER BY q.claimed_at
        """,
        list(message_ids),
    )


def expire(condition: SQL) -> SQL:
    """End leases whose time is over: an attempt ``unknown`` each, due again at once.

    :param condition: which entries
    """
    return SQL(
        """
        WITH expired AS (
            SELECT message_id, claimed_at, manual_user_id, client_id
              FROM integration_queue_entry
             WHERE lease_until < %(now)s AND claim IS NOT NULL AND %(condition)s
             ORDER BY message_id FOR NO KEY UPDATE SKIP LOCKED
        ), freed AS (
            UPDATE integration_queue_entry q
               SET claim = NULL, lease_until = NULL, due_at = %(now)s
              FROM expired e WHERE q.message_id = e.message_id
        ), counted AS (
            UPDATE integration_message m SET attempt_count = m.attempt_count + 1
              FROM expired e WHERE m.id = e.message_id
            RETURNING m.id, m.attempt_count
        )
        INSERT INTO integration_attempt
               (message_id, number, started_at, duration, outcome, error_code, trigger,
                user_id, client_id)
        SELECT c.id, c.attempt_count, e.claimed_at,
               extract(epoch FROM %(now)s - e.claimed_at), 'unknown', 'lease_expired',
               CASE WHEN e.manual_user_id IS NULL THEN 'automatic' ELSE 'manual' END,
               e.manual_user_id, e.client_id
          FROM counted c JOIN expired e ON e.message_id = c.id
        """,
        condition=condition,
        now=sql.NOW,
    )


def of_endpoint(endpoint_id: int) -> SQL:
    """Return the condition of ``expire`` for one endpoint."""
    return SQL("endpoint_id = %s", endpoint_id)


def named(endpoint_id: int, uids: Sequence[str], company_ids: Sequence[int]) -> SQL:
    """Return messages of a feed by their ids, with what is known of their leases."""
    return SQL(
        """
        SELECT m.id, m.uid, m.state, m.attempt_count, t.sensitivity = 'phi' AS phi,
               q.seq, q.ordering_key, q.priority, q.manual_user_id, q.claim, q.claimed_at,
               q.lease, q.lease_until, q.client_id
          FROM integration_message m
          LEFT JOIN integration_queue_entry q ON q.message_id = m.id
          LEFT JOIN integration_event_type t ON t.id = m.event_type_id
         WHERE m.uid = ANY(%s) AND m.endpoint_id = %s
           AND (m.company_id IS NULL OR m.company_id = ANY(%s))
        """,
        list(uids),
        endpoint_id,
        list(company_ids),
    )


def up_to(endpoint_id: int, client_id: int, cursor: datetime, limit: int) -> SQL:
    """Return the ids of what a client has been leased up to a cursor."""
    return SQL(
        """
        SELECT m.uid FROM integration_queue_entry q
          JOIN integration_message m ON m.id = q.message_id
         WHERE q.endpoint_id = %s AND q.client_id = %s AND q.claim IS NOT NULL
           AND q.lease_until IS NOT NULL AND q.claimed_at <= %s
         ORDER BY q.claimed_at LIMIT %s
        """,
        endpoint_id,
        client_id,
        cursor,
        limit,
    )


def take_back(message_ids: Sequence[int]) -> SQL:
    """Make the last lease of messages the claim again, to record what came of it."""
    return SQL(
        "UPDATE integration_queue_entry SET claim = lease"
        " WHERE message_id = ANY(%s) AND claim IS NULL AND lease IS NOT NULL",
        list(message_ids),
    )


def seen(endpoint_id: int) -> SQL:
    """Note that the partner has fetched."""
    return SQL(
        """
        INSERT INTO integration_endpoint_health (endpoint_id, breaker_state, last_fetched_at)
        VALUES (%(id)s, 'closed', %(now)s)
        ON CONFLICT (endpoint_id) DO UPDATE SET last_fetched_at = EXCLUDED.last_fetched_at
        """,
        id=endpoint_id,
        now=sql.NOW,
    )
