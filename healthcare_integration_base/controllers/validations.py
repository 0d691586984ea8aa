# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Partners check numbers before they use them in documents."""

from odoo import http
from odoo.http import request

from ..codecs import json_codec
from ..engine import validation
from .dispatcher import route
from .gate import admit
from .messages import answer_json, superuser
from .operation import Answer, Operation
from .problem import PREFIX, Refusal

MAX_BODY = 1024 * 1024
_TEXT = {"type": "string", "minLength": 1, "maxLength": validation.MAX_VALUE}
BODY = {
    "type": "object",
    "required": ["items"],
    "additionalProperties": False,
    "properties": {
        "items": {
            "type": "array",
            "minItems": 1,
            "maxItems": validation.MAX_ITEMS,
            "items": {
                "type": "object",
                "required": ["kind", "value"],
                "additionalProperties": False,
                "properties": {
                    "kind": {
                        "type": "string",
                        "description": "What it is: account, cost_center or item.",
                    },
                    "value": _TEXT,
                },
            },
        }
    },
    "examples": [{"items": [{"kind": "item", "value": "GLV-M"}]}],
}
RESULT = {
    "type": "object",
    "required": ["items"],
    "additionalProperties": False,
    "properties": {
        "items": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["kind", "value", "result"],
                "additionalProperties": False,
                "properties": {
                    "kind": {"type": "string"},
                    "value": {"type": "string"},
                    "result": {"type": "string", "enum": list(validation.RESULTS)},
                    "reason": {"type": "string"},
                    "id": {"type": "string"},
                    "number": {"type": "string", "description": "As we write it."},
                },
            },
        }
    },
}


class ValidationController(http.Controller):
    """``POST …/validations``: is this account, cost centre, item right?"""

    @route(
        f"{PREFIX}/validations",
        "POST",
        operation=Operation(
            id="validate",
            summary="Check accounts, cost centres and items before you send them",
            scope="validations:read",
            tag="Validations",
            text="Answers one result per item, in the order they came: valid, invalid,"
            " archived or ambiguous, with our id and number. Accounts and cost centres are"
            " given by their codes, items by our code, a GTIN or your own code.",
            body={"application/json": BODY},
            answers={200: Answer("The results.", {"application/json": RESULT})},
            problems=(422,),
        ),
        max_content_length=MAX_BODY,
    )
    def validate(self):
        """Return the results: 200, whatever they are."""
        env = superuser()
        client = admit(env, "validations:read")
        content = json_body()
        acting = client._acting_env(env)
        validators = env["integration.api"]._validators()
        results = validation.check(acting, client, content, validators)
        return answer_json(200, {"items": results})


def json_body():
    """Return the JSON object of the request.

    :raises Refusal: 415 for another content type
    :raises CodecError: 400, it is no JSON object
    """
    incoming = request.httprequest
    if incoming.mimetype != "application/json":
        raise Refusal(
            415, "unsupported_media_type", "Send Content-Type: application/json."
        )
    return json_codec.loads(
        incoming.get_data(), incoming.mimetype_params.get("charset")
    )
