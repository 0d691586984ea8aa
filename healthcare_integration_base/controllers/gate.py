# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""The one way in: who calls, may he, is he too fast. Every route of partners begins here."""

from odoo.http import request

from .authentication import authenticate
from .problem import Refusal


def admit(env, scope, clients=None, read_body=None, event_type=None):
    """Return the client that makes this request and may use the scope.

    :param env: superuser's environment of the request
    :param str scope: for example ``messages:write``
    :param clients: those whose signature counts, e.g. an endpoint's; None: of none
    :param read_body: function that returns the body, for signatures; None: the request's
    :param event_type: what the request is about, if that is known already
    :raises Refusal: 401 not known, 403 not allowed, 429 too fast or locked out
    """
    Client = env["integration.client"]
    client = authenticate(
        request.httprequest.headers,
        Client if clients is None else clients,
        read_body or request.httprequest.get_data,
        Client,
    )
    if not client._may(scope):
        raise Refusal(403, "scope_missing", f"The client lacks the scope {scope}.")
    if event_type:
        check_event_type(client, scope, event_type)
    return client


def check_event_type(client, scope, event_type):
    """Refuse a type of events that the client's scope does not name.

    :raises Refusal: 403 ``event_type_not_allowed``
    """
    row = client.scope_ids.filtered(lambda own: own.scope == scope)
    if row.event_type_ids and event_type not in row.event_type_ids:
        raise Refusal(
            403,
            "event_type_not_allowed",
            f"The client's scope {scope} does not cover this type of event.",
        )
