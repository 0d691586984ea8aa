# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Certificates as proxies tell of them: single headers, and Envoy's X-Forwarded-Client-Cert."""

import datetime
import hashlib
from urllib.parse import quote

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from hib.protocol import client_certificate as certificates
from hib.protocol.gate_settings import GateSettings
from hypothesis import given
from hypothesis import strategies as st

HASH = hashlib.sha256(b"x").hexdigest()
SETTINGS = GateSettings()


@pytest.fixture(scope="module")
def certificate():
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "erp.medline.example")])
    now = datetime.datetime(2026, 1, 1)
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now)
        .not_valid_after(now + datetime.timedelta(days=900))
        .add_extension(
            x509.SubjectAlternativeName([x509.DNSName("edi.medline.example")]), False
        )
        .sign(key, hashes.SHA256())
    )


def pem(certificate):
    return certificate.public_bytes(Encoding.PEM).decode()


def fingerprint(certificate):
    return hashlib.sha256(certificate.public_bytes(Encoding.DER)).hexdigest()


def test_a_certificate_is_read_url_encoded_or_on_one_line(certificate):
    text = pem(certificate)
    bare = "".join(text.split("\n")[1:-2])
    for value in (quote(text), quote(text, safe=""), text.replace("\n", " "), bare):
        found = certificates.read({"X-SSL-Client-Cert": value}, SETTINGS)
        assert found.fingerprint == fingerprint(certificate)
        assert not found.names  # nobody has verified it


def test_names_count_when_the_proxy_has_verified(certificate):
    headers = {
        "X-SSL-Client-Cert": quote(pem(certificate)),
        "X-SSL-Client-Verify": "SUCCESS",
    }
    found = certificates.read(headers, SETTINGS)
    assert {"CN=erp.medline.example", "edi.medline.example"} <= found.names


def test_a_failed_verification_is_no_certificate():
    for word in ("NONE", "FAILED:expired", "success"):
        headers = {
            "X-SSL-Client-Fingerprint": HASH,
            "X-SSL-Client-Verify": word,
        }
        assert certificates.read(headers, SETTINGS) is None


def test_the_nearest_proxy_is_believed():
    header = (
        f'Hash={"0" * 64};Subject="CN=evil",By=x;Hash={HASH};Subject="CN=a,O=\\"b\\""'
    )
    found = certificates.read_xfcc(header)
    assert found.fingerprint == HASH
    assert found.names == {'CN=a,O="b"'}


def test_separators_in_quotes_do_not_separate():
    found = certificates.read_xfcc(f'Subject="CN=a;Hash=1,O=b";Hash={HASH}')
    assert found == certificates.Presented(HASH, frozenset({"CN=a;Hash=1,O=b"}))


def test_the_certificate_of_an_element_gives_its_hash(certificate):
    found = certificates.read_xfcc(f'Cert="{quote(pem(certificate), safe="")}"')
    assert found.fingerprint == fingerprint(certificate)


TEXT = st.text(
    st.characters(min_codepoint=32, max_codepoint=126, exclude_characters='"\\'),
    min_size=1,
    max_size=40,
).filter(lambda text: text == text.strip() and text)


@given(subject=TEXT, before=st.lists(TEXT, max_size=3))
def test_what_a_proxy_writes_is_read_again(subject, before):
    elements = [f'Subject="{text}"' for text in before]
    header = ",".join([*elements, f'Hash={HASH};Subject="{subject}"'])
    found = certificates.read_xfcc(header)
    assert found.fingerprint == HASH
    assert found.names == {certificates.normal_name(subject)}


@given(st.text(max_size=300))
def test_any_header_is_read_without_an_error(header):
    found = certificates.read_xfcc(header)
    assert found is None or found.fingerprint or found.names


@given(st.text(max_size=300))
def test_any_certificate_header_is_read_without_an_error(value):
    certificates.read({"X-SSL-Client-Cert": value}, SETTINGS)


@pytest.mark.parametrize(
    "text",
    [HASH, HASH.upper(), ":".join(HASH[i : i + 2] for i in range(0, 64, 2))]
    + [f"SHA256 Fingerprint={HASH}", f"sha256:{HASH}", f" {HASH} "],
)
def test_fingerprints_are_normalised(text):
    assert certificates.normal_fingerprint(text) == HASH


@pytest.mark.parametrize("text", ["", HASH[:40], HASH + "0", "g" * 64])
def test_what_is_no_sha256_is_none(text):
    assert certificates.normal_fingerprint(text) is None
