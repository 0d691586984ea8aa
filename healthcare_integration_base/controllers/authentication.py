# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Who calls: an API key, an access token, a signature or a certificate says so.

Fails closed. What an unauthenticated caller reads does not depend on whether the
endpoint, the client or the message he names exists.
"""

import re
import time
from dataclasses import dataclass

from odoo import fields

from ..engine.book import KEY, Caller
from ..protocol import signing
from ..protocol.errors import Configuration
from ..protocol.signing import SignatureError
from . import access_token
from .problem import Refusal

_BEARER = re.compile(r"bearer +([\x21-\x7e]{1,8192})", re.IGNORECASE)
# Verified against where there is no client, so that the answers are the same.
_NOBODY = signing.decode_secret(signing.generate_secret())


@dataclass(frozen=True)
class Identity:
    """Who calls, and how he has proved it.

    :param auth: as the access log has it
    :param key_id: row of the key, if it was one
    :param scopes: what his access token is good for; None: for all the client may do
    """

    caller: Caller
    auth: str
    key_id: int | None = None
    scopes: frozenset[str] | None = None


@dataclass(frozen=True)
class Shown:
    """What a request shows to prove who makes it.

    :param clients: function that returns those whose signature counts
    :param body: function that returns the body; called only to verify a signature
    :param certificate: function that returns the connection's certificate, None if
        there is none that counts
    """

    headers: object
    clients: object
    body: object
    certificate: object


def authenticate(env, shown):
    """Return the identity of the caller.

    :param env: superuser's environment
    :raises Refusal: 401 without credentials, with wrong ones, or without the signature or
        certificate that the client needs beside
    :raises SignatureError: 401, the code says what is wrong
    """
    if "Authorization" in shown.headers:
        identity = _by_bearer(env, shown.headers["Authorization"])
    elif signing.HEADER_SIGNATURE in shown.headers:
        identity = _by_signature(env, shown)
    else:
        identity = _by_certificate(env, shown)
    _check_further(env, identity, shown)
    return identity


def claimed(headers):
    """Return the credential that a request names, to count its failures by; not its secret.

    :return: prefix of an API key, else None
    """
    match = _BEARER.fullmatch(headers.get("Authorization", "").strip())
    key = match and KEY.fullmatch(match[1])
    return f"hi{key[1]}_{key[2]}" if key else None


# -- keys and tokens -------------------------------------------------------------------


def _by_bearer(env, authorization):
    match = _BEARER.fullmatch(authorization.strip())
    text = match[1] if match else ""
    if text.count(".") == 2:
        return _by_token(env, text)
    Client = env["integration.client"]
    key = Client._find_key(text)
    caller = key and _usable(env, key.client_id)
    if not caller:
        raise Refusal(
            401, "invalid_api_key", "The API key is unknown, expired or revoked."
        )
    return Identity(caller, "key", key.id)


def _by_token(env, text):
    token, caller = access_token.read(env, text)
    return Identity(caller, "token", token.key_id, token.scopes)


def _usable(env, client_id):
    now = fields.Datetime.now()
    return env["integration.client"]._book().caller(client_id, now)


# -- signatures ------------------------------------------------------------------------


def _by_signature(env, shown):
    """Return the client one of whose secrets fits the signature.

    :raises Configuration: none fits, and this node cannot read the secrets of all
    """
    moment = time.time()
    usable = shown.clients().filtered(lambda client: _usable(env, client.id))
    secrets, unreadable = _secrets_of(usable)
    body = shown.body()
    # all at once first, so that time does not tell how many clients there are before the right one
    everybody = [_NOBODY] + [secret for _client, own in secrets for secret in own]
    try:
        signing.verify(everybody, shown.headers, body, now=moment)
    except SignatureError as refusal:
        raise unreadable or refusal from None
    client = next(
        client for client, own in secrets if _fits(own, shown.headers, body, moment)
    )
    return Identity(_usable(env, client.id), "signature")


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


# -- certificates ----------------------------------------------------------------------


def _by_certificate(env, shown):
    caller = _certified(env, shown.certificate())
    if not caller:
        raise Refusal(
            401,
            "missing_credentials",
            "Send an API key or access token (Authorization: Bearer …), a Standard"
            " Webhooks signature, or show a client certificate that is known here.",
        )
    return Identity(caller, "certificate")


def _certified(env, presented):
    """Return the client of a certificate: by its fingerprint, else by one of its names."""
    if not presented:
        return None
    book, now = env["integration.client"]._book(), fields.Datetime.now()
    found = [book.fingerprints.get(presented.fingerprint)]
    found += [book.names.get(name) for name in sorted(presented.names)]
    for certificate in filter(None, found):
        in_time = certificate.expires_at is None or certificate.expires_at > now
        if in_time:
            return book.caller(certificate.client_id, now)
    return None


# -- what a client needs beside ----------------------------------------------------------


def _check_further(env, identity, shown):
    """Refuse a key alone where more is required; a signature that is sent must fit anyway.

    :raises Refusal: 401 ``signature_required`` or ``certificate_required``
    :raises SignatureError: 401, the signature does not fit
    """
    caller, headers = identity.caller, shown.headers
    if identity.auth != "signature" and (
        caller.require_signature
        or (caller.credential_ids and signing.HEADER_SIGNATURE in headers)
    ):
        _check_signature(env, caller, shown)
    check_certificate(env, identity, shown.certificate)


def check_certificate(env, identity, certificate):
    """Refuse a client that must show a certificate and does not.

    :param certificate: function that returns the connection's
    :raises Refusal: 401 ``certificate_required``
    """
    caller = identity.caller
    if caller.require_certificate and _certified(env, certificate()) != caller:
        raise Refusal(
            401,
            "certificate_required",
            "This client must show one of its certificates.",
        )


def _check_signature(env, caller, shown):
    if signing.HEADER_SIGNATURE not in shown.headers:
        raise Refusal(401, "signature_required", "This client must sign what it sends.")
    client = env["integration.client"].browse(caller.id)
    secrets = client._signing_secrets()
    signing.verify(secrets, shown.headers, shown.body(), now=time.time())
