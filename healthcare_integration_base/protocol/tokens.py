# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""JSON Web Tokens: access tokens of ours (RFC 9068), assertions of clients (RFC 7523)."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any

import jwt

from .errors import Permanent
from .jwks import PublicKey

TYPE = "at+jwt"
ALGORITHM = "HS256"
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
ASSERTION_ALGORITHMS = ("ES256", "ES384", "RS256", "RS384")
# An assertion is made for this request: it lives for minutes, and clocks differ a little.
ASSERTION_SECONDS = 300
LEEWAY = 30
LONGEST = 8192
NO_FIT = "The signature of the token does not fit."


class TokenError(Permanent):
    """A token is not valid; the message says why in words that are safe to answer."""

    default_code = "invalid_token"
    default_status = 401
    title = "Token not valid"


@dataclass(frozen=True)
class AccessToken:
    """What an access token says.

    :param client: OAuth id of the client
    :param scopes: what the token is good for, at most
    :param issued_at: seconds since 1970
    :param key_id: row of the secret it was obtained with; None for a key pair
    """

    client: str
    scopes: frozenset[str]
    issued_at: int
    expires_at: int
    id: str
    key_id: int | None = None


@dataclass(frozen=True)
class Assertion:
    """Who proves to be himself with a signed assertion, which counts once."""

    client: str
    id: str
    expires_at: int


def new_id() -> str:
    """Return a ``jti``."""
    return uuid.uuid4().hex


def mint(token: AccessToken, audience: str, kid: str, key: bytes) -> str:
    """Return a signed access token.

    :param kid: id of the key in the key ring
    :param key: derived from it
    """
    claims: dict[str, Any] = {
        "iss": audience,
        "aud": audience,
        "sub": token.client,
        "client_id": token.client,
        "scope": " ".join(sorted(token.scopes)),
        "iat": token.issued_at,
        "exp": token.expires_at,
        "jti": token.id,
    }
    if token.key_id:
        claims["key"] = token.key_id
    return jwt.encode(claims, key, ALGORITHM, headers={"typ": TYPE, "kid": kid})


def verify(
    text: str, audience: str, key_of: Callable[[str], bytes | None], now: float
) -> AccessToken:
    """Return what a valid access token of ours says.

    :param key_of: kid → key; None if there is no such key
    :raises TokenError: it is not ours, not valid (any more), or altered
    """
    header = _header(text)
    key = key_of(str(header.get("kid")))
    if header.get("alg") != ALGORITHM or header.get("typ") != TYPE or not key:
        raise TokenError("The access token is none of ours.")
    claims = _claims(text, key, (ALGORITHM,), ("exp", "iat", "sub", "jti", "aud"))
    if claims["aud"] != audience or claims.get("iss") != audience:
        raise TokenError("The access token is for another server.")
    if _moment(claims, "exp") <= now:
        raise TokenError("The access token has expired.", code="token_expired")
    key_id = claims.get("key")
    return AccessToken(
        client=str(claims["sub"]),
        scopes=frozenset(str(claims.get("scope", "")).split()),
        issued_at=int(_moment(claims, "iat")),
        expires_at=int(_moment(claims, "exp")),
        id=str(claims["jti"]),
        key_id=key_id if isinstance(key_id, int) else None,
    )


def claimed_client(assertion: str) -> str:
    """Return who an assertion says it is from; nothing of it is verified yet.

    :raises TokenError: it is no JSON Web Token
    """
    _header(assertion)
    try:
        claims = jwt.decode(assertion, options={"verify_signature": False})
    except (jwt.PyJWTError, ValueError, RecursionError):
        raise TokenError("The assertion is no JSON Web Token.") from None
    return str(claims.get("sub", ""))


def verify_assertion(
    text: str, keys: Sequence[PublicKey], audiences: Collection[str], now: float
) -> Assertion:
    """Return who signed an assertion (RFC 7523, 3; OpenID Connect ``private_key_jwt``).

    :param keys: public keys of the client that the assertion names
    :param audiences: names of this server, one of which must be its ``aud``
    :raises TokenError: it is not valid
    """
    header = _header(text)
    key = _choose(keys, header)
    claims = _claims(
        text, key.key, (header["alg"],), ("iss", "sub", "aud", "exp", "jti")
    )
    if claims["iss"] != claims["sub"] or not isinstance(claims["sub"], str):
        raise TokenError("iss and sub of the assertion must both be the client's id.")
    named = claims["aud"] if isinstance(claims["aud"], list) else [claims["aud"]]
    if not set(map(str, named)) & set(audiences):
        raise TokenError("The aud of the assertion must be the token endpoint.")
    _check_times(claims, now)
    jti = claims["jti"]
    if not isinstance(jti, str) or not 0 < len(jti) <= 255:
        raise TokenError("The jti of the assertion must have 1 to 255 characters.")
    return Assertion(claims["sub"], jti, int(_moment(claims, "exp")))


def _choose(keys: Sequence[PublicKey], header: dict[str, Any]) -> PublicKey:
    """Return the key that the header names; its kind decides which algorithm may be used."""
    algorithm, kid = header.get("alg"), header.get("kid")
    if algorithm not in ASSERTION_ALGORITHMS:
        raise TokenError(
            f"The assertion must be signed with {', '.join(ASSERTION_ALGORITHMS)}."
        )
    for key in keys:
        if algorithm in key.algorithms and (kid is None or key.kid in (None, kid)):
            return key
    raise TokenError(NO_FIT)  # the same for clients that don't exist


def _check_times(claims: dict[str, Any], now: float) -> None:
    expires = _moment(claims, "exp")
    if expires <= now - LEEWAY:
        raise TokenError("The assertion has expired.")
    if expires > now + ASSERTION_SECONDS + LEEWAY:
        raise TokenError(
            f"The exp of the assertion may be at most {ASSERTION_SECONDS} seconds ahead."
        )
    for name in ("nbf", "iat"):
        if name in claims and _moment(claims, name) > now + LEEWAY:
            raise TokenError(f"The {name} of the assertion is in the future.")


def _header(text: str) -> dict[str, Any]:
    if len(text) > LONGEST:
        raise TokenError("The token is too long.")
    try:
        return jwt.get_unverified_header(text)
    except (jwt.PyJWTError, ValueError, RecursionError):
        raise TokenError("The token is no JSON Web Token.") from None


def _claims(
    text: str, key: Any, algorithms: Sequence[str], required: Sequence[str]
) -> dict[str, Any]:
    """Return the claims of a token whose signature fits; moments are checked by the caller."""
    options = {
        "require": list(required),
        "verify_signature": True,
        "verify_exp": False,
        "verify_nbf": False,
        "verify_iat": False,
        "verify_aud": False,
        "verify_iss": False,
        "verify_sub": False,
        "verify_jti": False,
    }
    try:
        return jwt.decode(text, key, algorithms=list(algorithms), options=options)
    except jwt.MissingRequiredClaimError as error:
        raise TokenError(f"The token has no claim {error.claim}.") from None
    except (jwt.PyJWTError, ValueError, TypeError, RecursionError):
        raise TokenError(NO_FIT) from None


def _moment(claims: dict[str, Any], name: str) -> float:
    value = claims[name]
    if (
        isinstance(value, bool)
        or not isinstance(value, int | float)
        or not 0 < value < 1e11
    ):
        raise TokenError(f"The {name} of the token must be a number of seconds.")
    return float(value)
