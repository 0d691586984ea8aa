# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""TLS contexts."""

import ssl
from pathlib import Path

import pytest
from hib.protocol.errors import Configuration
from hib.transports import tls
from hib.transports.tls import TlsSettings
from loopback import Server, answer, self_signed


def test_defaults():
    context = tls.context()
    assert context.minimum_version == ssl.TLSVersion.TLSv1_2
    assert context.verify_mode == ssl.CERT_REQUIRED and context.check_hostname
    assert tls.context() is context


@pytest.mark.parametrize(
    "settings",
    [
        TlsSettings(ca_pem="nonsense"),
        TlsSettings(certificate_pem="nonsense"),
        TlsSettings(
            certificate_pem="-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----"
        ),
    ],
)
def test_what_is_no_certificate(settings):
    with pytest.raises(Configuration) as caught:
        tls.context(settings)
    assert caught.value.code == "bad_certificate"


def test_client_certificates_leave_no_file(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "private"))
    (tmp_path / "private").mkdir()
    _context, certificate = self_signed(tmp_path, "127.0.0.1")
    pem = (tmp_path / "server.pem").read_text()
    key = pem[pem.index("-----BEGIN PRIVATE") :]
    settings = TlsSettings(ca_pem=certificate, certificate_pem=certificate, key_pem=key)
    assert tls.context(settings)
    assert not list(Path(tmp_path / "private").iterdir())
    assert "PRIVATE" not in repr(settings)


def test_a_client_certificate_is_shown_to_the_partner(tmp_path):
    import ipaddress

    from hib.protocol.netguard import NetworkPolicy
    from hib.transports.http import Request, send_once

    server_context, certificate = self_signed(tmp_path, "127.0.0.1")
    server_context.verify_mode = ssl.CERT_REQUIRED
    server_context.load_verify_locations(cadata=certificate)
    pem = (tmp_path / "server.pem").read_text()
    key = pem[pem.index("-----BEGIN PRIVATE") :]
    policy = NetworkPolicy(False, (ipaddress.ip_network("127.0.0.0/8"),))
    context = tls.context(TlsSettings(certificate, certificate, key))
    with Server(answer(b"mutual"), tls=server_context) as server:
        response = send_once(
            policy, Request("GET", server.url(), tls=context), deadline=20
        )
    assert response.body == b"mutual"
