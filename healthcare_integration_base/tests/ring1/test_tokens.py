# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Access tokens, assertions and public keys."""

import base64
import hmac
import json

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from hib.protocol import jwks, tokens
from hypothesis import given
from hypothesis import strategies as st
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

KEY, NOW, US = b"k" * 32, 1_800_000_000, "urn:uuid:1"
TOKEN = tokens.AccessToken(
    "hic_1", frozenset({"messages:write"}), NOW, NOW + 60, "jti", 7
)
EC, EC384 = (ec.generate_private_key(c()) for c in (ec.SECP256R1, ec.SECP384R1))
RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)


def public(key, **members):
    algorithm = RSAAlgorithm if key is RSA else ECAlgorithm
    return {**algorithm.to_jwk(key.public_key(), as_dict=True), **members}


def read(text, now=NOW, key=KEY, audience=US):
    return tokens.verify(text, audience, {"k1": key}.get, now)


def test_a_token_says_again_what_it_was_made_of():
    assert read(tokens.mint(TOKEN, US, "k1", KEY)) == TOKEN


@pytest.mark.parametrize(
    "changes",
    [{"now": NOW + 60}, {"key": b"x" * 32}, {"key": None}, {"audience": "urn:uuid:2"}],
)
def test_expired_foreign_and_forged_tokens_are_refused(changes):
    with pytest.raises(tokens.TokenError) as caught:
        read(tokens.mint(TOKEN, US, "k1", KEY), **changes)
    assert caught.value.status == 401


def test_other_types_and_algorithms_are_refused():
    claims = jwt.decode(
        tokens.mint(TOKEN, US, "k1", KEY), options={"verify_signature": False}
    )
    for algorithm, typ, key in (
        ("none", "at+jwt", None),
        ("HS512", "at+jwt", KEY * 2),
        ("HS256", "JWT", KEY),
    ):
        text = jwt.encode(claims, key, algorithm, headers={"typ": typ, "kid": "k1"})
        with pytest.raises(tokens.TokenError):
            read(text)


@given(st.text(max_size=200))
def test_any_text_is_a_token_or_refused(text):
    with pytest.raises(tokens.TokenError):
        read(text)


@given(
    st.dictionaries(
        st.sampled_from(["exp", "iat", "aud", "sub", "jti", "iss", "key", "scope"]),
        st.none() | st.booleans() | st.floats() | st.text(max_size=9) | st.just([]),
    )
)
def test_strange_claims_are_read_or_refused(changes):
    claims = {"exp": NOW + 9, "iat": NOW, "aud": US, "iss": US, "sub": "a", "jti": "b"}
    claims = {**claims, **changes}
    parts = [
        base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=")
        for part in ({"alg": "HS256", "typ": "at+jwt", "kid": "k1"}, claims)
    ]
    content = b".".join(parts)
    digest = hmac.digest(KEY, content, "sha256")
    text = (content + b"." + base64.urlsafe_b64encode(digest).rstrip(b"=")).decode()
    try:
        read(text)
    except tokens.TokenError:
        pass


# -- assertions ------------------------------------------------------------------------


def assertion(key=EC, algorithm="ES256", kid=None, **changes):
    claims = {"iss": "c", "sub": "c", "aud": US, "exp": NOW + 60, "jti": "1"}
    claims = {k: v for k, v in {**claims, **changes}.items() if v is not None}
    return jwt.encode(claims, key, algorithm, headers={"kid": kid} if kid else {})


def verify(text, *keys):
    parsed = jwks.parse(json.dumps({"keys": list(keys)}))
    return tokens.verify_assertion(text, parsed, {US}, NOW)


@pytest.mark.parametrize(
    ("key", "algorithm"),
    [(EC, "ES256"), (EC384, "ES384"), (RSA, "RS256"), (RSA, "RS384")],
)
def test_assertions_of_the_four_algorithms_are_verified(key, algorithm):
    found = verify(assertion(key, algorithm), public(key))
    assert found == tokens.Assertion("c", "1", NOW + 60)


def test_the_key_is_chosen_by_its_id():
    keys = (public(EC, kid="a"), public(RSA, kid="b"))
    assert verify(assertion(RSA, "RS256", "b"), *keys)
    for key, algorithm, kid in ((EC, "ES256", "b"), (RSA, "RS256", "c")):
        with pytest.raises(tokens.TokenError):
            verify(assertion(key, algorithm, kid), *keys)


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": "https://elsewhere.example"},
        {"aud": None},
        {"aud": {"a": 1}},
        {"iss": "d"},
        {"jti": None},
        {"jti": "x" * 256},
        {"exp": NOW - 31},
        {"exp": NOW + 331},
        {"exp": True},
        {"nbf": NOW + 31},
        {"iat": NOW + 31},
    ],
)
def test_assertions_with_wrong_claims_are_refused(changes):
    with pytest.raises(tokens.TokenError):
        verify(assertion(**changes), public(EC))


def test_a_key_is_not_used_for_another_algorithm():
    with pytest.raises(tokens.TokenError):
        verify(assertion(RSA, "RS256"), public(RSA, alg="RS384"))


# -- public keys -----------------------------------------------------------------------

WEAK = rsa.generate_private_key(public_exponent=65537, key_size=1024)
P521 = ec.generate_private_key(ec.SECP521R1())


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("x", "no JSON"),
        ("[]", "key set"),
        ('{"keys": []}', "key set"),
        ('{"keys": ["a"]}', "no JSON object"),
        (json.dumps(ECAlgorithm.to_jwk(EC, as_dict=True)), "secret"),
        (json.dumps({"kty": "oct", "k": "AA"}), "secret"),
        (RSAAlgorithm.to_jwk(WEAK.public_key()), "2048"),
        (ECAlgorithm.to_jwk(P521.public_key()), "P-256"),
        (json.dumps(public(EC, use="enc")), "use"),
        (json.dumps(public(EC, alg="RS256")), "alg"),
        (json.dumps({"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"}), "read"),
        (json.dumps({"kty": "RSA"}), "read"),
        (json.dumps({"keys": [public(EC), public(RSA)]}), "kid"),
        (json.dumps({"keys": [public(EC, kid="a"), public(RSA, kid="a")]}), "kid"),
        (" " * 20_001, "longer"),
    ],
)
def test_key_sets_that_are_not_taken_say_why(content, reason):
    with pytest.raises(ValueError, match=reason):
        jwks.parse(content)


@given(st.text(max_size=100))
def test_any_text_is_a_key_set_or_refused(text):
    with pytest.raises(ValueError):
        jwks.parse(text)
