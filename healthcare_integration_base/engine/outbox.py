# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""The statements of the outbox: events, their messages and queue entries, in bulk."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from odoo.tools import SQL

from ..protocol import ids
from . import capture, sql

EVENT = {
    "uid": "varchar",
    "type_id": "int",
    "version": "int",
    "res_model": "varchar",
    "res_id": "int",
    "res_name": "varchar",
    "company_id": "int",
    "user_id": "int",
    "ordering_key": "varchar",
    "data": "text",
    "error": "varchar",
    "correlation_uid": "varchar",
    "causation_uid": "varchar",
    "traceparent": "varchar",
    "origin_system_id": "int",
}
MESSAGE = {
    "uid": "varchar",
    "direction": "varchar",
    "endpoint_id": "int",
    "subscription_id": "int",
    "client_id": "int",
    "event_id": "int",
    "event_type_id": "int",
    "route_id": "int",
    "company_id": "int",
    "priority": "varchar",
    "ordering_key": "varchar",
    "external_id": "varchar",
    "content_type": "varchar",
    "body_sha256": "varchar",
    "size": "int",
    "replay_of_id": "int",
    "exception_id": "int",
    "correlation_uid": "varchar",
    "traceparent": "varchar",
    "res_model": "varchar",
    "res_id": "int",
    "res_name": "varchar",
}


def write(
    env,
    emissions: Sequence[capture.Emission],
    plans_of: Callable[[str], tuple[capture.Plan, ...]],
) -> set[str]:
    """Write events and the messages of their subscribers.

    :return: the lanes that have something to do now
    """
    traceparent = capture.new_traceparent()
    pairs = [(e, plan) for e in emissions for plan in plans_of(e.code)]
    if not pairs:
        return set()
    rows = [capture.event_row(emission, plan, traceparent) for emission, plan in pairs]
    events = sql.rows_of(env.cr, _upsert(rows))
    by_record = {(r["type_id"], r["res_model"], r["res_id"]): r for r in events}
    messages, lanes = [], set()
    for (emission, plan), row in zip(pairs, rows, strict=True):
        event = by_record[row["type_id"], row["res_model"], row["res_id"]]
        for subscriber in _receivers(emission, plan):
            messages.append(_message(event, row, subscriber))
            lanes.add(subscriber.lane)
    if messages:
        insert_messages(env.cr, messages)
    again = [event["id"] for event in events if event["again"]]
    if again:
        _drop_unwanted(env.cr, again, messages)
    return lanes


def _upsert(rows: Sequence[Mapping[str, Any]]) -> SQL:
    """Insert events in the order of emission; a repeated one of this transaction is renewed."""
    return SQL(
        """
        INSERT INTO integration_event (%(columns)s, occurred_at, txid)
        SELECT %(values)s, %(now)s,
               txid_current()::text || ':' || extract(epoch FROM now())::text
          FROM %(rows)s ORDER BY place
        ON CONFLICT (txid, type_id, res_model, res_id) WHERE txid IS NOT NULL
        DO UPDATE SET data = EXCLUDED.data, error = EXCLUDED.error,
                      res_name = EXCLUDED.res_name, company_id = EXCLUDED.company_id,
                      occurred_at = EXCLUDED.occurred_at
        RETURNING id, uid, type_id, res_model, res_id, correlation_uid, traceparent,
                  xmax <> 0 AS again
        """,
        columns=sql.names(EVENT),
        values=sql.names(EVENT, "v"),
        now=sql.NOW,
        rows=sql.unnest(rows, EVENT),
    )


def _receivers(emission: capture.Emission, plan: capture.Plan):
    for subscriber in plan.subscribers:
        foreign = (
            subscriber.companies is not None
            and emission.company_id
            and emission.company_id not in subscriber.companies
        )
        echo = emission.origin and emission.origin == subscriber.system_id
        # what could not be judged is judged again before it is sent
        unknown = subscriber.id in emission.unjudged or not emission.judged
        wanted = subscriber.id in emission.matches or unknown
        if wanted and not foreign and not echo:
            yield subscriber


def _message(event, row, subscriber: capture.Subscriber) -> dict[str, Any]:
    return {
        "uid": ids.uuid7(),
        "direction": "out",
        "endpoint_id": subscriber.endpoint_id,
        "subscription_id": subscriber.id,
        "event_id": event["id"],
        "event_type_id": row["type_id"],
        "company_id": row["company_id"],
        "priority": subscriber.priority,
        "ordering_key": row["ordering_key"] if subscriber.ordered else None,
        "correlation_uid": event["correlation_uid"],
        "traceparent": event["traceparent"],
        "res_model": row["res_model"],
        "res_id": row["res_id"],
        "res_name": row["res_name"],
    }


def insert_messages(cr, messages: Sequence[Mapping[str, Any]]) -> list[int]:
    """Insert messages and their queue entries, due now, in one statement.

    ``seq``, the place in the order, is the given one, else the event, else the message.

    :return: ids in the order given; messages that are there already are left out
    """
    statement = SQL(
        """
        WITH given AS MATERIALIZED (SELECT * FROM %(rows)s),
        added AS (
            INSERT INTO integration_message (%(columns)s, state, attempt_count, superseded,
                                             created_at)
            SELECT %(values)s, 'pending', 0, false, %(now)s FROM given v ORDER BY place
            ON CONFLICT DO NOTHING
            RETURNING id, uid, endpoint_id, event_id, priority, ordering_key),
        queued AS (
            INSERT INTO integration_queue_entry
                   (message_id, endpoint_id, priority, seq, ordering_key, due_at)
            SELECT a.id, a.endpoint_id, a.priority::int, COALESCE(g.seq, a.event_id, a.id),
                   a.ordering_key, %(now)s
              FROM added a JOIN given g ON g.uid = a.uid)
        SELECT a.id FROM added a JOIN given g ON g.uid = a.uid ORDER BY g.place
        """,
        rows=sql.unnest(messages, {**MESSAGE, "seq": "int"}),
        columns=sql.names(MESSAGE),
        values=sql.names(MESSAGE, "v"),
        now=sql.NOW,
    )
    return [row["id"] for row in sql.rows_of(cr, statement)]


def _drop_unwanted(
    cr, event_ids: Sequence[int], messages: Sequence[Mapping[str, Any]]
) -> None:
    """Take back messages of renewed events whose record no longer passes the filter."""
    wanted = [
        {"event_id": m["event_id"], "subscription_id": m["subscription_id"]}
        for m in messages
    ]
    statement = SQL(
        """
        DELETE FROM integration_message m
         WHERE m.event_id = ANY(%s) AND NOT EXISTS (
            SELECT 1 FROM %s
             WHERE v.event_id = m.event_id AND v.subscription_id = m.subscription_id)
        """,
        list(event_ids),
        sql.unnest(wanted, {"event_id": "int", "subscription_id": "int"}),
    )
    sql.run(cr, statement)
