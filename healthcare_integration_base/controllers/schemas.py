# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""The address that the ``dataschema`` of our CloudEvents names."""

from odoo import http

from .dispatcher import route
from .gate import admit
from .messages import answer_json, superuser
from .problem import PREFIX, Refusal

# Beyond this PostgreSQL's integer ends; no catalogue has such a version.
MAX_VERSION = 2**31 - 1


class SchemaController(http.Controller):
    """``GET …/schemas/<event type code>/<version>``: JSON Schema 2020-12 of an event's data."""

    @route(f"{PREFIX}/schemas/<string:code>/<int:version>", "GET")
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
        return answer_json(200, schema, "application/schema+json")


def _find(env, code, version):
    EventType = env["integration.event.type"]
    if "\0" in code or version > MAX_VERSION:
        return EventType
    return EventType.browse(EventType._get(code, version) or [])
