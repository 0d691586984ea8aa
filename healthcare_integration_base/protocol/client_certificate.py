# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""The client's certificate as a proxy that ended the TLS connection tells of it.

nginx, HAProxy, Apache and Traefik send single headers; Envoy, Istio and Linkerd send
``X-Forwarded-Client-Cert``. Whether the proxy may be believed is the caller's question.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import unquote

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from .gate_settings import GateSettings

VERIFIED = "SUCCESS"
LONGEST = 16_384
_FINGERPRINT = re.compile(r"[0-9a-f]{64}")
_PEM_HEAD, _PEM_TAIL = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"


@dataclass(frozen=True)
class Presented:
    """What is known of the certificate of a connection.

    :param fingerprint: SHA-256 of its DER, 64 lower-case digits; empty if unknown
    :param names: subject and alternative names; only of a verified certificate
    """

    fingerprint: str = ""
    names: frozenset[str] = frozenset()


def normal_fingerprint(text: str) -> str | None:
    """Return 64 lower-case hexadecimal digits; None if it is no SHA-256 fingerprint.

    Takes colons or spaces between the digits and a prefix as ``openssl x509`` prints it.
    """
    bare = re.sub(r"^sha-?256( fingerprint)?\s*[=:]", "", text.strip().lower())
    bare = re.sub(r"[:\s]", "", bare)
    return bare if _FINGERPRINT.fullmatch(bare) else None


def normal_name(text: str) -> str:
    """Return a subject or alternative name in the form it is compared in.

    The parts of a subject may be separated by commas with or without a space.
    """
    return re.sub(r"\s*,\s*", ",", text.strip())


def read(headers: Mapping[str, str], settings: GateSettings) -> Presented | None:
    """Return the certificate that the proxy's headers tell of.

    :return: None without one, or if the proxy says that it has not verified it
    """
    xfcc = headers.get(settings.xfcc_header, "")
    if xfcc:
        return read_xfcc(xfcc)
    verified = headers.get(settings.verify_header, "").strip()
    if verified and verified != VERIFIED:
        return None
    certificate = _decode(headers.get(settings.certificate_header, ""))
    fingerprint = normal_fingerprint(headers.get(settings.fingerprint_header, ""))
    subject = headers.get(settings.subject_header, "").strip()
    names = {subject} if subject else set()
    if certificate:
        fingerprint = _fingerprint_of(certificate)
        names |= names_of(certificate)
    return _presented(fingerprint, names if verified == VERIFIED else set())


def read_xfcc(header: str) -> Presented | None:
    """Return what the nearest proxy wrote: the last element of the header.

    Elements before it were handed on by proxies further away, or invented by the caller.
    """
    if len(header) > LONGEST:
        return None
    pairs = _pairs(_split(header, ",")[-1])
    certificate = _decode(pairs.get("cert", [""])[0])
    fingerprint = normal_fingerprint(pairs.get("hash", [""])[0])
    if certificate and not fingerprint:
        fingerprint = _fingerprint_of(certificate)
    names = {*pairs.get("subject", ()), *pairs.get("uri", ()), *pairs.get("dns", ())}
    return _presented(fingerprint, names)


def _presented(fingerprint: str | None, names: set[str]) -> Presented | None:
    normal = frozenset(normal_name(name) for name in names if name.strip())
    return Presented(fingerprint or "", normal) if fingerprint or normal else None


def _pairs(element: str) -> dict[str, list[str]]:
    result: dict[str, list[str]] = {}
    for pair in _split(element, ";"):
        key, equals, value = pair.partition("=")
        if equals:
            result.setdefault(key.strip().lower(), []).append(_unquoted(value.strip()))
    return result


def _split(text: str, separator: str) -> list[str]:
    """Split outside of double quotes; a backslash in quotes takes the next character as it is."""
    parts, current, quoted, escaped = [], [], False, False
    for character in text:
        if character == separator and not quoted:
            parts.append("".join(current))
            current = []
            continue
        current.append(character)
        if escaped:
            escaped = False
        elif quoted and character == "\\":
            escaped = True
        elif character == '"':
            quoted = not quoted
    return [*parts, "".join(current)]


def _unquoted(value: str) -> str:
    if len(value) >= 2 and value[0] == value[-1] == '"':
        return re.sub(r"\\(.)", r"\1", value[1:-1])
    return value


# -- certificates --------------------------------------------------------------------


def load(text: str) -> x509.Certificate:
    """Return the certificate of a PEM text.

    :raises ValueError: it is none
    """
    try:
        return x509.load_pem_x509_certificate(text.strip().encode())
    except (ValueError, TypeError) as error:
        raise ValueError("This is no certificate in PEM form") from error


def _decode(value: str) -> x509.Certificate | None:
    """Return the certificate of a header: PEM, URL-encoded or with blanks for line ends."""
    if not value or len(value) > LONGEST:
        return None
    text = unquote(value).strip()
    if text.startswith(_PEM_HEAD) and "\n" not in text:
        body = text.removeprefix(_PEM_HEAD).removesuffix(_PEM_TAIL)
        text = "\n".join([_PEM_HEAD, *body.split(), _PEM_TAIL])
    elif not text.startswith("-"):
        text = f"{_PEM_HEAD}\n{text}\n{_PEM_TAIL}"
    try:
        return load(text)
    except ValueError:
        return None


def _fingerprint_of(certificate: x509.Certificate) -> str:
    return hashlib.sha256(certificate.public_bytes(Encoding.DER)).hexdigest()


def fingerprint_of(text: str) -> str:
    """Return the fingerprint of a PEM text. :raises ValueError: it is no certificate"""
    return _fingerprint_of(load(text))


def names_of(certificate: x509.Certificate) -> set[str]:
    """Return subject (RFC 4514), DNS and URI alternative names."""
    names = {certificate.subject.rfc4514_string()}
    with suppress(x509.ExtensionNotFound, ValueError):
        extension = certificate.extensions.get_extension_for_class(
            x509.SubjectAlternativeName
        )
        for kind in (x509.DNSName, x509.UniformResourceIdentifier):
            names.update(extension.value.get_values_for_type(kind))
    return names - {""}
