# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Partners hand in messages and ask what became of them."""

import logging
import re

from odoo import http
from odoo.http import request

from ..engine import outcome, receive, sync, verdict
from ..protocol import ids
from . import promises
from .dispatcher import check_length, route
from .gate import admit
from .intake import (
    MAX_BODY,
    MESSAGES,
    accepted,
    answer_json,
    arrival,
    check_use,
    clients_of,
    permit_for,
    superuser,
)
from .problem import CONTENT_TYPE, Refusal

_logger = logging.getLogger(__name__)
_WAIT = re.compile(r"\s*wait\s*=\s*\"?([0-9]{1,6})\"?\s*(?:;.*)?", re.IGNORECASE)
SCOPE = "messages:write"


class MessageController(http.Controller):
    """``POST …/messages/<endpoint code>`` and ``GET …/messages/<uid>`` (design, Reception)."""

    @route(
        f"{MESSAGES}/<string:code>",
        "POST",
        operation=promises.RECEIVE,
        max_content_length=MAX_BODY,
    )
    def receive(self, code):
        """Store one message: 202 with its address; the work is done afterwards.

        Order: size, caller, endpoint, content, id. Nothing is parsed before the caller
        is known. Where it was agreed, the message is applied before the answer.
        """
        env = superuser()
        inlet = env["integration.endpoint"]._inlet(code)
        check_length(request.httprequest, _body_limit(env, inlet))
        client = admit(env, SCOPE, lambda: clients_of(env, inlet))
        check_use(inlet, client)
        seconds = _seconds_to_wait(inlet, request.httprequest.headers)
        came, kinds = arrival(), []
        permit = permit_for(env, client, SCOPE)
        entry = receive.read(
            env, inlet, client.id, came, lambda kind: (permit(kind), kinds.append(kind))
        )
        receipt = receive.keep(env, [entry], wake_up=not seconds)[0]
        if isinstance(receipt, Exception):
            raise receipt
        _logger.debug(
            "Message %s %s on endpoint %s from client %s",
            receipt.uid,
            "repeated" if receipt.repeated else "accepted",
            inlet.id,
            client.id,
        )
        if seconds:
            return _applied(env, receipt, seconds)
        return accepted(receipt, kinds[0] if kinds else None)

    @route(f"{MESSAGES}/<string:uid>", "GET", operation=promises.STATUS)
    def status(self, uid):
        """Tell a client what became of its own message; others' do not exist for it."""
        env = superuser()
        message = _find_message(env, uid)
        client = admit(env, "messages:read", message.client_id)
        if not message or message.client_id != client:
            raise Refusal(
                404, "unknown_message", "You have handed in no message with this id."
            )
        return answer_json(200, outcome.status(message))


def _find_message(env, uid):
    Message = env["integration.message"]
    if not ids.is_uuid(uid):
        return Message
    return Message.search(
        [("uid", "=", uid.lower()), ("direction", "=", "in")], limit=1
    )


def _body_limit(env, inlet):
    if inlet:
        return min(inlet.max_body, MAX_BODY)
    policy = env.ref("healthcare_integration_base.policy_default")
    return min(policy.max_body_size, MAX_BODY)


# -- at once ---------------------------------------------------------------------------


def _seconds_to_wait(inlet, headers):
    """Return how long the caller may wait for the outcome (RFC 7240, 4.1 and 4.3); 0: not."""
    if inlet.sync == "never":
        return 0.0
    asked = _wait_asked(headers)
    if asked is not None:
        return min(float(asked), inlet.sync_seconds)
    return inlet.sync_seconds if inlet.sync == "always" else 0.0


def _wait_asked(headers):
    """Return the seconds of ``Prefer: wait``, 0 for ``respond-async`` alone, None without."""
    preferences = ",".join(headers.getlist("Prefer")).split(",")
    found = [match for match in map(_WAIT.fullmatch, preferences) if match]
    if found:
        return int(found[0][1])
    names = {one.partition(";")[0].strip().lower() for one in preferences}
    return 0 if "respond-async" in names else None


def _applied(env, receipt, seconds):
    """Apply the message and tell what became of it.

    :return: 200 it is finished, 422 it was refused for a fault of the sender, 202 it is
        not finished in time, or has to be looked at here
    """
    sync.apply(env, receipt.uid, seconds)
    message = _find_message(env, receipt.uid)
    state = outcome.status(message)
    if message.state == "dead" and verdict.is_for_partners(message):
        response = answer_json(422, _problem(message, state), CONTENT_TYPE)
    else:
        finished = message.state not in ("pending", "dead")
        state.update(outcome.result(message))
        response = answer_json(200 if finished else 202, state)
    response.headers["Location"] = f"{MESSAGES}/{receipt.uid}"
    response.headers["Preference-Applied"] = f"wait={seconds:g}"
    return response


def _problem(message, state):
    problem = {
        "type": f"urn:healthcare-integration:problem:{message.last_error_code}",
        "title": "Message refused",
        "status": 422,
        "detail": message.last_error,
        "code": message.last_error_code,
        "uid": message.uid,
        "state": state["state"],
    }
    if message.schema_errors:
        problem["errors"] = message.schema_errors
    return problem
