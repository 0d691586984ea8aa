# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""The address that the ``dataschema`` of our CloudEvents names."""

from odoo import http

from ..protocol import deprecation
from .dispatcher import route
from .gate import admit
from .messages import superuser
from .operation import Answer, Operation, Parameter
from .problem import PREFIX, Refusal
from .resources import answer

# Beyond this PostgreSQL's integer ends; no catalogue has such a version.
MAX_VERSION = 2**31 - 1

OPERATION = Operation(
    id="getSchema",
    summary="The JSON Schema of an event's data",
    scope="schemas:read",
    tag="Descriptions",
    text="The address that dataschema of our CloudEvents names.",
    parameters=(
        Parameter("code", "path", "For example supply.purchase_order.released."),
        Parameter(
            "version",
            "path",
            "The version of the event type.",
            {"type": "integer", "minimum": 1, "maximum": MAX_VERSION},
        ),
        Parameter("If-None-Match", "header", "The ETag you have."),
    ),
    answers={
        200: Answer(
            "JSON Schema, draft 2020-12.",
            {"application/schema+json": {"type": "object"}},
            {
                "ETag": "Changes with the schema.",
                "Deprecation": "Since when the event type is deprecated (RFC 9745).",
                "Sunset": "From when on it may be gone (RFC 8594).",
            },
        ),
        304: Answer("You have it already."),
    },
)


class SchemaController(http.Controller):
    """``GET …/schemas/<event type code>/<version>``: JSON Schema 2020-12 of an event's data."""

    @route(f"{PREFIX}/schemas/<string:code>/<int:version>", "GET", operation=OPERATION)
    def schema(self, code, version):
        """Return the schema to any client with an API key."""
        env = superuser()
        admit(env, "schemas:read")
        event_type = _find(env, code, version)
        schema = event_type and event_type._schema()
        if not schema:
            raise Refusal(
                404,
                "unknown_schema",
                "There is no schema of this event type and version.",
            )
        headers = deprecation.headers(event_type.deprecated_on, event_type.sunset_on)
        return answer(schema, headers, "application/schema+json")


def _find(env, code, version):
    EventType = env["integration.event.type"]
    if "\0" in code or version > MAX_VERSION:
        return EventType
    return EventType.browse(EventType._get(code, version) or [])
