# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Encryption of secrets and personal data under keys from outside the database.

A token is ``hik1.<key id>.<12-byte nonce><AES-256-GCM ciphertext>``. The key id
is part of the authenticated data, so a token cannot be moved to another key.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
import re
from collections.abc import Mapping
from datetime import datetime, timezone
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from .errors import Configuration, Permanent

MAGIC = b"hik1."
ENVIRONMENT_VARIABLE = "HEALTHCARE_INTEGRATION_KEY"
OPTION, OPTION_FILE, OPTION_HASH = "encryption_key", "encryption_key_file", "hash_key"
KEY_BYTES, NONCE_BYTES = 32, 12

_KEY_ID = re.compile(r"[A-Za-z0-9_-]{1,32}")

MISSING = (
    "This node has no encryption key, so secrets can be neither saved nor read. Make one with "
    "`openssl rand -base64 32`, write `encryption_key = k1:<the result>` into the section "
    "[healthcare_integration] of odoo.conf (or set the environment variable "
    f"{ENVIRONMENT_VARIABLE}=k1:<the result>, or point `{OPTION_FILE}` to a file with that "
    "line) on every node, restart Odoo, and keep a copy of the key apart from the database backups."
)


class Keyring:
    """An ordered set of AES-256 keys; the first encrypts, all decrypt.

    :param keys: key id -> 32 bytes, primary key first
    :param hash_id: id of the key behind ``keyed_hash``; default is the last
        (oldest) one, so that putting a new key first changes no hash
    """

    def __init__(self, keys: Mapping[str, bytes], hash_id: str | None = None):
        self._keys = dict(keys)
        self._hash_id = hash_id or next(reversed(self._keys), None)
        self._derived: dict[str, bytes] = {}
        self._signing: dict[str, bytes] = {}

    @classmethod
    def from_config(
        cls, section: Mapping[str, str], environ: Mapping[str, str]
    ) -> Keyring:
        """Build the key ring of this node; an empty one if no key is set.

        The first source that is set counts: the environment variable, the
        option ``encryption_key``, the file of ``encryption_key_file``.

        :raises Configuration: keyring_invalid or keyring_unreadable, naming
            the source and never the key
        """
        source, entries = _read_source(section, environ)
        keys = _parse_entries(source, entries)
        hash_id = (section.get(OPTION_HASH) or "").strip() or None
        if hash_id and hash_id not in keys:
            raise Configuration(
                f"Option {OPTION_HASH} names a key that is not in {source}",
                code="keyring_invalid",
            )
        return cls(keys, hash_id)

    def __bool__(self) -> bool:
        return bool(self._keys)

    @property
    def primary_id(self) -> str:
        """Id of the key that encrypts. :raises Configuration: keyring_missing"""
        self._require()
        return next(iter(self._keys))

    def encrypt(self, plaintext: bytes, aad: bytes) -> bytes:
        """Return the token of ``plaintext``, bound to the context ``aad``."""
        head = MAGIC + self.primary_id.encode() + b"."
        nonce = os.urandom(NONCE_BYTES)
        cipher = AESGCM(self._keys[self.primary_id])
        return head + nonce + cipher.encrypt(nonce, plaintext, head + aad)

    def decrypt(self, token: bytes, aad: bytes) -> bytes:
        """Return the plaintext.

        :raises Configuration: keyring_missing; key_unknown if this node lacks
            the key (the work is held until it has it)
        :raises Permanent: decryption_failed if the token was changed or
            belongs to another context
        """
        self._require()
        key_id, head, sealed = _split(bytes(token))
        if key_id not in self._keys:
            raise Configuration(
                f"The encryption key {key_id} is not in this node's key ring",
                code="key_unknown",
            )
        nonce, ciphertext = sealed[:NONCE_BYTES], sealed[NONCE_BYTES:]
        try:
            return AESGCM(self._keys[key_id]).decrypt(nonce, ciphertext, head + aad)
        except (InvalidTag, ValueError):
            raise _damaged() from None

    def needs_rewrap(self, token: bytes) -> bool:
        """Return True if the token is not under the primary key."""
        return _split(bytes(token))[0] != self.primary_id

    def rewrap(self, token: bytes, aad: bytes) -> bytes:
        """Return the same plaintext under the primary key."""
        return self.encrypt(self.decrypt(token, aad), aad)

    def keyed_hash(self, value: str, purpose: str) -> str:
        """Return HMAC-SHA256 of ``value`` as 64 hex digits, for equality search.

        The same over key rotation as long as the hash key stays in the ring;
        different for every purpose.
        """
        self._require()
        return hmac.new(
            self._hash_key(purpose), value.encode(), hashlib.sha256
        ).hexdigest()

    def signing_key(self, purpose: str, key_id: str | None = None) -> bytes | None:
        """Return a key to sign with, derived from one of the ring's.

        :param key_id: default is the primary key
        :return: None if the ring has no key of this id
        :raises Configuration: keyring_missing
        """
        chosen = key_id or self.primary_id
        if chosen not in self._keys:
            return None
        name = f"{chosen} {purpose}"
        if name not in self._signing:
            info = b"healthcare-integration signing:" + purpose.encode()
            kdf = HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=info)
            self._signing[name] = kdf.derive(self._keys[chosen])
        return self._signing[name]

    def _hash_key(self, purpose: str) -> bytes:
        if purpose not in self._derived:
            info = b"healthcare-integration keyed hash:" + purpose.encode()
            kdf = HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=info)
            self._derived[purpose] = kdf.derive(self._keys[str(self._hash_id)])
        return self._derived[purpose]

    def _require(self) -> None:
        if not self._keys:
            raise Configuration(MISSING, code="keyring_missing")


