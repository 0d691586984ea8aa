# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""TLS contexts: TLS 1.2 or newer, the system's authorities, or those of one partner."""

from __future__ import annotations

import os
import ssl
import tempfile
from dataclasses import dataclass, field
from functools import lru_cache

from ..protocol.errors import Configuration


@dataclass(frozen=True)
class TlsSettings:
    """What differs from the system's defaults; hashable, so contexts are cached by it.

    :param ca_pem: certificates to trust instead of the system's, such as a
        partner's self-signed one
    :param certificate_pem: client certificate (with its chain) for mutual TLS
    :param key_pem: its private key
    """

    ca_pem: str | None = None
    certificate_pem: str | None = None
    key_pem: str | None = field(default=None, repr=False)


DEFAULTS = TlsSettings()


@lru_cache(maxsize=256)
def context(settings: TlsSettings = DEFAULTS) -> ssl.SSLContext:
    """Return the context for outgoing connections; made once per settings.

    :raises Configuration: bad_certificate
    """
    try:
        result = ssl.create_default_context(cadata=settings.ca_pem or None)
        result.minimum_version = ssl.TLSVersion.TLSv1_2
        if settings.certificate_pem:
            _load_client_certificate(result, settings)
    except (ssl.SSLError, ValueError, OSError):
        raise Configuration(
            "The certificate or its key cannot be read", code="bad_certificate"
        ) from None
    return result


def _load_client_certificate(result: ssl.SSLContext, settings: TlsSettings) -> None:
    # OpenSSL reads keys from files only: private, and gone at once
    with tempfile.TemporaryDirectory(prefix="hib-tls-") as folder:
        path = os.path.join(folder, "pair.pem")
        with open(
            os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w"
        ) as file:
            file.write(f"{settings.certificate_pem}\n{settings.key_pem or ''}\n")
        # an encrypted key must fail, not ask at the terminal
        result.load_cert_chain(path, password=lambda: b"")
