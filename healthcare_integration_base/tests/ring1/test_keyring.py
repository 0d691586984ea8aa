# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""The key ring: sources, encryption bound to its context, rotation, keyed hashes."""

import base64
import re

import pytest
from hib.protocol import keyring
from hib.protocol.errors import Configuration, Permanent
from hib.protocol.keyring import Keyring
from hypothesis import given
from hypothesis import strategies as st

OLD, NEW = b"o" * 32, b"n" * 32
AAD = b"integration.credential,7,secret"


def entry(key_id, key):
    return f"{key_id}:{base64.b64encode(key).decode()}"


def ring(text, **section):
    return Keyring.from_config({"encryption_key": text, **section}, {})


def failure(section, environ=None):
    with pytest.raises(Configuration) as caught:
        Keyring.from_config(section, environ or {})
    return caught.value


@given(st.binary(max_size=500), st.binary(max_size=50))
def test_what_is_encrypted_can_be_read_in_its_context_only(plaintext, aad):
    keys = ring(entry("k1", OLD))
    token = keys.encrypt(plaintext, aad)
    assert keys.decrypt(token, aad) == plaintext
    with pytest.raises(Permanent) as caught:
        keys.decrypt(token, aad + b"x")
    assert caught.value.code == "decryption_failed"


def test_tokens_hide_the_text_and_never_repeat():
    keys = ring(entry("k1", OLD))
    first, second = (
        keys.encrypt(b"whsec_secret", AAD),
        keys.encrypt(b"whsec_secret", AAD),
    )
    assert first != second
    assert first.startswith(b"hik1.k1.") and b"whsec_secret" not in first


@given(st.data())
def test_any_changed_byte_is_noticed(data):
    keys = ring(entry("k1", OLD))
    token = bytearray(keys.encrypt(b"secret", AAD))
    token[data.draw(st.integers(0, len(token) - 1))] ^= data.draw(st.integers(1, 255))
    with pytest.raises((Permanent, Configuration)) as caught:
        keys.decrypt(bytes(token), AAD)
    assert caught.value.code in ("decryption_failed", "key_unknown")


@given(st.binary(max_size=80))
def test_random_bytes_are_no_token(token):
    with pytest.raises((Permanent, Configuration)):
        ring(entry("k1", OLD)).decrypt(token, AAD)


def test_memoryview_from_the_database_is_read():
    keys = ring(entry("k1", OLD))
    assert keys.decrypt(memoryview(keys.encrypt(b"x", AAD)), AAD) == b"x"


def test_rotation_reads_the_old_key_and_writes_the_new_one():
    token = ring(entry("old", OLD)).encrypt(b"secret", AAD)
    both = ring(f"{entry('new', NEW)}, {entry('old', OLD)}")
    assert both.primary_id == "new"
    assert both.needs_rewrap(token) and both.decrypt(token, AAD) == b"secret"
    wrapped = both.rewrap(token, AAD)
    assert not both.needs_rewrap(wrapped)
    assert ring(entry("new", NEW)).decrypt(wrapped, AAD) == b"secret"


def test_a_key_this_node_lacks_holds_the_work():
    token = ring(entry("old", OLD)).encrypt(b"secret", AAD)
    with pytest.raises(Configuration) as caught:
        ring(entry("new", NEW)).decrypt(token, AAD)
    assert caught.value.code == "key_unknown" and "old" in caught.value.message


def test_without_a_key_the_error_tells_how_to_make_one():
    keys = Keyring.from_config({}, {})
    assert not keys
    for use in (
        lambda: keys.encrypt(b"x", AAD),
        lambda: keys.decrypt(b"hik1.k.x", AAD),
        lambda: keys.keyed_hash("x", "mrn"),
        lambda: keys.primary_id,
    ):
        with pytest.raises(Configuration) as caught:
            use()
        assert caught.value.code == "keyring_missing"
    for hint in (
        "openssl rand -base64 32",
        "encryption_key",
        "[healthcare_integration]",
        "odoo.conf",
    ):
        assert hint in keyring.MISSING


def test_generated_keys_are_accepted():
    text = keyring.generate()
    assert re.fullmatch(r"k\d{8}:[A-Za-z0-9+/]{43}=", text)
    assert ring(text).encrypt(b"x", AAD)


def test_environment_comes_before_the_option_and_the_file(tmp_path):
    file = tmp_path / "keys"
    file.write_text(
        f"# keys of node 1\n\n{entry('file', OLD)}\n{entry('older', NEW)}\n"
    )
    section = {"encryption_key_file": str(file)}
    assert Keyring.from_config(section, {}).primary_id == "file"
    section["encryption_key"] = entry("option", OLD)
    assert Keyring.from_config(section, {}).primary_id == "option"
    environ = {"HEALTHCARE_INTEGRATION_KEY": entry("env", OLD)}
    assert Keyring.from_config(section, environ).primary_id == "env"


@pytest.mark.parametrize(
    "text, reason",
    [
        ("c2VjcmV0c2VjcmV0", "<id>:<base64>"),
        ("bad id!:" + base64.b64encode(OLD).decode(), "<id>:<base64>"),
        ("k1:c2VjcmV0*c2VjcmV0", "not valid base64"),
        ("k1:" + base64.b64encode(b"secretsecret").decode(), "12 bytes instead of 32"),
        (f"{entry('k1', OLD)},{entry('k1', NEW)}", "Entry 2 .* twice"),
        (f"{entry('k1', OLD)},", "Entry 2"),
    ],
)
def test_wrong_entries_are_named_without_the_key(text, reason):
    error = failure({"encryption_key": text})
    assert error.code == "keyring_invalid"
    assert re.search(reason, error.message)
    assert "c2VjcmV0" not in error.message and "b29v" not in error.message


def test_a_file_that_cannot_be_read(tmp_path):
    assert (
        failure({"encryption_key_file": str(tmp_path / "none")}).code
        == "keyring_unreadable"
    )
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    assert (
        failure({"encryption_key_file": str(tmp_path / "binary")}).code
        == "keyring_unreadable"
    )
    assert failure({"encryption_key_file": "a\0b"}).code == "keyring_unreadable"


def test_hashes_are_stable_over_rotation_and_differ_by_purpose():
    old = ring(entry("old", OLD)).keyed_hash("MRN-4711", "mrn")
    both = ring(f"{entry('new', NEW)},{entry('old', OLD)}")
    assert re.fullmatch(r"[0-9a-f]{64}", old)
    assert both.keyed_hash("MRN-4711", "mrn") == old
    assert both.keyed_hash("MRN-4711", "ordering") != old
    assert both.keyed_hash("MRN-4712", "mrn") != old


def test_the_hash_key_can_be_named():
    named = ring(f"{entry('new', NEW)},{entry('old', OLD)}", hash_key="new")
    assert named.keyed_hash("x", "mrn") == ring(entry("new", NEW)).keyed_hash(
        "x", "mrn"
    )
    assert (
        failure({"encryption_key": entry("a", OLD), "hash_key": "b"}).code
        == "keyring_invalid"
    )


@given(st.text(max_size=200))
def test_random_options_only_raise_our_error(text):
    try:
        Keyring.from_config({"encryption_key": text}, {})
    except Configuration as exc:
        assert exc.code == "keyring_invalid"
