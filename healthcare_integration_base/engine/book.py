# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""The book of callers: all that the gate must know of clients, without a query per request.

One frozen object per process, made by ``integration.client._book`` and dropped whenever
something in it changes. It holds hashes, ids and limits, no secret.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from ..protocol.lease import Limit
from ..protocol.netguard import Network, parse_networks

# hik_ (API key) or his_ (OAuth secret), a prefix to find it by, 256 random bits
KEY = re.compile(r"hi([ks])_([a-z0-9]{8})_([A-Za-z0-9_-]{43})")
LETTERS = {"api_key": "k", "client_secret": "s"}


@dataclass(frozen=True)
class Key:
    """An API key or OAuth client secret that is not revoked."""

    id: int
    client_id: int
    kind: str
    key_hash: str
    expires_at: datetime | None


@dataclass(frozen=True)
class Certificate:
    """A certificate that a client may show."""

    client_id: int
    expires_at: datetime | None


@dataclass(frozen=True)
class Caller:
    """An active client of an active user.

    :param scopes: code → ids of the event types it is narrowed to, empty for all
    :param tokens_after: access tokens issued before are void
    :param jwks: its public keys as JSON, empty if it has none
    """

    id: int
    system_id: int
    company_id: int | None
    user_id: int
    oauth_id: str
    expires_at: datetime | None
    scopes: Mapping[str, frozenset[int]]
    networks: tuple[Network, ...]
    limit: Limit | None
    require_signature: bool
    require_certificate: bool
    credential_ids: tuple[int, ...]
    endpoint_ids: frozenset[int]
    tokens_after: datetime | None
    jwks: str

    def is_usable(self, now: datetime) -> bool:
        """Tell whether the client's time is not over at ``now`` (naive UTC)."""
        return self.expires_at is None or self.expires_at > now


@dataclass(frozen=True)
class Book:
    """All callers, and what they are found by."""

    callers: Mapping[int, Caller] = field(default_factory=dict)
    keys: Mapping[str, Key] = field(default_factory=dict)
    key_ids: frozenset[int] = frozenset()
    oauth_ids: Mapping[str, int] = field(default_factory=dict)
    fingerprints: Mapping[str, Certificate] = field(default_factory=dict)
    names: Mapping[str, Certificate] = field(default_factory=dict)

    def caller(self, client_id: int | None, now: datetime) -> Caller | None:
        """Return a client that may call at ``now`` (naive UTC)."""
        caller = self.callers.get(client_id) if client_id else None
        return caller if caller and caller.is_usable(now) else None


def write(env) -> Book:
    """Read all that is active into a book.

    :param env: superuser's environment of a fresh transaction
    """
    clients = env["integration.client"].search([("user_id.active", "=", True)])
    callers = {client.id: _caller(client) for client in clients}
    keys = env["integration.client.key"].search([("client_id", "in", clients.ids)])
    certificates = env["integration.client.certificate"].search(
        [("client_id", "in", clients.ids)]
    )
    by_kind = certificates.grouped("kind")
    return Book(
        callers=callers,
        keys={key.prefix: _key(key) for key in keys},
        key_ids=frozenset(keys.ids),
        oauth_ids={caller.oauth_id: caller.id for caller in callers.values()},
        fingerprints=_certificates(by_kind.get("fingerprint", ())),
        names=_certificates(by_kind.get("name", ())),
    )


def _caller(client) -> Caller:
    limited = client.rate_limit > 0
    return Caller(
        id=client.id,
        system_id=client.system_id.id,
        company_id=client.company_id.id or None,
        user_id=client.user_id.id,
        oauth_id=client.oauth_id,
        expires_at=client.expires_at or None,
        scopes={
            row.scope: frozenset(row.event_type_ids.ids) for row in client.scope_ids
        },
        networks=parse_networks(client.allowed_networks or ""),
        limit=Limit(client.rate_limit, max(1.0, client.rate_burst))
        if limited
        else None,
        require_signature=client.require_signature,
        require_certificate=client.require_certificate,
        credential_ids=tuple(client.credential_ids.ids),
        endpoint_ids=frozenset(client.endpoint_ids.ids),
        tokens_after=client.tokens_after or None,
        jwks=client.jwks or "",
    )


def _key(key) -> Key:
    return Key(key.id, key.client_id.id, key.kind, key.key_hash, key.expires_at or None)


def _certificates(certificates) -> dict[str, Certificate]:
    return {
        one.value: Certificate(one.client_id.id, one.expires_at or None)
        for one in certificates
    }
