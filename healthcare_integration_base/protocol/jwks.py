# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Public keys of a client (JSON Web Key Set, RFC 7517), for ``private_key_jwt``."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

RSA_BITS = 2048
LONGEST = 20_000
MOST_KEYS = 20
# curve → algorithm; RSA keys do both of RS256 and RS384
_CURVES = {"P-256": ("ES256",), "P-384": ("ES384",)}
_RSA = ("RS256", "RS384")
# Members of private and of symmetric keys (RFC 7518, 6.2.2, 6.3.2 and 6.4)
_PRIVATE = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})


@dataclass(frozen=True)
class PublicKey:
    """One key and the algorithms it verifies."""

    kid: str | None
    algorithms: tuple[str, ...]
    key: ec.EllipticCurvePublicKey | rsa.RSAPublicKey


@lru_cache(maxsize=256)
def parse(text: str) -> tuple[PublicKey, ...]:
    """Read a key set, or a single key.

    :raises ValueError: it is none, or has a key that is private, weak, or of another
        kind than EC P-256, EC P-384 and RSA; never quotes the key
    """
    keys = _keys(text)
    result = tuple(_public_key(number, key) for number, key in enumerate(keys, start=1))
    kids = [key.kid for key in result]
    if len(result) > 1 and (None in kids or len(set(kids)) < len(kids)):
        raise ValueError("Each of several keys needs a kid of its own")
    return result


def _keys(text: str) -> list[Any]:
    if len(text) > LONGEST:
        raise ValueError(f"The key set is longer than {LONGEST} characters")
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        raise ValueError("The key set is no JSON") from None
    keys = content.get("keys", [content]) if isinstance(content, dict) else None
    if not isinstance(keys, list) or not 1 <= len(keys) <= MOST_KEYS:
        raise ValueError(f'A key set is {{"keys": [1 to {MOST_KEYS} keys]}}')
    return keys


def _public_key(number: int, jwk: Any) -> PublicKey:
    if not isinstance(jwk, dict):
        raise ValueError(f"Key {number} is no JSON object")
    if _PRIVATE & jwk.keys():
        raise ValueError(
            f"Key {number} is secret: enter public keys only, and replace this one,"
            " since it has left its owner"
        )
    if jwk.get("use", "sig") != "sig":
        raise ValueError(f"Key {number} is not for signatures (use must be sig)")
    key, algorithms = _material(number, jwk)
    kid = jwk.get("kid")
    if kid is not None and not (isinstance(kid, str) and 0 < len(kid) <= 255):
        raise ValueError(f"The kid of key {number} must be a text")
    return PublicKey(kid, _narrowed(number, jwk.get("alg"), algorithms), key)


def _material(number: int, jwk: dict[str, Any]) -> tuple[Any, tuple[str, ...]]:
    try:
        if jwk.get("kty") == "EC" and jwk.get("crv") in _CURVES:
            return ECAlgorithm.from_jwk(jwk), _CURVES[jwk["crv"]]
        if jwk.get("kty") == "RSA":
            key = RSAAlgorithm.from_jwk(jwk)
            if key.key_size < RSA_BITS:
                raise ValueError(f"Key {number} has less than {RSA_BITS} bits")
            return key, _RSA
    except (jwt.PyJWTError, TypeError, KeyError):
        raise ValueError(f"Key {number} cannot be read") from None
    raise ValueError(f"Key {number} must be EC P-256, EC P-384 or RSA")


def _narrowed(
    number: int, algorithm: Any, algorithms: tuple[str, ...]
) -> tuple[str, ...]:
    if algorithm is None:
        return algorithms
    if algorithm not in algorithms:
        raise ValueError(f"Key {number} has an algorithm (alg) that is not taken")
    return (algorithm,)