def generate() -> str:
    """Return a new entry for the option ``encryption_key``: ``k<yyyymmdd>:<base64>``."""
    today = datetime.now(timezone.utc).strftime("%Y%m%d")
    return f"k{today}:{base64.b64encode(os.urandom(KEY_BYTES)).decode()}"


def _read_source(
    section: Mapping[str, str], environ: Mapping[str, str]
) -> tuple[str, list[str]]:
    if (environ.get(ENVIRONMENT_VARIABLE) or "").strip():
        return f"environment variable {ENVIRONMENT_VARIABLE}", environ[
            ENVIRONMENT_VARIABLE
        ].split(",")
    if (section.get(OPTION) or "").strip():
        return f"option {OPTION}", section[OPTION].split(",")
    if (section.get(OPTION_FILE) or "").strip():
        return f"file of option {OPTION_FILE}", _read_file(section[OPTION_FILE].strip())
    return "", []


def _read_file(path: str) -> list[str]:
    try:
        lines = Path(path).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError, ValueError) as exc:
        raise Configuration(
            f"The file of option {OPTION_FILE} cannot be read ({type(exc).__name__})",
            code="keyring_unreadable",
        ) from None
    return [
        line for line in lines if line.strip() and not line.lstrip().startswith("#")
    ]


def _parse_entries(source: str, entries: list[str]) -> dict[str, bytes]:
    keys: dict[str, bytes] = {}
    for number, entry in enumerate(entries, 1):
        key_id, key = _parse_entry(source, number, entry.strip())
        if key_id in keys:
            raise _invalid(source, number, f"the key id {key_id} is there twice")
        keys[key_id] = key
    return keys


def _parse_entry(source: str, number: int, entry: str) -> tuple[str, bytes]:
    key_id, colon, encoded = entry.partition(":")
    if not colon or not _KEY_ID.fullmatch(key_id):
        raise _invalid(
            source, number, "expected <id>:<base64>, id of letters, digits, - and _"
        )
    try:
        key = base64.b64decode(encoded.strip(), validate=True)
    except (binascii.Error, ValueError):
        raise _invalid(
            source, number, f"the key {key_id} is not valid base64"
        ) from None
    if len(key) != KEY_BYTES:
        raise _invalid(
            source,
            number,
            f"the key {key_id} has {len(key)} bytes instead of {KEY_BYTES}",
        )
    return key_id, key


def _invalid(source: str, number: int, reason: str) -> Configuration:
    return Configuration(
        f"Entry {number} of {source}: {reason}", code="keyring_invalid"
    )


def _split(token: bytes) -> tuple[str, bytes, bytes]:
    """Return (key id, head, nonce + ciphertext) of a token."""
    key_id, dot, sealed = token.removeprefix(MAGIC).partition(b".")
    if not token.startswith(MAGIC) or not dot or len(sealed) < NONCE_BYTES + 16:
        raise _damaged()
    try:
        name = key_id.decode("ascii")
    except UnicodeDecodeError:
        raise _damaged() from None
    if not _KEY_ID.fullmatch(name):
        raise _damaged()
    return name, MAGIC + key_id + dot, sealed


def _damaged() -> Permanent:
    return Permanent(
        "The encrypted value was changed or belongs to another record",
        code="decryption_failed",
    )
