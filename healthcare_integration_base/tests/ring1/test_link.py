# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
import pytest
from hib.protocol import keyring, link
from hib.protocol.errors import Permanent
from hypothesis import given
from hypothesis import strategies as st

RING = keyring.Keyring({"k1": b"1" * 32})
NUMBER = st.integers(0, 2**63 - 1)


def sign(text):
    return RING.keyed_hash(text, link.PURPOSE)


def refused(token, now=0.0, signer=sign):
    with pytest.raises(Permanent) as caught:
        link.read(token, now, signer)
    return caught.value.status, caught.value.code


@given(NUMBER, NUMBER, st.integers(1, 2**63 - 1))
def test_what_is_written_is_read(attachment, client, expires):
    written = link.Link(attachment, client, expires)
    assert link.read(link.write(written, sign), expires - 1, sign) == written


def test_expired_at_its_last_second():
    token = link.write(link.Link(1, 2, 100), sign)
    assert refused(token, now=100) == (410, "link_expired")


def test_a_foreign_key_makes_no_link():
    other = keyring.Keyring({"k1": b"2" * 32})
    token = link.write(
        link.Link(1, 2, 100), lambda text: other.keyed_hash(text, link.PURPOSE)
    )
    assert refused(token) == (404, "unknown_link")


def test_a_hash_made_for_another_purpose_makes_no_link():
    token = link.write(
        link.Link(1, 2, 100), lambda text: RING.keyed_hash(text, "identifier")
    )
    assert refused(token) == (404, "unknown_link")


@pytest.mark.parametrize("position", range(75))
def test_no_character_can_be_changed(position):
    token = link.write(link.Link(1, 2, 100), sign)
    other = "A" if token[position] != "A" else "B"
    changed = token[:position] + other + token[position + 1 :]
    assert refused(changed) == (404, "unknown_link")


@given(st.text(max_size=100))
def test_anything_else_is_no_link(token):
    assert refused(token) == (404, "unknown_link")
