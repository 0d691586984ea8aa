# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Standard Webhooks v1: published vectors, refusals, and the official library as oracle."""

import base64
import json
from datetime import datetime, timezone

import pytest
from hib.protocol import signing
from hib.protocol.signing import SecretError, SignatureError
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

ID_A, TIME_A, BODY_A = (
    "msg_p5jXN8AQM9LWM0D4loKWxJek",
    1614265330,
    b'{"test": 2432232314}',
)
SECRET_A = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
VALID_A = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
OTHER = "v1,Ceo5qEr07ixe2NLpvHk3FH9bwy/WavXrAFQ/9tdO6mc="
KEY_A = signing.parse_secret(SECRET_A)

SECRETS = st.binary(min_size=24, max_size=64)
IDS = st.text(
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-",
    min_size=1,
    max_size=64,
)
TIMES = st.integers(min_value=0, max_value=10**11)


def message(signature=VALID_A, msg_id=ID_A, timestamp=str(TIME_A)):
    headers = {
        "webhook-id": msg_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": signature,
    }
    return {name: value for name, value in headers.items() if value is not None}


def verify(headers=None, body=BODY_A, keys=(KEY_A,), now=TIME_A):
    return signing.verify(keys, headers or message(), body, now=now)


def refusal(*args, **kwargs):
    with pytest.raises(SignatureError) as caught:
        verify(*args, **kwargs)
    return caught.value.code


# -- vectors ---------------------------------------------------------------------


@pytest.mark.parametrize(
    "secret, msg_id, timestamp, body, expected",
    [
        (SECRET_A, ID_A, TIME_A, BODY_A, VALID_A),
        (
            "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD",
            "msg_27UH4WbU6Z5A5EzD8u03UvzRbpk",
            1649367553,
            b'{"email":"test@example.com","username":"test_user"}',
            "v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw=",
        ),
        (
            "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS",
            ID_A,
            TIME_A,
            BODY_A,
            "v1,LVOXivKoo4FWasi/IaHvzhE/u+7/cu2AME+zS/nXqzk=",
        ),
        (
            "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwBr",
            ID_A,
            TIME_A,
            BODY_A,
            "v1,yK2tMbA6BHPrMEJ1lLv7UlJJbgFoqGenJkiajZ29evg=",
        ),
    ],
    ids=["A", "B", "C1", "C2"],
)
def test_vector(secret, msg_id, timestamp, body, expected):
    key = signing.decode_secret(secret)
    assert signing.sign(key, msg_id, timestamp, body) == expected
    headers = message(expected, msg_id, str(timestamp))
    assert signing.verify([key], headers, body, now=timestamp) == msg_id


def test_vector_d_is_a_private_key_and_no_shared_secret():
    for private in (
        "whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kvg==",
        "whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlaaaaaaaaaaAJ6p9lMicMFs6Kvg==",
    ):
        with pytest.raises(SecretError, match="unknown prefix"):
            signing.parse_secret(private)


# -- secrets ---------------------------------------------------------------------


def test_prefix_and_padding_are_optional():
    padded = base64.b64encode(b"k" * 25).decode()
    for text in (
        padded,
        padded.rstrip("="),
        "whsec_" + padded,
        "whsec_" + padded.rstrip("="),
    ):
        assert signing.parse_secret(text) == b"k" * 25


@pytest.mark.parametrize(
    "text, reason",
    [
        ("", "empty"),
        ("whsec_", "empty"),
        ("whsec_===", "empty"),
        ("whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4=", "unknown prefix"),
        ("whsec_not base64 at all, sorry!!!!!!", "base64"),
        ("whsec_AAAAA", "base64"),  # a length that no base64 has
        ("whsec_" + base64.b64encode(b"k" * 23).decode(), "23 bytes"),
        ("whsec_" + base64.b64encode(b"k" * 65).decode(), "65 bytes"),
        ("wh\N{LATIN SMALL LETTER E WITH ACUTE}sec", "base64"),
    ],
)
def test_wrong_secrets_are_refused_with_the_reason(text, reason):
    with pytest.raises(SecretError, match=reason) as caught:
        signing.parse_secret(text)
    assert len(text) < 12 or text[6:] not in str(caught.value)


@pytest.mark.parametrize("size", [24, 64])
def test_limits_of_length_are_inclusive(size):
    assert len(signing.parse_secret(base64.b64encode(b"k" * size).decode())) == size


def test_generated_secrets_are_valid_and_differ():
    first, second = signing.generate_secret(), signing.generate_secret()
    assert first != second and first.startswith("whsec_")
    assert len(signing.parse_secret(first)) == 32


# -- must verify -----------------------------------------------------------------


def test_header_names_in_any_case():
    for change in (str.upper, str.title):
        assert (
            verify({change(name): value for name, value in message().items()}) == ID_A
        )


def test_one_matching_token_among_others():
    for signature in (
        f"{OTHER} v2,Ceo5qEr07ixe2NLpvHk3FH9bwy/WavXrAFQ/9tdO6mc= {VALID_A}",
        f"{VALID_A} {OTHER}",
        f"x {VALID_A}",
        f"v1,a,b {VALID_A}",
        f"v1,!!! {VALID_A}",
        f"v1 , {VALID_A}",
    ):
        assert verify(message(signature)) == ID_A


@pytest.mark.parametrize("offset", [-300, -299, 0, 299, 300])
def test_within_tolerance(offset):
    assert verify(now=TIME_A + offset) == ID_A


