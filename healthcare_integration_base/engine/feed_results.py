# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""What consumers of a feed say of the messages they were leased."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

from .. import runtime
from ..protocol import feed
from ..protocol.classify import ErrorClass, Outcome
from ..protocol.drain_types import Claimed, Report, Result
from ..protocol.redact import safe_text
from . import feed_queue, payload, record, sql
from .feed import result_of, seconds_of
from .quiet import quiet_statements

BATCH = 500
LONGEST_REASON = 2000
SHOWN_REASON = 200
_FAILURES = {
    feed.FAILED: Outcome(False, ErrorClass.SERVER, "partner_failed"),
    feed.REJECTED: Outcome(False, ErrorClass.REJECTED, "partner_refused"),
}
_TEXTS = {
    feed.FAILED: "The partner could not process it",
    feed.REJECTED: "The partner refused it",
}


@dataclass(frozen=True)
class Word:
    """One item of an acknowledgement.

    :param lease: None: whichever the consumer has
    """

    uid: str
    result: str
    reason: str | None = None
    lease: str | None = None


@dataclass(frozen=True)
class Consumer:
    """Who acknowledges.

    :param company_ids: of which companies he may know messages
    """

    endpoint_id: int
    client_id: int
    company_ids: Sequence[int]


def acknowledge(env, consumer: Consumer, words: Sequence[Word]) -> list[dict[str, Any]]:
    """Record results in one transaction; cases of refused messages in another.

    :param words: each message once
    :return: one answer per word, in their order
    """
    with quiet_statements():
        with runtime.autonomous(env) as own:
            answers, changed = _Desk(own, consumer).take(words)
        if changed:
            with runtime.autonomous(env) as own:
                record.follow_up(own, changed)
    return answers


def acknowledge_up_to(env, consumer: Consumer, cursor: datetime) -> int:
    """Record as delivered what the consumer was leased up to a cursor; return how many."""
    total = 0
    while True:
        with runtime.autonomous(env) as own:
            statement = feed_queue.up_to(
                consumer.endpoint_id, consumer.client_id, cursor, BATCH
            )
            uids = [row["uid"] for row in sql.rows_of(own.cr, statement)]
        words = [Word(uid, feed.DELIVERED) for uid in uids]
        answers = acknowledge(env, consumer, words) if words else []
        taken = sum(answer["status"] == 200 for answer in answers)
        total += taken
        if not taken:
            return total


class _Desk:
    """Takes the words of one request."""

    def __init__(self, env, consumer: Consumer):
        self.env, self.consumer = env, consumer
        self.late: list[int] = []
        self.results: dict[str, list[Result]] = {}

    def take(
        self, words: Sequence[Word]
    ) -> tuple[list[dict[str, Any]], record.Changed]:
        """Judge, write, answer."""
        cr, who = self.env.cr, self.consumer
        feed_queue.lock(cr, who.endpoint_id)
        sql.run(cr, feed_queue.expire(feed_queue.of_endpoint(who.endpoint_id)))
        uids = [word.uid for word in words]
        found = sql.rows_of(
            cr, feed_queue.named(who.endpoint_id, uids, who.company_ids)
        )
        rows = {row["uid"]: row for row in found}
        answers = [self._judge(word, rows.get(word.uid)) for word in words]
        return answers, self._write()

    def _write(self) -> record.Changed:
        changed = record.Changed()
        if self.late:
            sql.run(self.env.cr, feed_queue.take_back(self.late))
        for token, results in self.results.items():
            changed.update(record.write(self.env, results, {}, token))
        return changed

    def _judge(self, word: Word, row: Mapping[str, Any] | None) -> dict[str, Any]:
        if not row:
            return _refused(
                word, 404, "unknown_message", "There is no such message in this feed."
            )
        held = feed.Held(
            state=row["state"],
            lease=row["lease"],
            mine=row["client_id"] == self.consumer.client_id,
            leased=bool(row["claim"] and row["lease_until"]),
        )
        try:
            if not feed.judge(held, word.result, word.lease):
                return _taken(word, row["state"])
        except feed.Refused as exc:
            return _refused(word, exc.status, exc.code, exc.message)
        result = self._result(word, row, late=not held.leased)
        self.results.setdefault(row["lease"], []).append(result)
        return _taken(word, result.state, result.due_in)

    def _result(self, word: Word, row: Mapping[str, Any], late: bool) -> Result:
        claim = Claimed(
            message_id=row["id"],
            endpoint_id=self.consumer.endpoint_id,
            seq=row["seq"],
            ordering_key=row["ordering_key"],
            priority=row["priority"],
            attempts=row["attempt_count"] or 0,
            user_id=row["manual_user_id"],
        )
        if late:
            self.late.append(row["id"])
        # the end of its lease was an attempt already
        number = claim.attempts if late else None
        return result_of(self.env, claim, self._report(word, row, late), number)

    def _report(self, word: Word, row: Mapping[str, Any], late: bool) -> Report:
        now = time.time()
        started = seconds_of(row["claimed_at"]) if row["claimed_at"] else now
        attempt: dict[str, Any] = {"client_id": self.consumer.client_id}
        reason = (word.reason or "")[:LONGEST_REASON]
        if reason:
            answer = reason.encode()
            attempt["response_size"] = len(answer)
            attempt["response"] = (
                payload.seal(answer, payload.response_aad(row["id"]))
                if row["phi"]
                else answer
            )
        return Report(
            outcome=_FAILURES.get(word.result) or _delivered(late),
            error=_error(word.result, "" if row["phi"] else reason),
            final_state="delivered",
            started_at=started,
            duration=max(0.0, now - started),
            details={"attempt": attempt},
        )


def _delivered(late: bool) -> Outcome:
    return Outcome(True, code="acknowledged_late" if late else None)


def _error(result: str, reason: str) -> str | None:
    text = _TEXTS.get(result)
    if not text or not reason:
        return text
    return f"{text}: {safe_text(reason.encode(), SHOWN_REASON)}"


def _taken(word: Word, state: str, due_in: float | None = None) -> dict[str, Any]:
    answer: dict[str, Any] = {"uid": word.uid, "status": 200, "state": state}
    if state == "pending" and due_in is not None:
        due = datetime.fromtimestamp(time.time() + due_in, timezone.utc)
        answer["next_attempt_at"] = feed.iso(due.replace(tzinfo=None))
    return answer


def _refused(word: Word, status: int, code: str, detail: str) -> dict[str, Any]:
    return {"uid": word.uid, "status": status, "code": code, "detail": detail}
