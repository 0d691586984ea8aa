# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""How a partner tells that a request is ours, with the standard's official library."""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Mapping

from standardwebhooks.webhooks import Webhook, WebhookVerificationError


def signed_by(secrets: Iterable[str], headers: Mapping[str, str], body: bytes) -> bool:
    """Tell whether one of the secrets signed the request (Standard Webhooks, `v1`).

    The library raises others than its own error for malformed tokens and bodies
    that are not UTF-8: none of them is a valid signature.
    """
    plain = {name.lower(): value for name, value in headers.items()}
    return any(_verifies(secret, plain, body) for secret in secrets)


def _verifies(secret: str, headers: dict[str, str], body: bytes) -> bool:
    try:
        Webhook(secret).verify(body, headers, json_parse=False)
    except (WebhookVerificationError, ValueError, RuntimeError):
        return False
    return True


def has_bearer(token: str, headers: Mapping[str, str]) -> bool:
    """Tell whether the request carries the token as bearer."""
    given = headers.get("Authorization", "")
    return hmac.compare_digest(given.encode(), f"Bearer {token}".encode())
