# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""What this node knows from outside the database: settings, key ring, network policy.

The section ``[healthcare_integration]`` of odoo.conf holds it; an environment variable
``HEALTHCARE_INTEGRATION_<OPTION>`` wins over the option of that name.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping
from configparser import ConfigParser
from contextlib import contextmanager
from functools import lru_cache

from psycopg2.extensions import (
    ISOLATION_LEVEL_READ_COMMITTED,
    ISOLATION_LEVEL_REPEATABLE_READ,
    TRANSACTION_STATUS_IDLE,
)

from odoo import SUPERUSER_ID, api
from odoo.sql_db import Cursor
from odoo.tools import config

from .const import ENVIRONMENTS
from .protocol import gate_settings
from .protocol.errors import Configuration
from .protocol.keyring import ENVIRONMENT_VARIABLE, Keyring
from .protocol.netguard import SETTING_NETWORKS, Network, NetworkPolicy, parse_networks

SECTION = "healthcare_integration"
PREFIX = "HEALTHCARE_INTEGRATION_"
_PREFIX_BYTES = PREFIX.encode()


def settings() -> dict[str, str]:
    """Return the options of this node, read again whenever odoo.conf changes."""
    options = dict(_file_options(*_config_file()))
    options.update(_environment_options(os.environ))
    return options


def _config_file() -> tuple[str, int]:
    path = config.get("config") or ""
    try:
        return path, os.stat(path).st_mtime_ns
    except OSError:
        return "", 0


@lru_cache(maxsize=4)
def _file_options(path: str, _modified: int) -> tuple[tuple[str, str], ...]:
    if not path:
        return ()
    parser = ConfigParser(interpolation=None)
    parser.read(path)
    return tuple(parser[SECTION].items()) if parser.has_section(SECTION) else ()


def _environment_options(environ: Mapping[str, str]) -> dict[str, str]:
    # by bytes: reading all variables as text would cost each request more than the rest
    names = [os.fsdecode(one) for one in os.environb if one.startswith(_PREFIX_BYTES)]
    return {name.removeprefix(PREFIX).lower(): environ[name] for name in names}


def keyring() -> Keyring:
    """Return the key ring of this node; it is empty (falsy) when no key is configured.

    :raises Configuration: a key is malformed or the key file cannot be read
    """
    return _keyring(tuple(sorted(settings().items())))


@lru_cache(maxsize=4)
def _keyring(options: tuple[tuple[str, str], ...]) -> Keyring:
    # settings() made the option "key" of the variable HEALTHCARE_INTEGRATION_KEY.
    section = dict(options)
    return Keyring.from_config(section, {ENVIRONMENT_VARIABLE: section.get("key", "")})


def gate() -> gate_settings.GateSettings:
    """Return how this node treats callers.

    :raises Configuration: an option has no value it may have; names the option
    """
    return _gate(tuple(sorted(settings().items())))


@lru_cache(maxsize=4)
def _gate(options: tuple[tuple[str, str], ...]) -> gate_settings.GateSettings:
    return gate_settings.parse(dict(options))


def network_policy(environment: str) -> NetworkPolicy:
    """Return what connections a system of ``environment`` may have.

    :raises Configuration: ``allowed_networks`` holds something else than networks
    """
    return NetworkPolicy(
        allow_http=environment == "test",
        allowed_networks=_networks(settings().get(SETTING_NETWORKS, "")),
    )


@lru_cache(maxsize=8)
def _networks(text: str) -> tuple[Network, ...]:
    try:
        return parse_networks(text)
    except ValueError as error:
        raise Configuration(
            f"Option {SETTING_NETWORKS} of [{SECTION}] in odoo.conf: {error}",
            code="invalid_setting",
        ) from None


def database_environment() -> str:
    """Return what this database is: production (default), staging or test.

    :raises Configuration: the option ``environment`` holds another word
    """
    value = settings().get("environment") or "production"
    allowed = [code for code, _label in ENVIRONMENTS]
    if value not in allowed:
        raise Configuration(
            f"Option environment of [{SECTION}] in odoo.conf must be one of {', '.join(allowed)}",
            code="invalid_setting",
        )
    return value


def settings_checksum() -> str:
    """Return a short fingerprint of the settings, to compare nodes by."""
    lines = "\n".join(f"{name}={value}" for name, value in sorted(settings().items()))
    return hashlib.sha256(lines.encode()).hexdigest()[:12]


@contextmanager
def autonomous(env: api.Environment) -> Iterator[api.Environment]:
    """Yield an environment (superuser, empty context) in a transaction of its own.

    The transaction is READ COMMITTED, so that claims and counters of concurrent workers do
    not end in serialization failures. It commits at the end, or rolls back and lets the
    exception through. This is the only place that changes the isolation level: on a test
    cursor, which shares its connection, that would undo the test's work.
    """
    with env.registry.cursor() as cr:
        if isinstance(cr, Cursor):
            cr.connection.set_isolation_level(ISOLATION_LEVEL_READ_COMMITTED)
        yield api.Environment(cr, SUPERUSER_ID, {})


@contextmanager
def autocommitted(env: api.Environment) -> Iterator[api.Environment]:
    """Yield an environment whose every statement is a READ COMMITTED transaction of its own.

    Where a request has not read anything yet, its connection lends itself: that saves
    borrowing another one, BEGIN and COMMIT, more than the statement itself costs.
    Otherwise it is ``autonomous``.
    """
    cr = env.cr
    if not isinstance(cr, Cursor) or not _is_idle(cr):
        with autonomous(env) as own:
            yield own
        return
    connection = cr.connection
    # In this order psycopg2 sends nothing to the server: all is as by default meanwhile.
    connection.set_session(isolation_level="DEFAULT", readonly="DEFAULT")
    connection.autocommit = True
    try:
        yield _as_superuser(env)
    finally:
        if not connection.closed:
            connection.autocommit = False
            connection.set_session(ISOLATION_LEVEL_REPEATABLE_READ, readonly=False)


def _as_superuser(env: api.Environment) -> api.Environment:
    plain = env.uid == SUPERUSER_ID and not env.context
    return env if plain else env(user=SUPERUSER_ID, context={})


def _is_idle(cr: Cursor) -> bool:
    # not connection.info: Odoo makes a class for each look at it
    status = cr.connection.get_transaction_status()
    return status == TRANSACTION_STATUS_IDLE and not cr.readonly
