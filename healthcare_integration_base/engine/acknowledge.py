# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Business acknowledgements: recorded once, shown on the message, missed when overdue."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from odoo import fields
from odoo.tools import SQL

from ..protocol.acknowledgement import (
    AWAITING,
    POSTED,
    REJECTED,
    Said,
    Standing,
    changes,
    satisfies,
)
from ..protocol.cause import Cause
from ..protocol.errors import Rejected
from . import operations, sql

CODE_REJECTED = "partner_rejected"
CODE_OVERDUE = "acknowledgement_overdue"
BATCH = 1000
NEVER_SENT = ("filtered", "shadow")


@dataclass(frozen=True)
class Recorded:
    """What became of an acknowledgement.

    :param acknowledgement: the row that keeps it
    :param repeated: the same was said before; nothing was done
    """

    acknowledgement: Any
    repeated: bool


def expect(cr, message_ids: Sequence[int]) -> None:
    """Note on delivered messages what their subscriptions wait for, and until when."""
    if not message_ids:
        return
    statement = SQL(
        """
        UPDATE integration_message m
           SET business_state = COALESCE(m.business_state, %s),
               acknowledgement_due_at = %s
          FROM integration_subscription s
         WHERE m.id = ANY(%s) AND s.id = m.subscription_id
           AND s.expected_acknowledgement IS NOT NULL
           AND (COALESCE(m.business_state, %s) = %s
                OR m.business_state = 'accepted' AND s.expected_acknowledgement = %s)
        """,
        AWAITING,
        sql.later(SQL("s.expected_hours * 3600")),
        list(message_ids),
        AWAITING,
        AWAITING,
        POSTED,
    )
    sql.run(cr, statement)


def record(env, message, said: Said, client=None, source=None) -> Recorded:
    """Record what a partner says of an outgoing message; in the current transaction.

    :param env: superuser's environment
    :param message: ``integration.message`` of direction out
    :param client: ``integration.client`` that says it, if it called us
    :param source: the incoming message that says it, if there is one
    :raises Rejected: 409 not_delivered, posted_otherwise
    """
    message.flush_recordset()
    row = _lock(env.cr, message.id)
    Acknowledgement = env["integration.acknowledgement"]
    known = Acknowledgement.search(
        [("message_id", "=", message.id), ("digest", "=", said.digest)], limit=1
    )
    if known:
        return Recorded(known, True)
    _check_sent(row)
    standing = Standing(
        row["business_state"], row["partner_reference"], row["decided_at"]
    )
    applied = changes(standing, said)
    kept = _keep(env, message, said, applied, client, source)
    if applied:
        _apply(env, message, row, said)
    return Recorded(kept, False)


def _lock(cr, message_id: int) -> dict[str, Any]:
    operations.lock(
        cr, [message_id]
    )  # apart: what follows must see what was waited for
    statement = SQL(
        """
        SELECT m.state, m.business_state, m.partner_reference, m.acknowledgement_overdue,
               (SELECT a.occurred_at FROM integration_acknowledgement a
                 WHERE a.message_id = m.id AND a.applied
                 ORDER BY a.id DESC LIMIT 1) AS decided_at, m.attempt_count > 0 OR EXISTS (
                   SELECT 1 FROM integration_queue_entry q
                    WHERE q.message_id = m.id AND q.claim IS NOT NULL) AS sent
          FROM integration_message m WHERE m.id = %s
        """,
        message_id,
    )
    return sql.rows_of(cr, statement)[0]


def _check_sent(row: dict[str, Any]) -> None:
    if row["state"] in NEVER_SENT or not row["sent"]:
        raise Rejected(
            "The message has not been delivered.", code="not_delivered", status=409
        )


def _keep(env, message, said: Said, applied: bool, client, source):
    withheld = message.event_type_id.sensitivity == "phi" and said.reason
    reason = env._("Withheld: it may hold personal data.") if withheld else said.reason
    return env["integration.acknowledgement"].create(
        {
            "message_id": message.id,
            "company_id": message.company_id.id,
            "status": said.status,
            "applied": applied,
            "reference": said.reference,
            "reason": reason,
            "occurred_at": said.occurred_at,
            "received_at": fields.Datetime.now(),
            "client_id": client.id if client else False,
            "source_message_id": source.id if source else False,
            "digest": said.digest,
        }
    )


def _apply(env, message, row: dict[str, Any], said: Said) -> None:
    expected = message.subscription_id.expected_acknowledgement
    statement = SQL(
        """
        UPDATE integration_message m
           SET business_state = %s, partner_reference = COALESCE(%s, m.partner_reference),
               acknowledged_at = date_trunc('second', COALESCE(%s, %s)),
               acknowledgement_due_at = CASE WHEN NOT %s THEN m.acknowledgement_due_at END,
               acknowledgement_overdue = m.acknowledgement_overdue AND NOT %s
         WHERE m.id = %s
        """,
        said.status,
        said.reference,
        said.occurred_at,
        sql.NOW,
        satisfies(said.status, expected),
        satisfies(said.status, expected),
        message.id,
    )
    sql.run(env.cr, statement)
    message.invalidate_recordset()
    if said.status == REJECTED:
        _open_rejection(env, message, row, said)
    else:
        _settle_rejection(env, message, said)
    if row["acknowledgement_overdue"] and not message.acknowledgement_overdue:
        settle_overdue(env, message)


