# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Partners hand in messages and ask what became of them."""

import json
import logging
import re

from odoo import SUPERUSER_ID, http
from odoo.http import Response, request

from ..engine import receive
from ..protocol import ids
from ..runtime import database_environment
from .dispatcher import check_length, route
from .gate import admit
from .problem import PREFIX, Refusal

_logger = logging.getLogger(__name__)

# What any policy may allow at most; Odoo's own limit for uploads is twice that.
MAX_BODY = 64 * 1024 * 1024
MAX_ID = 255
_ID = re.compile(rf"[\x21-\x7e]{{1,{MAX_ID}}}")
MESSAGES = f"{PREFIX}/messages"


class MessageController(http.Controller):
    """``POST …/messages/<endpoint code>`` and ``GET …/messages/<uid>`` (design, Reception)."""

    @route(f"{MESSAGES}/<string:code>", "POST", max_content_length=MAX_BODY)
    def receive(self, code):
        """Store one message: 202 with its address; the work is done afterwards.

        Order: size, caller, endpoint, content, id. Nothing is parsed before the caller
        is known.
        """
        env = superuser()
        endpoint = _find_endpoint(env, code)
        check_length(request.httprequest, _body_limit(env, endpoint))
        client = admit(env, "messages:write", endpoint.client_ids)
        _check_scope(endpoint, client)
        receipt = receive.accept(env, endpoint, client, _arrival())
        _logger.info(
            "Message %s %s on endpoint %s from client %s",
            receipt.uid,
            "repeated" if receipt.repeated else "accepted",
            endpoint.id,
            client.id,
        )
        return _accepted(receipt)

    @route(f"{MESSAGES}/<string:uid>", "GET")
    def status(self, uid):
        """Tell a client what became of its own message; others' do not exist for it."""
        env = superuser()
        message = _find_message(env, uid)
        client = admit(env, "messages:read", message.client_id)
        if not message or message.client_id != client:
            raise Refusal(
                404, "unknown_message", "You have handed in no message with this id."
            )
        return answer_json(200, receive.status(message))


def superuser():
    """Return the environment to look callers up in; messages are applied in another."""
    return request.env(user=SUPERUSER_ID, context={})


def _find_endpoint(env, code):
    """Return the endpoint that takes messages under this code, or an empty recordset."""
    Endpoint = env["integration.endpoint"]
    if "\0" in code:  # PostgreSQL takes no such text
        return Endpoint
    open_ones = [("direction", "=", "in"), ("state", "not in", ("draft", "disabled"))]
    return Endpoint.search([("code", "=", code), *open_ones], limit=1)


def _find_message(env, uid):
    Message = env["integration.message"]
    if not ids.is_uuid(uid):
        return Message
    return Message.search(
        [("uid", "=", uid.lower()), ("direction", "=", "in")], limit=1
    )


def _body_limit(env, endpoint):
    policy = endpoint.policy_id or env.ref("healthcare_integration_base.policy_default")
    return min(policy.max_body_size, MAX_BODY)


def _body():
    return request.httprequest.get_data()


def _check_scope(endpoint, client):
    """Refuse what the client may not use; alike, whether it exists or not.

    :raises Refusal: 404 unknown or foreign endpoint, 503 endpoint of another environment
    """
    if not endpoint or endpoint not in client.endpoint_ids:
        raise Refusal(
            404, "unknown_endpoint", "There is no endpoint of this code for you."
        )
    if endpoint.environment != database_environment():
        raise Refusal(
            503,
            "environment_mismatch",
            "The endpoint belongs to another environment than this database.",
        )


def _arrival():
    headers = request.httprequest.headers
    return receive.Arrival(
        body=_body(),
        content_type=headers.get("Content-Type", ""),
        message_id=_message_id(headers),
        traceparent=headers.get("traceparent"),
    )


def _message_id(headers):
    """Return the id the client gave in a header, if it did.

    :raises Refusal: 400 if it is no visible ASCII
    """
    name = next(
        (name for name in ("webhook-id", "Idempotency-Key") if headers.get(name)), None
    )
    if not name:
        return None
    value = (
        headers[name].strip().strip('"')
    )  # Idempotency-Key is a quoted string by its draft
    if not _ID.fullmatch(value):
        raise Refusal(
            400, "bad_id", f"{name} must be 1 to {MAX_ID} visible ASCII characters."
        )
    return value


def _accepted(receipt):
    response = answer_json(202, {"uid": receipt.uid, "state": "pending"})
    response.headers["Location"] = f"{MESSAGES}/{receipt.uid}"
    return response


def answer_json(status, content, content_type="application/json"):
    """Return an answer nobody on the way may keep."""
    return Response(
        json.dumps(content),
        status=status,
        content_type=content_type,
        headers={"Cache-Control": "no-store"},
    )
