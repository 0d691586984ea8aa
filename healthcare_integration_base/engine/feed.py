# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Handing out the messages of a feed: lease (committed), render and store (committed), give.

The partner fetches what a drain would push. The same rows, the same order, the same bytes
under the same ``webhook-id``; instead of an answer of its server there is an
acknowledgement, and instead of a timeout there is the end of the lease.
"""

from __future__ import annotations

import base64
import hashlib
import json
import random
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any

import psycopg2

from odoo.tools import SQL

from .. import runtime
from ..protocol import envelope, feed
from ..protocol.drain_types import POSTPONED, Claimed, Report, Result
from ..protocol.errors import Configuration
from ..protocol.mapping import MappingError
from ..protocol.retry import RetrySchedule
from ..transports import auth
from . import feed_queue, letter, queue, record, sql
from .feed_queue import Wanted
from .letter import Letter
from .quiet import quiet_statements

# Rounds of looking for messages whose key is free, before less than the limit is given.
ROUNDS = 10
MOST_BYTES = 8 * 1024 * 1024
# What is known of a message once its body is made.
BODY = {
    name: record.MESSAGE[name]
    for name in (
        "id",
        "content_type",
        "body_sha256",
        "size",
        "mapping_id",
        "mapping_version",
        "schema_errors",
    )
}


@dataclass(frozen=True)
class Page:
    """What a consumer gets.

    :param cursor: of the last item; None without items
    :param more: another call would give something at once
    """

    items: list[dict[str, Any]] = field(default_factory=list)
    cursor: str | None = None
    more: bool = False


def fetch(env, wanted: Wanted, after: datetime | None = None) -> Page:
    """Lease messages to a consumer and return them with their bytes.

    :param env: any environment of the database; short transactions of their own are used
    :param after: give first, again, what he was handed out after that and still has
    :raises Configuration: this node cannot sign or decrypt; nothing stays leased
    """
    token = str(uuid.uuid4())
    with quiet_statements():
        with runtime.autonomous(env) as own:
            ids, more = _lease(own.cr, wanted, token, after)
        if not ids:
            return Page()
        with runtime.autonomous(env) as own:
            page, changed, held = _prepare(own, ids, token, more)
        if changed:
            with runtime.autonomous(env) as own:
                record.follow_up(own, changed)
    if held and not page.items:
        raise held
    return page


def _lease(
    cr, wanted: Wanted, token: str, after: datetime | None
) -> tuple[list[int], bool]:
    """Return the ids that were leased, and whether there may be more."""
    feed_queue.lock(cr, wanted.endpoint_id)
    sql.run(cr, feed_queue.expire(feed_queue.of_endpoint(wanted.endpoint_id)))
    sql.run(cr, feed_queue.seen(wanted.endpoint_id))
    ids: list[int] = []
    if after is not None:
        again = feed_queue.lease_again(wanted, token, after)
        ids = [row["message_id"] for row in sql.rows_of(cr, again)]
    for _round in range(ROUNDS):
        room = wanted.limit - len(ids)
        if not room:
            return ids, True
        rows = sql.rows_of(cr, feed_queue.lease(wanted, token, room))
        ids += [row["message_id"] for row in rows if row["leased"]]
        if not rows:
            return ids, False
    return ids, True


def _prepare(
    env, ids: Sequence[int], token: str, more: bool
) -> tuple[Page, record.Changed, Configuration | None]:
    """Render what has no bytes yet, store them, and make the page.

    What cannot be rendered is recorded as in a drain; what does not fit is given back.
    """
    rows = {
        row["message_id"]: row
        for row in sql.rows_of(env.cr, feed_queue.leased_rows(ids))
    }
    claims = [Claimed.of(row) for row in rows.values()]
    ready = _letters(env, claims)
    items: list[dict[str, Any]] = []
    back, results, size, held = [], [], 0, None
    for claim in claims:
        task, row = ready.get(claim.message_id, POSTPONED), rows[claim.message_id]
        if isinstance(task, Letter):
            size += len(task.body)
            if items and size > MOST_BYTES:
                back.append(claim.message_id)
                continue
            try:
                items.append(_item(task, row))
            except Configuration as exc:
                back.append(claim.message_id)
                held = exc
        elif isinstance(task, Report) and not task.outcome.hold:
            results.append(result_of(env, claim, task))
        else:
            back.append(claim.message_id)
            held = _held(task) or held
    if back:
        sql.run(env.cr, queue.release(back, token, False))
    _note_bodies(env.cr, [task for task in ready.values() if isinstance(task, Letter)])
    changed = record.write(env, results, {}, token) if results else record.Changed()
    cursor = items[-1]["cursor"] if items else None
    more = more or bool(back or results)
    return Page(items, cursor, more and not held), changed, held


def _note_bodies(cr, letters: Sequence[Letter]) -> None:
    """Write on the messages what a drain writes with the result of its first attempt."""
    rows = [
        {
            **task.facts,
            "id": task.message_id,
            "body_sha256": hashlib.sha256(task.body).hexdigest(),
            "size": len(task.body),
            "schema_errors": json.dumps(task.facts["schema_errors"])
            if task.facts.get("schema_errors")
            else None,
        }
        for task in letters
    ]
    names = [name for name in BODY if name != "id"]
    statement = SQL(
        "UPDATE integration_message m SET %s FROM %s"
        " WHERE m.id = v.id AND m.body_sha256 IS NULL",
        SQL(", ").join(
            SQL("%s = %s", SQL.identifier(name), SQL.identifier("v", name))
            for name in names
        ),
        sql.unnest(rows, BODY),
    )
    sql.run(cr, statement)


def _letters(env, claims: Sequence[Claimed]) -> dict[int, Any]:
    """Return the letters of a page; one whose data the database refuses stops no other."""
    try:
        with env.cr.savepoint():
            return letter.write(env, claims, 60.0)
    except psycopg2.OperationalError:
        raise
    except psycopg2.Error:
        env.invalidate_all()
    ready: dict[int, Any] = {}
    for claim in claims:
        try:
            with env.cr.savepoint():
                ready.update(letter.write(env, [claim], 60.0))
        except psycopg2.OperationalError:
            raise
        except psycopg2.Error:
            env.invalidate_all()
            error = MappingError("The body cannot be made", code="render_failed")
            ready[claim.message_id] = letter.failure(error)
    return ready


def _held(task: Any) -> Configuration | None:
    if not isinstance(task, Report):
        return None
    return Configuration(
        task.error or "The endpoint is not set up completely.", code=task.outcome.code
    )


def result_of(env, claim: Claimed, report: Report, number: int | None = None) -> Result:
    """Return what becomes of a message, by the retry schedule of its endpoint.

    :param number: of the attempt; None: the next one
    """
    number = claim.attempts + report.charged if number is None else number
    if report.outcome.ok:
        return Result(claim, report, number, report.final_state or "delivered")
    policy = env["integration.endpoint"].browse(claim.endpoint_id).policy_id
    schedule = RetrySchedule.parse(policy.retry_schedule or "", policy.retry_jitter)
    delay = schedule.next_delay(number, report.outcome, random.Random())
    state = "dead" if delay is None else "pending"
    return Result(claim, report, number, state, delay)


# -- items -------------------------------------------------------------------------


def _item(task: Letter, row: Mapping[str, Any]) -> dict[str, Any]:
    """Return one item as the consumer reads it.

    :raises Configuration: a signing secret cannot be used
    """
    code, version = row["code"], row["version"]
    return {
        "uid": task.uid,
        "type": envelope.type_of(code, version) if code else None,
        "attempt": (row["attempts"] or 0) + 1,
        "ordering_key": row["ordering_key"],
        "lease": row["claim"],
        "lease_expires_at": feed.iso(row["lease_until"]),
        "cursor": feed.cursor_of(row["claimed_at"]),
        "headers": _headers(task, int(time.time())),
        "body": _readable(task),
        "body_base64": base64.b64encode(task.body).decode(),
    }


def _headers(task: Letter, now: int) -> dict[str, str]:
    """Return the headers of a push: those that do not authenticate us at a server."""
    headers = {name.lower(): text for name, text in task.headers(now).items()}
    secrets = [c for c in task.route.credentials if c.kind == "signing_secret"]
    return auth.apply(headers, secrets, msg_id=task.uid, body=task.body, now=now)


def _readable(task: Letter) -> Any:
    """Return a JSON body as a value; None for others: their bytes are there in base64."""
    if not task.content_type.partition(";")[0].strip().endswith("json"):
        return None
    try:
        return json.loads(task.body)
    except ValueError:
        return None


def seconds_of(moment: datetime) -> float:
    """Return the Unix seconds of a naive UTC moment."""
    return moment.replace(tzinfo=timezone.utc).timestamp()