# -- cases -------------------------------------------------------------------------


def _company(message):
    return message.company_id or message.endpoint_id.company_id


def _key(message) -> str:
    """Return the document, so that all rejections of it are one case."""
    if message.res_model and message.res_id:
        return f"{message.res_model},{message.res_id}"
    return message.uid


def _open_rejection(env, message, row: dict[str, Any], said: Said) -> None:
    amount, currency = _amount(message)
    after = row["business_state"] == POSTED
    names = {"document": _document_name(message), "partner": _partner_name(message)}
    title = (
        env._("%(document)s rejected by %(partner)s after it was posted", **names)
        if after
        else env._("%(document)s rejected by %(partner)s", **names)
    )
    cause = Cause(
        code=CODE_REJECTED,
        key=_key(message),
        title=title,
        category="rejected",
        amount=amount,
        currency=currency,
        document=(message.res_model, message.res_id) if message.res_id else None,
        data={"reference": said.reference, "after_posting": after},
    )
    case = env["integration.exception"]._raise_case(
        cause, message=message, company=_company(message)
    )
    attach(env, case, message.ids)


def _settle_rejection(env, message, said: Said) -> None:
    env["integration.exception"]._settle_case(
        CODE_REJECTED,
        _key(message),
        env._("The partner has taken it: %s.", said.status),
        company=_company(message),
        system=message.endpoint_id.system_id,
    )


def attach(env, case, message_ids: Sequence[int]) -> None:
    """Show messages that got through in a case about them."""
    env["integration.message"].flush_model(["exception_id"])
    statement = SQL(
        "UPDATE integration_message SET exception_id = %s WHERE id = ANY(%s)",
        case.id,
        list(message_ids),
    )
    sql.run(env.cr, statement)
    env["integration.message"].invalidate_model(["exception_id"])
    case.invalidate_recordset(["message_line_ids"])


def _document_name(message) -> str:
    model = message.res_model in message.env and message.res_model
    label = model and message.env[model]._description
    return f"{label} {message.res_name}" if label and message.res_name else message.uid


def _partner_name(message) -> str:
    system = message.endpoint_id.system_id
    return system.partner_id.name or system.name


def _amount(message):
    """Return amount and currency of the document, if it has such."""
    model = message.res_model
    if not (message.res_id and model in message.env):
        return None, None
    record = message.env[model].browse(message.res_id).exists()
    if not record or not {"amount_total", "currency_id"} <= set(record._fields):
        return None, None
    amount = record.currency_id.round(record.amount_total)
    return Decimal(str(amount)), record.currency_id.name


# -- overdue -----------------------------------------------------------------------


def find_overdue(env) -> int:
    """Put a batch of overdue messages into their cases; return how many they were.

    One case per endpoint and event type: that is who has to be asked, and about what.
    """
    found = sql.rows_of(env.cr, _mark_overdue())
    env["integration.message"].invalidate_model()
    groups: dict[tuple[int, int, int], list[int]] = {}
    for row in found:
        key = (row["endpoint_id"], row["event_type_id"], row["company_id"])
        groups.setdefault(key, []).append(row["id"])
    for message_ids in groups.values():
        messages = env["integration.message"].browse(sorted(message_ids))
        case = env["integration.exception"]._raise_case(
            _overdue_cause(messages[0]),
            message=messages[0],
            company=_company(messages[0]),
        )
        attach(env, case, messages.ids)
    return len(found)


def _mark_overdue() -> SQL:
    return SQL(
        """
        UPDATE integration_message SET acknowledgement_overdue = true
         WHERE id IN (
            SELECT id FROM integration_message
             WHERE acknowledgement_due_at < %s AND acknowledgement_overdue IS NOT TRUE
             ORDER BY acknowledgement_due_at LIMIT %s FOR NO KEY UPDATE SKIP LOCKED)
        RETURNING id, endpoint_id, event_type_id, company_id
        """,
        sql.NOW,
        BATCH,
    )


def _overdue_key(message) -> str:
    return f"{message.endpoint_id.id}:{message.event_type_id.code or ''}"


def _overdue_cause(message) -> Cause:
    title = message.env._(
        "%(partner)s has not acknowledged %(type)s in time",
        partner=_partner_name(message),
        type=message.event_type_id.name or message.event_type_id.code,
    )
    return Cause(code=CODE_OVERDUE, key=_overdue_key(message), title=title)


def settle_overdue(env, message) -> None:
    """Resolve the case of overdue acknowledgements when none is missing any more."""
    statement = SQL(
        """
        SELECT 1 FROM integration_message
         WHERE acknowledgement_overdue AND acknowledgement_due_at IS NOT NULL
           AND endpoint_id = %s AND event_type_id IS NOT DISTINCT FROM %s
           AND company_id IS NOT DISTINCT FROM %s LIMIT 1
        """,
        message.endpoint_id.id,
        message.event_type_id.id or None,
        message.company_id.id or None,
    )
    if not sql.rows_of(env.cr, statement):
        env["integration.exception"]._settle_case(
            CODE_OVERDUE,
            _overdue_key(message),
            env._("All acknowledgements have come."),
            company=_company(message),
            system=message.endpoint_id.system_id,
        )