# -- must refuse -----------------------------------------------------------------


@pytest.mark.parametrize(
    "signature",
    [
        "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OA=",
        "v1,dawfeoifkpqwoekfpqoekf",
        "v1,",
        VALID_A[:8],
        "v2," + VALID_A[3:],
        VALID_A[3:],
        "v1a" + VALID_A[2:],
        VALID_A + ",",
        VALID_A.replace("=", ""),
        "v1,\N{FULLWIDTH LATIN SMALL LETTER G}" + VALID_A[4:],
        "," * 5_000,
    ],
)
def test_wrong_signatures(signature):
    assert refusal(message(signature)) == "no_matching_signature"


@pytest.mark.parametrize(
    "header", ["webhook-id", "webhook-timestamp", "webhook-signature"]
)
@pytest.mark.parametrize("value", [None, ""])
def test_missing_headers(header, value):
    headers = message()
    if value is None:
        del headers[header]
    else:
        headers[header] = value
    assert refusal(headers) == "missing_header"


@pytest.mark.parametrize(
    "timestamp",
    [
        "hello",
        "1.5",
        "1e9",
        "+1614265330",
        "-1",
        " 1614265330",
        "1_614_265_330",
        "16142653300000",
        "\N{ARABIC-INDIC DIGIT ONE}614265330",
        "0x10",
    ],
)
def test_timestamps_other_than_digits(timestamp):
    assert refusal(message(timestamp=timestamp)) == "bad_timestamp"


@pytest.mark.parametrize("offset", [-301, 301])
def test_out_of_tolerance(offset):
    assert refusal(now=TIME_A + offset) == "timestamp_out_of_tolerance"


@pytest.mark.parametrize("keys", [(), (b"",)])
def test_no_secret(keys):
    assert refusal(keys=keys) == "no_secret"


def test_an_id_with_a_dot_could_stand_for_another_message():
    # "a.1614265330" + "x" and "a" + "1614265330.x" would be signed alike
    with pytest.raises(SignatureError) as caught:
        signing.sign(KEY_A, "a.1614265330", TIME_A, b"x")
    assert caught.value.code == "bad_id"
    assert refusal(message(msg_id="a.b")) == "bad_id"


@pytest.mark.parametrize(
    "msg_id", ["a b", "a\nb", "\N{LATIN SMALL LETTER E WITH ACUTE}", "x" * 256]
)
def test_ids_other_than_visible_ascii(msg_id):
    assert refusal(message(msg_id=msg_id)) == "bad_id"


def test_other_bodies():
    assert refusal(body=BODY_A + b" ") == "no_matching_signature"
    assert refusal(body=b"") == "no_matching_signature"


# -- rotation --------------------------------------------------------------------


def test_all_secrets_sign_and_each_verifies():
    keys = [bytes([number]) * 32 for number in range(3)]
    headers = signing.headers(keys, ID_A, TIME_A, BODY_A)
    assert len(headers["webhook-signature"].split(" ")) == 3
    for key in keys:
        assert verify(headers, keys=[key]) == ID_A
    assert refusal(headers, keys=[b"z" * 32]) == "no_matching_signature"


def test_signing_without_a_secret_is_refused():
    with pytest.raises(SignatureError) as caught:
        signing.headers([], ID_A, TIME_A, BODY_A)
    assert caught.value.code == "no_secret"


# -- against the official library ------------------------------------------------


def oracle(key):
    return Webhook("whsec_" + base64.b64encode(key).decode())


@given(SECRETS, IDS, TIMES, st.text(max_size=200))
def test_signs_like_the_official_library(key, msg_id, timestamp, body):
    moment = datetime.fromtimestamp(timestamp, tz=timezone.utc)
    expected = oracle(key).sign(msg_id, moment, body)
    assert signing.sign(key, msg_id, timestamp, body.encode()) == expected


def test_official_library_verifies_what_we_sign():
    now = int(datetime.now(timezone.utc).timestamp())
    body = json.dumps({"ward": "Zürich"}, ensure_ascii=False).encode()
    headers = signing.headers([b"q" * 24, KEY_A], ID_A, now, body)
    assert Webhook(SECRET_A).verify(body, headers) == {"ward": "Zürich"}
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET_A).verify(body + b" ", headers)


@given(SECRETS, IDS, TIMES, st.binary(max_size=300))
def test_any_bytes_survive_the_round_trip(key, msg_id, timestamp, body):
    headers = signing.headers([key], msg_id, timestamp, body)
    assert signing.verify([key], headers, body, now=timestamp) == msg_id


@given(SECRETS, st.binary(min_size=1, max_size=100), st.data())
def test_one_changed_byte_is_refused(key, body, data):
    headers = signing.headers([key], ID_A, TIME_A, body)
    place = data.draw(st.integers(0, len(body) - 1))
    changed = bytearray(body)
    changed[place] ^= data.draw(st.integers(1, 255))
    assert refusal(headers, body=bytes(changed), keys=[key]) == "no_matching_signature"


@given(st.text(max_size=120), st.text(max_size=30), st.text(max_size=60))
def test_random_headers_only_raise_our_error(signature, timestamp, msg_id):
    with pytest.raises(SignatureError):
        verify(message(signature, msg_id, timestamp))


@given(st.text(max_size=120))
def test_random_secrets_only_raise_our_error(text):
    try:
        assert 24 <= len(signing.parse_secret(text)) <= 64
    except SecretError:
        pass
