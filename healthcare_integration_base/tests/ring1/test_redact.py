# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""What is stored and shown of foreign headers and bodies."""

import pytest
from hib.protocol.redact import MASK, redact_headers, safe_text
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    "name",
    [
        "Authorization",
        "proxy-authorization",
        "Cookie",
        "SET-COOKIE",
        "webhook-signature",
        "X-API-Key",
        "X-Auth-Token",
        "X-Client-Secret",
        "X-Hub-Signature-256",
        "apikey",
        "X-Partner-Password",
        "Ocp-Apim-Subscription-Key",
        "X-Functions-Key",
    ],
)
def test_sensitive_headers_are_masked(name):
    assert redact_headers({name: "s3cr3t"}) == {name: MASK}


@pytest.mark.parametrize(
    "name",
    [
        "Content-Type",
        "webhook-id",
        "webhook-timestamp",
        "Retry-After",
        "Date",
        "X-Request-Id",
        "Idempotency-Key",
    ],
)
def test_others_are_kept(name):
    assert redact_headers({name: "v"}) == {name: "v"}


def test_the_given_headers_are_not_changed():
    headers = {"Authorization": "Bearer x"}
    redact_headers(headers)
    assert headers == {"Authorization": "Bearer x"}


@given(st.binary(max_size=500), st.integers(0, 200))
def test_any_bytes_become_storable_text(data, limit):
    text = safe_text(data, limit)
    assert len(text) <= limit
    assert "\x00" not in text
    text.encode("utf-8")


def test_text_is_kept():
    assert (
        safe_text("Zürich\n\t\N{GRINNING FACE}".encode(), 100)
        == "Zürich\n\t\N{GRINNING FACE}"
    )
    assert safe_text("Zürich".encode("latin-1"), 100) == "Z\ufffdrich"
    assert safe_text(b"a\x00b\x1bc", 100) == "a\ufffdb\ufffdc"
    assert safe_text(b"x" * 100, 10) == "x" * 10
