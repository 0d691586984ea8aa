# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""What the routes of feeds promise."""

from ..protocol import feed
from .operation import Answer, Operation, Parameter

# parameter → least, most, default
NUMBERS = {"limit": (1, 500, 100), "lease": (10, 3600, 300)}
MAX_ITEMS = 1000
UID = {
    "type": "string",
    "pattern": "^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$",
}

ITEM = {
    "type": "object",
    "required": [
        "uid",
        "type",
        "attempt",
        "ordering_key",
        "lease",
        "lease_expires_at",
        "cursor",
        "headers",
        "body",
        "body_base64",
    ],
    "properties": {
        "uid": {**UID, "description": "The webhook-id; the same when it comes again."},
        "type": {"type": ["string", "null"], "description": "CloudEvents type."},
        "attempt": {"type": "integer", "minimum": 1},
        "ordering_key": {"type": ["string", "null"]},
        "lease": {"type": "string", "description": "Name it when you acknowledge."},
        "lease_expires_at": {"type": "string", "format": "date-time"},
        "cursor": {"type": "string"},
        "headers": {
            "type": "object",
            "additionalProperties": {"type": "string"},
            "description": "Those a push would have, signature included.",
        },
        "body": {"description": "The body, if it is JSON; else null."},
        "body_base64": {
            "type": "string",
            "contentEncoding": "base64",
            "description": "The exact bytes that are signed.",
        },
    },
}
PAGE = {
    "type": "object",
    "required": ["items", "cursor", "more"],
    "properties": {
        "items": {"type": "array", "items": ITEM},
        "cursor": {
            "type": ["string", "null"],
            "description": "Of the last item; without items the one you gave.",
        },
        "more": {"type": "boolean", "description": "Ask again at once."},
        "reason": {
            "type": "string",
            "enum": ["paused", "shadow"],
            "description": "Why nothing is handed out, though messages may wait.",
        },
    },
}
ACKNOWLEDGEMENT = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "items": {
            "type": "array",
            "minItems": 1,
            "maxItems": MAX_ITEMS,
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": ["uid", "result"],
                "properties": {
                    "uid": UID,
                    "result": {"enum": list(feed.RESULTS)},
                    "reason": {"type": "string", "maxLength": 2000},
                    "lease": UID,
                },
            },
        },
        "cursor": {"type": "string", "minLength": 1, "maxLength": 16},
    },
    "oneOf": [{"required": ["items"]}, {"required": ["cursor"]}],
}
ANSWERS = {
    "type": "object",
    "properties": {
        "items": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["uid", "status"],
                "properties": {
                    "uid": UID,
                    "status": {"enum": [200, 404, 409]},
                    "state": {
                        "type": "string",
                        "enum": [
                            "pending",
                            "delivered",
                            "dead",
                            "filtered",
                            "cancelled",
                            "shadow",
                        ],
                    },
                    "next_attempt_at": {"type": "string", "format": "date-time"},
                    "code": {"type": "string"},
                    "detail": {"type": "string"},
                },
            },
        },
        "delivered": {"type": "integer", "minimum": 0},
    },
}
CODE = Parameter("code", "path", "The endpoint's code.")


def _number(name, text):
    least, most, default = NUMBERS[name]
    schema = {
        "type": "integer",
        "minimum": least,
        "maximum": most,
        "default": default,
    }
    return Parameter(name, "query", text, schema)


FETCH = Operation(
    "fetchFeed",
    "Fetch messages instead of having them pushed",
    "feeds:read",
    tag="Feeds",
    text=(
        "Leases messages to you: until the lease ends nobody else gets them. Of messages"
        " with one ordering key only the oldest is handed out, the next when that one is"
        " acknowledged. What is not acknowledged in time comes again, with the same uid and"
        " the same bytes."
    ),
    parameters=(
        CODE,
        _number("limit", "Items at most; less when the bodies are large."),
        _number("lease", "Seconds you have to acknowledge."),
        Parameter(
            "cursor",
            "query",
            "Give again what you were handed out after this cursor and still have, then"
            " more: for a single consumer that was interrupted. 0 is the beginning.",
            {"type": "string", "pattern": "^[0-9]{1,16}$"},
        ),
        Parameter(
            "types",
            "query",
            "Only these event types, joined by commas.",
            {"type": "string", "maxLength": 2000},
        ),
    ),
    answers={200: Answer("A page of messages", {"application/json": PAGE})},
)
ACKNOWLEDGE = Operation(
    "acknowledgeFeed",
    "Say what came of messages you fetched",
    "feeds:read",
    tag="Feeds",
    text=(
        "Either items with a result each, or a cursor: all you were handed out up to it and"
        " still have is delivered. delivered: you keep it, it never comes again. failed: it"
        " comes again later, by the retry schedule. rejected: it does not come again, a"
        " person here gets a case. Each item is answered by itself: 200, 404"
        " unknown_message, 409 lease_lost, not_leased or already_finished."
    ),
    parameters=(CODE,),
    body={"application/json": ACKNOWLEDGEMENT},
    answers={200: Answer("An answer per item", {"application/json": ANSWERS})},
    problems=(422,),
)
