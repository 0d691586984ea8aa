# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Who calls: an API key (bearer), or a Standard Webhooks signature by a client of the endpoint.

Fails closed. What an unauthenticated caller reads does not depend on whether the
endpoint, the client or the message he names exists.
"""

import re
import time

from odoo import fields

from ..protocol import signing
from ..protocol.errors import Configuration
from ..protocol.signing import SignatureError
from .problem import Refusal

_BEARER = re.compile(r"bearer +([\x21-\x7e]{1,512})", re.IGNORECASE)
# Verified against where there is no client, so that the answers are the same.
_NOBODY = signing.decode_secret(signing.generate_secret())


def authenticate(headers, clients, read_body, all_clients):
    """Return the client that makes this request.

    :param headers: of the request
    :param clients: those whose signature counts; empty if the endpoint is unknown
    :param read_body: function that returns the body; called only to verify a signature
    :param all_clients: the model, to look the API key up in
    :raises Refusal: 401 without credentials, or with a key that is not valid (any more)
    :raises SignatureError: 401, the code says what is wrong
    """
    if "Authorization" in headers:
        client = _by_key(headers["Authorization"], all_clients)
        if signing.HEADER_SIGNATURE in headers and client.credential_ids:
            _by_signature(headers, client, read_body())  # one that is sent must fit
    elif signing.HEADER_SIGNATURE in headers:
        client = _by_signature(headers, clients, read_body())
    else:
        raise Refusal(
            401,
            "missing_credentials",
            "Send an API key (Authorization: Bearer …) or a Standard Webhooks signature.",
        )
    return client


def _by_key(authorization, all_clients):
    match = _BEARER.fullmatch(authorization.strip())
    client = match and all_clients._authenticate_key(match[1])
    if not client:
        raise Refusal(
            401, "invalid_api_key", "The API key is unknown, expired or revoked."
        )
    return client


def _by_signature(headers, clients, body):
    """Return the client one of whose secrets fits the signature.

    :raises Configuration: none fits, and this node cannot read the secrets of all
    """
    moment, now = time.time(), fields.Datetime.now()
    secrets, unreadable = _secrets_of(clients.filtered(lambda c: c._is_usable(now)))
    # all at once first, so that time does not tell how many clients there are before the right one
    everybody = [_NOBODY] + [secret for _client, own in secrets for secret in own]
    try:
        signing.verify(everybody, headers, body, now=moment)
    except SignatureError as refusal:
        raise unreadable or refusal from None
    return next(client for client, own in secrets if _fits(own, headers, body, moment))


def _secrets_of(clients):
    """Return (client, secrets) pairs, and the error of this node's key ring, if there is one.

    A client without a secret yet signs nothing; the others are not to suffer from it.
    """
    found, unreadable = [], None
    for client in clients:
        try:
            found.append((client, client._signing_secrets()))
        except Configuration as error:
            if error.code != "credential_without_secret":
                unreadable = error
    return found, unreadable


def _fits(secrets, headers, body, now):
    try:
        return bool(signing.verify(secrets, headers, body, now=now))
    except SignatureError:
        return False
