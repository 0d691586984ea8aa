# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Descriptions of the interface for machines."""

from odoo import http

from . import parameters
from .dispatcher import route
from .gate import admit
from .messages import superuser
from .operation import Answer, Operation, Parameter
from .problem import PREFIX
from .resources import answer

SCOPE = "schemas:read"
_CONDITION = Parameter(
    "If-None-Match",
    "header",
    "The ETag you have: if nothing changed, the answer is 304.",
)


def _operation(name, summary):
    return Operation(
        id=name,
        summary=summary,
        scope=SCOPE,
        tag="Descriptions",
        parameters=(_CONDITION,),
        answers={
            200: Answer(
                "The document.",
                {"application/json": {"type": "object"}},
                {"ETag": "Changes with the document."},
            ),
            304: Answer("You have it already."),
        },
    )


class DescriptionController(http.Controller):
    """``GET …/openapi.json`` and ``GET …/asyncapi.json``, for any client with the scope."""

    @route(
        f"{PREFIX}/openapi.json",
        "GET",
        operation=_operation("getOpenApi", "This document: OpenAPI 3.1"),
    )
    def openapi(self):
        """Return the OpenAPI document of what this Odoo offers."""
        return answer(_admitted()._openapi())

    @route(
        f"{PREFIX}/asyncapi.json",
        "GET",
        operation=_operation("getAsyncApi", "The events: AsyncAPI 3.0"),
    )
    def asyncapi(self):
        """Return the AsyncAPI document of the events that come in and go out."""
        return answer(_admitted()._asyncapi())


def _admitted():
    env = superuser()
    admit(env, SCOPE)
    parameters.given()
    return env["integration.api"]
