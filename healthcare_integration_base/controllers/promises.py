# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""What the routes that take messages promise; the OpenAPI document is made of it."""

from ..codecs import batches
from ..codecs.json_codec import MAX_ATTRIBUTE
from ..protocol import envelope
from .intake import MAX_ID, MAX_MESSAGES
from .operation import Answer, Operation, Parameter

STATES = ["pending", "done", "filtered", "dead", "cancelled", "shadow"]
_UID = {"type": "string", "format": "uuid"}
_ID = {"type": "string", "pattern": f"^[!-~]{{1,{MAX_ID}}}$"}
_ATTRIBUTE = {"type": "string", "minLength": 1, "maxLength": MAX_ATTRIBUTE}

RECEIPT = {
    "type": "object",
    "required": ["uid", "state"],
    "properties": {"uid": _UID, "state": {"enum": STATES}},
}
_MESSAGE = {
    "type": "object",
    "required": ["uid", "state", "endpoint", "external_id", "received_at"],
    "properties": {
        "uid": _UID,
        "state": {"enum": STATES},
        "endpoint": {"type": "string"},
        "type": {"type": "string"},
        "external_id": {"type": "string"},
        "received_at": {"type": "string", "format": "date-time"},
        "finished_at": {"type": "string", "format": "date-time"},
        "reason": {"type": "string", "description": "Why there was nothing to do."},
        "error": {
            "type": "object",
            "required": ["class", "code"],
            "properties": {
                "class": {"type": "string"},
                "code": {"type": "string"},
                "detail": {"type": "string"},
                "errors": {"type": "array", "items": {"type": "object"}},
            },
        },
        "superseded_by": _UID,
        "document": {"type": "string", "description": "What was made of it."},
        "identifiers": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "kind": {"type": "string"},
                    "value": {"type": "string"},
                },
            },
        },
    },
}
EVENT = {
    "type": "object",
    "required": ["specversion", "id", "source", "type", "data"],
    "properties": {
        "specversion": {"const": envelope.SPEC_VERSION},
        "id": _ATTRIBUTE,
        "source": _ATTRIBUTE,
        "type": _ATTRIBUTE,
        "subject": _ATTRIBUTE,
        "time": {"type": "string", "format": "date-time"},
        "correlationid": _ATTRIBUTE,
        "partitionkey": _ATTRIBUTE,
        "traceparent": _ATTRIBUTE,
        "data": {"type": "object"},
    },
}


def _result(place):
    return {
        "type": "object",
        "required": [place, "status"],
        "properties": {
            place: {"type": "integer", "minimum": 1},
            "status": {"type": "integer"},
            "uid": _UID,
            "state": {"enum": STATES},
            "problem": {"type": "object"},
        },
    }


_LOCATION = {"Location": "Where to ask what became of the message."}
_WAITED = {**_LOCATION, "Preference-Applied": "How long the answer was waited for."}
_DEPRECATION = {
    "Deprecation": "The type of the message is deprecated since then (RFC 9745).",
    "Sunset": "The type of the message may be gone from then on (RFC 8594).",
}
_CODE = Parameter("code", "path", "Code of the endpoint.")
_IDS = (
    Parameter("webhook-id", "header", "Your id of the message.", _ID),
    Parameter(
        "Idempotency-Key", "header", "The same, where webhook-id is not given.", _ID
    ),
    Parameter("traceparent", "header", "W3C trace context."),
)
_WAIT = Parameter(
    "Prefer",
    "header",
    "wait=<seconds>: answer when the message is applied, where that was agreed (RFC 7240).",
)

RECEIVE = Operation(
    id="postMessage",
    summary="Hand in a message",
    scope="messages:write",
    text="202: stored, applied afterwards. The same id with the same body gets the first"
    " answer again; with another body 409. Where it was agreed, the answer waits: 200"
    " tells what was made of the message, 422 why it was refused.",
    parameters=(_CODE, *_IDS, _WAIT),
    body={"application/json": {"type": "object"}, envelope.CONTENT_TYPE: EVENT},
    answers={
        200: Answer("Applied.", {"application/json": _MESSAGE}, _WAITED),
        202: Answer(
            "Stored; it will be applied.",
            {"application/json": RECEIPT},
            {**_WAITED, **_DEPRECATION},
        ),
    },
    problems=(409, 422),
)
STATUS = Operation(
    id="getMessage",
    summary="Ask what became of a message",
    scope="messages:read",
    parameters=(
        Parameter("uid", "path", "As the answer to the message had it.", _UID),
    ),
    answers={200: Answer("Its state.", {"application/json": _MESSAGE})},
)
BATCH = Operation(
    id="postMessageBatch",
    summary="Hand in many messages, one a line",
    scope="messages:write",
    text=f"At most {MAX_MESSAGES} lines. All good lines are stored in one transaction before"
    " the answer, which has a line for each of them, in the same order; bad lines cost no"
    " other one. A line is a CloudEvent, a content alone, or"
    ' {"message_id": …, "content": {…}, "ordering_key": …}.',
    parameters=(_CODE, _IDS[2]),
    body={mimetype: {"type": "string"} for mimetype in batches.NDJSON},
    answers={
        200: Answer("A result per line.", {batches.NDJSON[0]: _result("line")}),
    },
)
EVENTS = Operation(
    id="postEvents",
    summary="Hand in CloudEvents",
    scope="events:write",
    text="Structured, batched or binary mode (attributes as ce- headers). The endpoint is"
    " the one of yours that takes such events.",
    parameters=(
        Parameter(
            "endpoint", "query", "Code of the endpoint, if several take the event."
        ),
        _IDS[2],
    ),
    body={
        envelope.CONTENT_TYPE: EVENT,
        envelope.BATCH_CONTENT_TYPE: {
            "type": "array",
            "items": EVENT,
            "minItems": 1,
            "maxItems": MAX_MESSAGES,
        },
        "application/json": {"type": "object"},
    },
    answers={
        200: Answer(
            "A result per event of a batch.",
            {
                "application/json": {
                    "type": "object",
                    "required": ["results"],
                    "properties": {
                        "results": {"type": "array", "items": _result("event")}
                    },
                }
            },
        ),
        202: Answer(
            "Stored; it will be applied.",
            {"application/json": RECEIPT},
            {**_LOCATION, **_DEPRECATION},
        ),
    },
    problems=(409,),
)
