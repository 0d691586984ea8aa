# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Partners say what their business made of a message we delivered."""

from datetime import datetime, timedelta

from odoo import fields, http

from .. import runtime
from ..engine import acknowledge
from ..engine.quiet import quiet_statements
from ..protocol import ids, instants
from ..protocol.acknowledgement import STATUSES, Said
from ..protocol.errors import Rejected
from .dispatcher import route
from .feeds import read_json
from .gate import admit, check_event_type
from .intake import answer_json, superuser
from .operation import Answer, Operation, Parameter
from .problem import PREFIX, Refusal

SCOPE = "acknowledgements:write"
MAX_BODY = 64 * 1024
# Clocks differ; a decision of next year is a mistyped one.
AHEAD = timedelta(minutes=15)
EARLIEST = datetime(2000, 1, 1)
STATES = ["awaiting", *STATUSES]
SCHEMA = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "additionalProperties": False,
    "required": ["status"],
    "properties": {
        "status": {
            "enum": list(STATUSES),
            "description": "posted: it is in your books, or fully processed.",
        },
        "reference": {
            "type": "string",
            "minLength": 1,
            "maxLength": 255,
            "description": "Your number for it, for example of order or voucher.",
        },
        "reason": {"type": "string", "maxLength": 2000},
        "occurred_at": {
            "type": "string",
            "format": "date-time",
            "description": "When you decided; tells what is newer.",
        },
    },
}
ANSWER = {
    "type": "object",
    "required": ["uid", "business_state", "applied", "repeated"],
    "properties": {
        "uid": {"type": "string"},
        "business_state": {"enum": STATES},
        "partner_reference": {"type": ["string", "null"]},
        "applied": {
            "type": "boolean",
            "description": "false: kept, but older than what you had said before.",
        },
        "repeated": {"type": "boolean", "description": "You had said the same before."},
    },
}
OPERATION = Operation(
    "acknowledgeMessage",
    "Say what your business made of a message of ours",
    SCOPE,
    tag="Acknowledgements",
    text=(
        "For messages we pushed to you or you fetched: accepted, rejected or posted. The"
        " same said twice counts once. accepted after posted, and what occurred before"
        " what you said last, is kept and changes nothing. A rejection counts at any time;"
        " a person here gets a case."
    ),
    parameters=(Parameter("uid", "path", "The webhook-id of our message."),),
    body={"application/json": SCHEMA},
    answers={200: Answer("It is recorded", {"application/json": ANSWER})},
    problems=(409, 422),
)


class AcknowledgementController(http.Controller):
    """``POST …/messages/<uid>/acknowledgements``."""

    @route(
        f"{PREFIX}/messages/<string:uid>/acknowledgements",
        "POST",
        operation=OPERATION,
        max_content_length=MAX_BODY,
    )
    def acknowledge(self, uid):
        """Record it and answer with what the message's state is now."""
        env = superuser()
        message = _find(env, uid)
        client = admit(env, SCOPE, _clients(env, message))
        if not _is_of(message, client):
            raise Refusal(
                404, "unknown_message", "We have sent you no message with this id."
            )
        check_event_type(client, SCOPE, message.event_type_id)
        said = _said(read_json(SCHEMA))
        with quiet_statements(), runtime.autonomous(env) as own:
            ours = own["integration.message"].browse(message.id)
            caller = own["integration.client"].browse(client.id)
            recorded = acknowledge.record(own, ours, said, client=caller)
            own.flush_all()
            return answer_json(200, _answer(ours, recorded))


def _find(env, uid):
    Message = env["integration.message"]
    if not ids.is_uuid(uid):
        return Message
    domain = [("uid", "=", uid.lower()), ("direction", "=", "out")]
    return Message.search(domain, limit=1)


def _clients(env, message):
    """Return the clients whose signature counts: those of the system it went to."""
    system = message.endpoint_id.system_id
    return env["integration.client"].search([("system_id", "in", system.ids)])


def _is_of(message, client):
    """Tell whether a message went to the client's system, about its company."""
    if not message or message.endpoint_id.system_id != client.system_id:
        return False
    companies = message.endpoint_id._feed_companies(client)
    return not message.company_id or message.company_id.id in companies


def _said(body):
    """Return what the body says.

    :raises Rejected: 422 schema_violation, a time that cannot be
    """
    moment = None
    if "occurred_at" in body:
        try:
            moment = instants.parse_instant(body["occurred_at"])
        except ValueError:
            raise _bad_time("no RFC 3339 instant with zone") from None
        if moment > fields.Datetime.now() + AHEAD:
            raise _bad_time("in the future")
        if moment < EARLIEST:
            raise _bad_time("before the year 2000")
    return Said(
        body["status"], body.get("reference"), body.get("reason") or None, moment
    )


def _bad_time(text):
    return Rejected(
        "The body does not follow the schema.",
        code="schema_violation",
        details=[{"path": "/occurred_at", "message": text}],
    )


def _answer(message, recorded):
    message.invalidate_recordset()
    return {
        "uid": message.uid,
        "business_state": message.business_state,
        "partner_reference": message.partner_reference or None,
        "applied": recorded.acknowledgement.applied,
        "repeated": recorded.repeated,
    }
