# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""The one way in: who calls, may he, is he too fast. Every route of partners begins here."""

from odoo.http import request

from .authentication import authenticate


def admit(env, scope, clients=None, read_body=None):
    """Return the client that makes this request and may use the scope.

    :param env: superuser's environment of the request
    :param str scope: for example ``messages:write``
    :param clients: those whose signature counts, e.g. an endpoint's; None: of none
    :param read_body: function that returns the body, for signatures; None: the request's
    :raises Refusal: 401 not known, 403 not allowed, 429 too fast or locked out
    """
    Client = env["integration.client"]
    return authenticate(
        request.httprequest.headers,
        Client if clients is None else clients,
        read_body or request.httprequest.get_data,
        Client,
    )
