# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""The one way in: who calls, may he, is he too fast. Every route of partners begins here."""

from odoo.http import request

from ..engine import access_log, lockout, rate
from ..protocol import addresses
from ..protocol.errors import Configuration, IntegrationError
from ..protocol.lease import Limit
from . import call as calls
from .authentication import Shown, authenticate, claimed
from .problem import Refusal


def admit(env, scope, clients=None, read_body=None, event_type=None):
    """Return the client that makes this request and may use the scope.

    :param env: superuser's environment of the request
    :param str scope: for example ``messages:write``
    :param clients: those whose signature counts, e.g. an endpoint's, or a function that
        returns them, called only for a signature; None: of none
    :param read_body: function that returns the body, for signatures; None: the request's
    :param event_type: what the request is about, if that is known already
    :raises Refusal: 401 not known, 403 not allowed, 429 too fast or locked out
    """
    call = calls.current()
    call.scope = scope
    shown = _shown(env, call, clients, read_body)
    credential = claimed(shown.headers)
    identity = recognise(env, call, credential, lambda: authenticate(env, shown))
    accept(env, call, identity)
    _check_scope(env, identity, scope)
    client = env["integration.client"].browse(identity.caller.id)
    if event_type:
        check_event_type(client, scope, event_type)
    return client


def admit_stranger(env):
    """Let a request in that shows nothing but a link, within the limit of its address.

    :param env: superuser's environment of the request
    :raises Refusal: 429 too fast
    """
    _spend_address(env, calls.current())


def check_event_type(client, scope, event_type):
    """Refuse a type of events that the client's scope does not name.

    :raises Refusal: 403 ``event_type_not_allowed``
    """
    caller = client._book().callers.get(client.id)
    types = caller and caller.scopes.get(scope)
    if types and event_type.id not in types:
        raise Refusal(
            403,
            "event_type_not_allowed",
            f"The client's scope {scope} does not cover this type of event.",
        )


def forget():
    """Drop what this process remembers of callers, for tests."""
    for memory in (rate, lockout, access_log):
        memory.forget()


def _shown(env, call, clients, read_body):
    nobody = env["integration.client"]
    if callable(clients):
        find = clients
    else:
        find = lambda: nobody if clients is None else clients  # noqa: E731
    return Shown(
        headers=request.httprequest.headers,
        clients=find,
        body=read_body or request.httprequest.get_data,
        certificate=call.certificate,
    )


# -- before and after authentication -----------------------------------------------------


def recognise(env, call, credential, authenticate):
    """Authenticate within the limits of the address; count failures.

    A locked address or credential is not told whether what it shows is right, unless it
    is right and the client has come in from there before.

    :param credential: what failures are counted by, beside the address; None: nothing
    :param authenticate: function that returns the Identity or raises
    :raises Refusal: 401, or 429 ``rate_limited`` or ``locked_out``
    """
    locked = _locked_seconds(env, call, credential)
    if not locked:
        _spend_address(env, call)
    try:
        identity = authenticate()
    except Configuration:
        raise
    except IntegrationError as refusal:
        call.is_stranger = True
        if locked:
            raise _locked_out(locked) from None
        if refusal.status == 401 and refusal.code != "missing_credentials":
            _note_failure(env, call, credential)
        raise
    if locked and not lockout.knows(env, identity.caller.id, call.address):
        raise _locked_out(locked)
    if not locked:
        _refund_address(env, call)
    return identity


def accept(env, call, identity):
    """Take the caller for who he is: his networks and his rate count from here on.

    :raises Refusal: 403 ``network_not_allowed``, 429 ``rate_limited``
    """
    caller = call.caller = identity.caller
    call.auth, call.key_id = identity.auth, identity.key_id
    if caller.networks and not addresses.contains(caller.networks, call.real_address):
        raise Refusal(
            403,
            "network_not_allowed",
            "Calls of this client are not taken from your network address.",
        )
    if caller.limit:
        call.verdict = rate.spend(env, f"client:{caller.id}", caller.limit)
        if not call.verdict.granted:
            raise _too_fast(call.verdict)


def _check_scope(env, identity, scope):
    Client, caller = env["integration.client"], identity.caller
    may = Client._covers(caller.scopes, scope)
    if may and identity.scopes is not None:
        may = Client._covers(identity.scopes, scope)
    if not may:
        raise Refusal(
            403, "scope_missing", f"The client or its token lacks the scope {scope}."
        )


# -- limits ------------------------------------------------------------------------------


def _address_limit(call):
    settings = call.settings
    return settings.address_rate and Limit(
        settings.address_rate, settings.address_burst
    )


def _spend_address(env, call):
    """Take a token of the address; who proves to be known gets it back."""
    limit = _address_limit(call)
    if limit:
        verdict = rate.spend(env, f"address:{call.address}", limit)
        if not verdict.granted:
            raise _too_fast(verdict)


def _refund_address(env, call):
    if _address_limit(call):
        rate.refund(env, f"address:{call.address}")


def _too_fast(verdict):
    refusal = Refusal(429, "rate_limited", "Too many requests; please slow down.")
    refusal.seconds = max(1.0, verdict.retry_after)
    return refusal


def _locked_seconds(env, call, credential):
    return max(
        lockout.seconds_left(env, lockout.ADDRESS, call.address),
        lockout.seconds_left(env, lockout.CREDENTIAL, credential),
    )


def _locked_out(seconds):
    refusal = Refusal(
        429, "locked_out", "Too many failed attempts; please try again later."
    )
    refusal.seconds = seconds
    return refusal


def _note_failure(env, call, credential):
    book = env["integration.client"]._book()
    prefix = (credential or "").rpartition("_")[2]
    key = book.keys.get(prefix)
    client_id = key.client_id if key else book.oauth_ids.get(credential)
    lockout.note_failure(env, call.settings, call.address, credential, client_id)
