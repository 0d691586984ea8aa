# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Options of ``[healthcare_integration]`` about callers: proxies, limits, lockout, tokens."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass

from .errors import Configuration
from .netguard import Network, parse_networks

_HEADER = re.compile(r"[A-Za-z0-9-]{1,64}")


@dataclass(frozen=True)
class GateSettings:
    """How this node treats callers.

    :param trusted_proxies: whose forwarded headers count
    :param certificate_header: URL-encoded or bare PEM of the client's certificate
    :param fingerprint_header: its SHA-256 fingerprint in hexadecimal digits
    :param subject_header: its subject
    :param verify_header: ``SUCCESS`` if the proxy has verified it
    :param xfcc_header: all of that in Envoy's form
    :param address_rate: requests per second without valid credentials, per address
    :param lockout_failures: failures of one credential in the window that lock it out
    :param lockout_address_failures: failures from one address that lock it out
    """

    trusted_proxies: tuple[Network, ...] = ()
    certificate_header: str = "X-SSL-Client-Cert"
    fingerprint_header: str = "X-SSL-Client-Fingerprint"
    subject_header: str = "X-SSL-Client-S-DN"
    verify_header: str = "X-SSL-Client-Verify"
    xfcc_header: str = "X-Forwarded-Client-Cert"
    address_rate: float = 20.0
    address_burst: float = 200.0
    lockout_failures: int = 10
    lockout_address_failures: int = 30
    lockout_window: int = 300
    lockout_seconds: int = 900
    oauth_token_seconds: int = 600
    access_log_days: int = 90


# option → least and greatest value
_NUMBERS = {
    "address_rate": (0, 1_000_000),
    "address_burst": (1, 1_000_000),
    "lockout_failures": (0, 1_000_000),
    "lockout_address_failures": (0, 1_000_000),
    "lockout_window": (1, 86_400),
    "lockout_seconds": (1, 86_400),
    "oauth_token_seconds": (30, 3_600),
    "access_log_days": (1, 36_500),
}
_HEADERS = {
    "client_certificate_header": "certificate_header",
    "client_fingerprint_header": "fingerprint_header",
    "client_subject_header": "subject_header",
    "client_verify_header": "verify_header",
    "client_xfcc_header": "xfcc_header",
}
OPTIONS = ("trusted_proxies", *_NUMBERS, *_HEADERS)


def parse(options: Mapping[str, str]) -> GateSettings:
    """Read the options; what is not set has its default.

    :raises Configuration: an option has no value it may have; names the option
    """
    values: dict[str, object] = {}
    given = {name: options[name].strip() for name in OPTIONS if options.get(name)}
    for name, text in given.items():
        if name == "trusted_proxies":
            values[name] = _networks(name, text)
        elif name in _NUMBERS:
            values[name] = _number(name, text)
        else:
            values[_HEADERS[name]] = _header(name, text)
    return GateSettings(**values)  # type: ignore[arg-type]


def _networks(name: str, text: str) -> tuple[Network, ...]:
    try:
        return parse_networks(text)
    except ValueError as error:
        raise _invalid(name, str(error)) from None


def _number(name: str, text: str) -> float | int:
    least, most = _NUMBERS[name]
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not least <= number <= most:
        raise _invalid(name, f"must be a number from {least} to {most}")
    return number if name in ("address_rate", "address_burst") else int(number)


def _header(name: str, text: str) -> str:
    if not _HEADER.fullmatch(text):
        raise _invalid(name, "must be the name of a header")
    return text


def _invalid(name: str, what: str) -> Configuration:
    return Configuration(
        f"Option {name} of [healthcare_integration] in odoo.conf: {what}",
        code="invalid_setting",
    )
