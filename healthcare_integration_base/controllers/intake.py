# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""What the routes that take messages have in common."""

import json
import re

from odoo import SUPERUSER_ID
from odoo.http import Response, request

from ..engine import receive
from ..protocol import deprecation, errors
from ..runtime import database_environment
from . import gate
from .problem import PREFIX, Refusal

# What any policy may allow at most; Odoo's own limit for uploads is twice that.
MAX_BODY = 64 * 1024 * 1024
MAX_BATCH = 16 * 1024 * 1024
MAX_MESSAGES = 10_000
MAX_ID = 255
_ID = re.compile(rf"[\x21-\x7e]{{1,{MAX_ID}}}")
MESSAGES = f"{PREFIX}/messages"


def superuser():
    """Return the environment to look callers up in; messages are applied in another."""
    return request.env(user=SUPERUSER_ID, context={})


def answer_json(status, content, content_type="application/json"):
    """Return an answer nobody on the way may keep."""
    return Response(
        json.dumps(content),
        status=status,
        content_type=content_type,
        headers={"Cache-Control": "no-store"},
    )


# -- who may use what ------------------------------------------------------------------


def clients_of(env, inlet):
    """Return the clients whose signature counts at an endpoint; none if it is unknown."""
    return env["integration.client"].browse(inlet.companies if inlet else ())


def check_use(inlet, client):
    """Refuse what the client may not use; alike, whether it exists or not.

    :raises Refusal: 404 unknown or foreign endpoint, 503 endpoint of another environment
    """
    if not inlet or client.id not in inlet.companies:
        raise Refusal(
            404, "unknown_endpoint", "There is no endpoint of this code for you."
        )
    if inlet.environment != database_environment():
        raise Refusal(
            503,
            "environment_mismatch",
            "The endpoint belongs to another environment than this database.",
        )


def permit_for(env, client, scope):
    """Return a function that refuses types of messages the client may not send.

    :param str scope: of the route
    """
    known = set()

    def permit(kind):
        if kind.id not in known:
            event_type = env["integration.event.type"].browse(kind.id)
            gate.check_event_type(client, scope, event_type)
            known.add(kind.id)

    return permit


# -- what came -------------------------------------------------------------------------


def arrival():
    """Return the request as one delivery."""
    headers = request.httprequest.headers
    return receive.Arrival(
        body=request.httprequest.get_data(),
        content_type=headers.get("Content-Type", ""),
        message_id=message_id(headers),
        traceparent=headers.get("traceparent"),
    )


def message_id(headers):
    """Return the id the client gave in a header, if it did.

    :raises Refusal: 400 if it is no visible ASCII
    """
    name = next(
        (name for name in ("webhook-id", "Idempotency-Key") if headers.get(name)), None
    )
    if not name:
        return None
    # Idempotency-Key is a quoted string by its draft
    value = headers[name].strip().strip('"')
    if not _ID.fullmatch(value):
        raise Refusal(
            400, "bad_id", f"{name} must be 1 to {MAX_ID} visible ASCII characters."
        )
    return value


# -- what is answered ------------------------------------------------------------------


def accepted(receipt, kind=None):
    """Return 202 with the address of the message."""
    response = answer_json(202, {"uid": receipt.uid, "state": "pending"})
    response.headers["Location"] = f"{MESSAGES}/{receipt.uid}"
    if kind and (kind.deprecated_on or kind.sunset_on):
        headers = deprecation.headers(kind.deprecated_on, kind.sunset_on)
        response.headers.update(headers)
    return response


def results_of(env, entries, places, place_name):
    """Store what could be read of a batch; return what is said of each of its messages.

    :param entries: for each message an Entry, or the exception that says why it is none
    :param places: number of each message
    :param str place_name: what the number is called
    """
    readable = [one for one in entries if not isinstance(one, Exception)]
    stored = iter(receive.keep(env, readable))
    return [
        _result(place_name, place, one if isinstance(one, Exception) else next(stored))
        for place, one in zip(places, entries, strict=True)
    ]


def _result(place_name, place, outcome):
    if isinstance(outcome, Exception):
        status, problem = errors.to_problem(outcome)
        return {place_name: place, "status": status, "problem": problem}
    return {
        place_name: place,
        "status": 202,
        "uid": outcome.uid,
        "state": "pending",
    }


def check_number(messages):
    """Refuse a batch without or with too many messages."""
    if not messages:
        raise Refusal(400, "empty_batch", "There is no message in the body.")
    if len(messages) > MAX_MESSAGES:
        raise Refusal(
            413,
            "too_many_lines",
            f"A batch has at most {MAX_MESSAGES} messages.",
        )
