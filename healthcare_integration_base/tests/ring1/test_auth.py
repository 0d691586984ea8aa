# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Authentication of outgoing requests."""

import base64

import pytest
from hib.protocol import signing
from hib.protocol.errors import Configuration, IntegrationError
from hib.transports import auth
from hib.transports.auth import Credential, HeaderError, check_header
from hypothesis import given
from hypothesis import strategies as st

SECRETS = [signing.generate_secret() for _ in range(3)]


def apply(*credentials, headers=None, body=b"{}"):
    return auth.apply(
        headers or {}, credentials, msg_id="m1", body=body, now=1614265330
    )


def failure(*credentials):
    with pytest.raises(Configuration) as caught:
        apply(*credentials)
    return caught.value


def test_nothing_to_add():
    assert apply() == apply(Credential("none")) == {}


def test_basic():
    value = apply(Credential("basic", username="odoo", secret="pässword:x"))[
        "Authorization"
    ]
    assert base64.b64decode(value.removeprefix("Basic ")).decode() == "odoo:pässword:x"


def test_bearer():
    assert apply(Credential("bearer", secret=b"abc.def")) == {
        "Authorization": "Bearer abc.def"
    }


def test_header():
    assert apply(Credential("header", header_name="X-Api-Key", secret="k v")) == {
        "X-Api-Key": "k v"
    }


def test_all_signing_secrets_make_one_header():
    headers = apply(
        *(Credential("signing_secret", secret=text) for text in SECRETS), body=b"\xff"
    )
    assert (
        headers["webhook-id"] == "m1" and headers["webhook-timestamp"] == "1614265330"
    )
    for text in SECRETS:
        key = signing.parse_secret(text)
        assert signing.verify([key], headers, b"\xff", now=1614265330) == "m1"


def test_signature_and_bearer_together_and_the_given_headers_stay():
    given_headers = {"Content-Type": "application/json"}
    headers = apply(
        Credential("bearer", secret="t"),
        Credential("signing_secret", secret=SECRETS[0]),
        headers=given_headers,
    )
    assert set(headers) == {
        "Content-Type",
        "Authorization",
        "webhook-id",
        "webhook-timestamp",
        "webhook-signature",
    }
    assert given_headers == {"Content-Type": "application/json"}


@pytest.mark.parametrize("kind", ["basic", "bearer", "header", "signing_secret"])
@pytest.mark.parametrize("secret", [None, "", b""])
def test_a_credential_without_secret_holds_the_message(kind, secret):
    error = failure(Credential(kind, username="u", secret=secret, header_name="X-Key"))
    assert error.code == "credential_without_secret"


@pytest.mark.parametrize(
    "credential",
    [
        Credential("basic", username="a:b", secret="x"),
        Credential("basic", username="a\n", secret="x"),
        Credential("bearer", secret="two words"),
        Credential("bearer", secret="a\r\nX: y"),
        Credential("bearer", secret=b"\xff"),
        Credential("header", header_name="Host", secret="x"),
        Credential("header", header_name="X\r\nY", secret="x"),
        Credential("header", header_name=None, secret="x"),
        Credential("header", header_name="X-Key", secret="a\nb"),
    ],
)
def test_credentials_that_would_break_the_request(credential):
    assert failure(credential).code == "bad_credential"


def test_unknown_kinds_are_an_error():
    for kind in ("mtls", "ssh_key", "whatever"):
        assert failure(Credential(kind, secret="x")).code == "unsupported_credential"


def test_a_broken_signing_secret_is_an_error_without_the_secret():
    with pytest.raises(IntegrationError) as caught:
        apply(Credential("signing_secret", secret="whsec_topsecret"))
    assert "topsecret" not in str(caught.value)


def test_secrets_do_not_show_in_tracebacks():
    assert "topsecret" not in repr(Credential("bearer", secret="topsecret"))


@pytest.mark.parametrize(
    "name",
    [
        "Host",
        "content-length",
        "Transfer-Encoding",
        "connection",
        "webhook-id",
        "Webhook-Signature",
        "TE",
        "",
        "a b",
        "a:b",
        "a\n",
        "é",
        "x" * 129,
    ],
)
def test_header_names_that_are_not_allowed(name):
    with pytest.raises(HeaderError):
        check_header(name, "v")


@pytest.mark.parametrize(
    "value", ["", " v", "v ", "a\rb", "a\nb", "a\x00b", "\x7f", "€", "x" * 9_000]
)
def test_header_values_that_are_not_allowed(value):
    with pytest.raises(HeaderError) as caught:
        check_header("X-Key", value)
    assert len(value) < 3 or value not in caught.value.message


def test_header_values_that_are_allowed():
    for value in ("v", "two words", "Zürich", "x" * 8_000):
        check_header("X-Key", value)


@given(st.text(max_size=50), st.text(max_size=50))
def test_random_headers_only_raise_our_error(name, value):
    try:
        check_header(name, value)
    except HeaderError:
        pass
    else:
        assert "\n" not in name + value and "\r" not in name + value
