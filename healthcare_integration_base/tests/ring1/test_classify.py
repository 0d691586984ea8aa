# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""What answers and failures mean."""

import asyncio
import socket
import ssl
from datetime import datetime, timezone
from email.utils import format_datetime

import pytest
from hib.protocol import errors
from hib.protocol.classify import (
    RETRY_AFTER_MAX,
    classify_exception,
    classify_status,
    parse_retry_after,
)
from hypothesis import given
from hypothesis import strategies as st

NOW = 1_614_265_330.0


def at(seconds):
    return format_datetime(
        datetime.fromtimestamp(NOW + seconds, tz=timezone.utc), usegmt=True
    )


@pytest.mark.parametrize(
    "value, expected",
    [
        ("120", 120),
        ("120.1", 121),
        ("120.6", 121),
        (at(90), 90),
        ("invalid", None),
        (at(-10), None),
        ("-5", None),
        ("0", None),
        ("", None),
        (None, None),
        ("nan", None),
        ("inf", None),
        ("1e3", None),
        ("1_000", None),
        ("99999999999", RETRY_AFTER_MAX),
        ("9" * 400, None),
        ("Fri, 31 Dec 9999 23:59:59 GMT", RETRY_AFTER_MAX),
        ("Mon, 99 Foo 2021 00:00:00 GMT", None),
    ],
)
def test_retry_after(value, expected):
    """Scenario 12."""
    assert parse_retry_after(value, NOW) == expected


@given(st.text(max_size=60))
def test_random_retry_after_never_fails(value):
    seconds = parse_retry_after(value, NOW)
    assert seconds is None or 0 < seconds <= RETRY_AFTER_MAX


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_success_is_2xx(status):
    outcome = classify_status(status, {}, NOW)
    assert outcome.ok and outcome.error_class is None and outcome.status == status
    assert not (outcome.retryable or outcome.dead or outcome.hold or outcome.disables)


@pytest.mark.parametrize(
    "status, error_class, code",
    [
        (301, "contract", "redirect"),
        (308, "contract", "redirect"),
        (304, "contract", "redirect"),
        (400, "rejected", "http_400"),
        (401, "authentication", "http_401"),
        (403, "authentication", "http_403"),
        (404, "contract", "http_404"),
        (408, "timeout", "http_408"),
        (409, "rejected", "http_409"),
        (410, "gone", "http_410"),
        (415, "contract", "http_415"),
        (422, "rejected", "http_422"),
        (425, "throttled", "http_425"),
        (429, "throttled", "http_429"),
        (500, "server", "http_500"),
        (502, "throttled", "http_502"),
        (503, "server", "http_503"),
        (504, "throttled", "http_504"),
        (599, "server", "http_599"),
        (101, "contract", "http_101"),
    ],
)
def test_classes_of_status(status, error_class, code):
    outcome = classify_status(status, {}, NOW)
    assert (outcome.ok, outcome.error_class.value, outcome.code) == (
        False,
        error_class,
        code,
    )


@given(st.integers(100, 999))
def test_each_failure_means_exactly_one_thing(status):
    outcome = classify_status(status, {}, NOW)
    assert [outcome.ok, outcome.retryable, outcome.dead, outcome.hold].count(True) == 1


def test_retry_after_counts_where_a_retry_comes():
    assert classify_status(503, {"RETRY-AFTER": "7"}, NOW).retry_after == 7
    assert classify_status(429, {"Retry-After": "7"}, NOW).retry_after == 7
    assert classify_status(422, {"Retry-After": "7"}, NOW).retry_after is None
    assert classify_status(503, {}, NOW).retry_after is None


def test_gone_disables_and_holds():
    outcome = classify_status(410, {}, NOW)
    assert outcome.disables and outcome.hold and not outcome.dead


@pytest.mark.parametrize(
    "exc, error_class, code",
    [
        (ConnectionRefusedError(), "transport", "connection_refused"),
        (ConnectionResetError(), "transport", "connection_reset"),
        (BrokenPipeError(), "transport", "connection_reset"),
        (socket.gaierror(-2, "x"), "transport", "dns_failed"),
        (ssl.SSLCertVerificationError(), "transport", "tls_certificate"),
        (ssl.SSLError(), "transport", "tls_failed"),
        (OSError("x"), "transport", "connection_failed"),
        (TimeoutError(), "timeout", "timeout"),
        (asyncio.TimeoutError(), "timeout", "timeout"),
        (errors.TransportError("x", code="bad_answer"), "transport", "bad_answer"),
        (
            errors.TransportError("x", code="timeout", timeout=True),
            "timeout",
            "timeout",
        ),
        (errors.Retryable("x", seconds=9), "server", "temporarily_unavailable"),
        (
            errors.Configuration("x", code="keyring_missing"),
            "configuration",
            "keyring_missing",
        ),
        (errors.Refused("x", rule="loopback"), "contract", "refused_address"),
        (errors.Rejected("x"), "rejected", "rejected"),
        (errors.Permanent("x", code="mapping_failed"), "contract", "mapping_failed"),
        (errors.IntegrationError("x"), "contract", "integration_error"),
        (KeyError("secret"), "contract", "internal_error"),
    ],
)
def test_classes_of_exceptions(exc, error_class, code):
    outcome = classify_exception(exc)
    assert (outcome.ok, outcome.error_class.value, outcome.code) == (
        False,
        error_class,
        code,
    )
    assert outcome.status == 0


def test_the_wait_of_a_retryable_is_kept():
    assert classify_exception(errors.Retryable("x", seconds=9)).retry_after == 9
