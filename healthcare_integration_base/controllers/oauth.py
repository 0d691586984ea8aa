# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""``POST …/oauth/token``: clients exchange a secret or a signed assertion for an access token.

OAuth 2.0 client credentials grant (RFC 6749, 4.4) with ``client_secret_basic``,
``client_secret_post`` and ``private_key_jwt`` (RFC 7523, 2.2).
"""

import base64
import binascii
import re
import time
from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote_plus

from odoo import fields, http
from odoo.http import request

from ..protocol import jwks, tokens
from . import access_token, gate
from . import call as calls
from .authentication import Identity, check_certificate
from .dispatcher import route
from .messages import answer_json, superuser
from .operation import Answer, Operation
from .problem import PREFIX, Refusal

PATH = f"{PREFIX}/oauth/token"
FORM = "application/x-www-form-urlencoded"
MAX_FORM = 16 * 1024
MOST_FIELDS = 20
GRANT = "client_credentials"
_CLIENT_ID = re.compile(r"hic_[0-9a-f]{16}")
_TEXT = {"type": "string"}
_TOKEN_SCHEMA = {
    "type": "object",
    "required": ["access_token", "token_type", "expires_in", "scope"],
    "properties": {
        "access_token": _TEXT,
        "token_type": {"const": "Bearer"},
        "expires_in": {"type": "integer"},
        "scope": _TEXT,
    },
}
_ERROR_SCHEMA = {
    "type": "object",
    "required": ["error"],
    "properties": {"error": _TEXT, "error_description": _TEXT},
}
_FORM_SCHEMA = {
    "type": "object",
    "required": ["grant_type"],
    "properties": {
        "grant_type": {"const": GRANT},
        "scope": _TEXT,
        "client_id": _TEXT,
        "client_secret": _TEXT,
        "client_assertion_type": {"const": tokens.ASSERTION_TYPE},
        "client_assertion": _TEXT,
    },
}
OPERATION = Operation(
    id="obtainAccessToken",
    summary="Obtain an access token",
    scope=None,
    tag="Authentication",
    text="OAuth 2.0 client credentials grant. The client authenticates with its secret"
    " (HTTP Basic or form fields) or with an assertion signed by its own key.",
    body={FORM: _FORM_SCHEMA},
    answers={
        200: Answer("The token", {"application/json": _TOKEN_SCHEMA}),
        400: Answer("Not a request of this grant", {"application/json": _ERROR_SCHEMA}),
        401: Answer("Not authenticated", {"application/json": _ERROR_SCHEMA}),
    },
    problems=(403,),
)


class OAuthError(Refusal):
    """An error of RFC 6749, 5.2, in that form."""

    content_type = "application/json"

    def __init__(self, code, description, status=400, headers=None):
        super().__init__(status, code, description, headers)

    def content(self, problem):
        """Return the body of the answer."""
        return {"error": self.code, "error_description": self.message}


@dataclass(frozen=True)
class _Proof:
    """What the client authenticates itself with: exactly one of both."""

    client_id: str
    secret: str | None = None
    assertion: str | None = None


class OAuthController(http.Controller):
    """The token endpoint."""

    @route(PATH, "POST", OPERATION, max_content_length=MAX_FORM, forms=True)
    def token(self):
        """Answer with an access token that is narrowed to the scopes asked for."""
        env, call = superuser(), calls.current()
        form = _form()
        if form.get("grant_type") != GRANT:
            code = "unsupported_grant_type" if "grant_type" in form else None
            raise OAuthError(code or "invalid_request", f"grant_type must be {GRANT}.")
        proof = _proof(form)
        credential = proof.client_id if _CLIENT_ID.fullmatch(proof.client_id) else None
        identity = gate.recognise(
            env, call, credential, lambda: _authenticate(env, call, proof)
        )
        gate.accept(env, call, identity)
        scopes = _scopes(env, identity.caller, form.get("scope"))
        return _answer(env, identity, scopes, call.settings.oauth_token_seconds)


# -- reading the request -----------------------------------------------------------------


def _form():
    """Return the fields of the form, those without a value left out (RFC 6749, 3.2).

    :raises OAuthError: ``invalid_request``
    """
    httprequest = request.httprequest
    if httprequest.mimetype != FORM:
        raise OAuthError("invalid_request", f"The Content-Type must be {FORM}.")
    try:
        pairs = parse_qsl(
            httprequest.get_data().decode("utf-8"),
            keep_blank_values=True,
            strict_parsing=True,
            max_num_fields=MOST_FIELDS,
            errors="strict",
        )
    except ValueError:
        raise OAuthError("invalid_request", "The form cannot be read.") from None
    fields_ = dict(pairs)
    if len(fields_) < len(pairs):
        raise OAuthError("invalid_request", "A field is there more than once.")
    return {name: value for name, value in fields_.items() if value}


def _proof(form):
    """Return how the client authenticates itself.

    :raises OAuthError: in no way, or in several
    """
    basic = request.httprequest.headers.get("Authorization")
    ways = [bool(basic), "client_secret" in form, "client_assertion" in form]
    if sum(ways) > 1:
        raise OAuthError("invalid_request", "Authenticate in one way only.")
    if basic:
        return _basic(basic)
    if "client_assertion" in form:
        return _assertion(form)
    if "client_secret" in form and "client_id" in form:
        return _Proof(form["client_id"], secret=form["client_secret"])
    raise OAuthError("invalid_client", "Client authentication is missing.", 401)


def _basic(header):
    scheme, _blank, encoded = header.strip().partition(" ")
    try:
        decoded = base64.b64decode(encoded.strip(), validate=True).decode("utf-8")
    except (binascii.Error, ValueError):
        decoded = ""
    name, colon, secret = decoded.partition(":")
    if scheme.lower() != "basic" or not colon:
        raise _invalid_client("The Authorization header cannot be read.")
    return _Proof(unquote_plus(name), secret=unquote_plus(secret))


def _assertion(form):
    if form.get("client_assertion_type") != tokens.ASSERTION_TYPE:
        raise OAuthError(
            "invalid_request", f"client_assertion_type must be {tokens.ASSERTION_TYPE}."
        )
    assertion = form["client_assertion"]
    try:
        name = tokens.claimed_client(assertion)
    except tokens.TokenError as error:
        raise _invalid_client(error.message) from None
    if form.get("client_id", name) != name:
        raise OAuthError("invalid_request", "client_id and the assertion differ.")
    return _Proof(name, assertion=assertion)


# -- authentication ----------------------------------------------------------------------


def _authenticate(env, call, proof):
    """Return the identity of the client.

    :raises OAuthError: 401 ``invalid_client``
    """
    if proof.assertion:
        identity = _by_assertion(env, proof)
    else:
        identity = _by_secret(env, proof)
    check_certificate(env, identity, call.certificate)
    return identity


def _by_secret(env, proof):
    Client = env["integration.client"]
    key = Client._find_key(proof.secret, "client_secret")
    caller = _caller(env, proof.client_id)
    if not (key and caller and key.client_id == caller.id):
        raise _invalid_client("The client id or its secret is unknown, or expired.")
    return Identity(caller, "client_secret", key.id)


def _by_assertion(env, proof):
    caller = _caller(env, proof.client_id)
    keys = jwks.parse(caller.jwks) if caller and caller.jwks else ()
    try:
        assertion = tokens.verify_assertion(
            proof.assertion, keys, _audiences(env), time.time()
        )
    except tokens.TokenError as error:
        raise _invalid_client(error.message) from None
    used = env["integration.oauth.assertion"]
    if not used._use(caller.id, assertion.id, assertion.expires_at):
        raise _invalid_client("The assertion was used before (jti).")
    return Identity(caller, "private_key_jwt")


def _caller(env, oauth_id):
    book = env["integration.client"]._book()
    return book.caller(book.oauth_ids.get(oauth_id), fields.Datetime.now())


def _audiences(env):
    """Return the names an assertion may have for us (RFC 7523, 3, 3)."""
    base = env["ir.config_parameter"].get_param("web.base.url", "").rstrip("/")
    return {base + PATH, base, base + "/", access_token.audience(env)}


def _invalid_client(description):
    return OAuthError(
        "invalid_client",
        description,
        401,
        {"WWW-Authenticate": 'Basic realm="integration"'},
    )


# -- the token ---------------------------------------------------------------------------


def _scopes(env, caller, wanted):
    """Return the scopes of the token: those asked for, else all of the client.

    :raises OAuthError: ``invalid_scope``, the client lacks one
    """
    if wanted is None:
        return set(caller.scopes)
    scopes, covers = set(wanted.split()), env["integration.client"]._covers
    if not scopes or not all(covers(caller.scopes, scope) for scope in scopes):
        raise OAuthError("invalid_scope", "The client lacks a scope it asks for.")
    return scopes


def _answer(env, identity, scopes, seconds):
    text = access_token.issue(env, identity.caller, scopes, identity.key_id, seconds)
    content = {
        "access_token": text,
        "token_type": "Bearer",
        "expires_in": seconds,
        "scope": " ".join(sorted(scopes)),
    }
    response = answer_json(200, content)
    response.headers["Pragma"] = "no-cache"
    return response
