# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""What this node knows from outside the database: settings, key ring, network policy.

The section ``[healthcare_integration]`` of odoo.conf holds it; an environment variable
``HEALTHCARE_INTEGRATION_<OPTION>`` wins over the option of that name.
"""

from __future__ import annotations

import atexit
import hashlib
import os
from collections import defaultdict
from collections.abc import Iterator, Mapping
from configparser import ConfigParser
from contextlib import contextmanager, suppress
from functools import lru_cache

import psycopg2
from psycopg2.extensions import (
    ISOLATION_LEVEL_READ_COMMITTED,
    ISOLATION_LEVEL_REPEATABLE_READ,
)
from psycopg2.pool import PoolError

from odoo import SUPERUSER_ID, api
from odoo.modules import module
from odoo.sql_db import BaseCursor, Cursor
from odoo.tools import config

from .const import ENVIRONMENTS
from .protocol import gate_settings
from .protocol.errors import Configuration
from .protocol.keyring import ENVIRONMENT_VARIABLE, Keyring
from .protocol.netguard import SETTING_NETWORKS, Network, NetworkPolicy, parse_networks

SECTION = "healthcare_integration"
PREFIX = "HEALTHCARE_INTEGRATION_"
_PREFIX_BYTES = PREFIX.encode()
# Connections a process keeps for single statements, of each database.
MOST_KEPT = 4


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
def autocommitted(env: api.Environment) -> Iterator[BaseCursor]:
    """Yield a cursor whose every statement is a READ COMMITTED transaction of its own.

    A few connections are kept for it from request to request. Odoo's pool discards what a
    connection knows whenever it is lent: then the checks of each foreign key are planned
    anew for each message, which takes longer than storing it. Nothing but plain statements
    may go through it: who begins something that lasts would leave it to the next request.
    """
    if module.current_test or not isinstance(env.cr, Cursor):
        with autonomous(env) as own:
            yield own.cr
        return
    kept = _kept[os.getpid(), env.cr.dbname]
    cr = _next_kept(kept) or _autocommitting(env.registry.cursor())
    try:
        yield cr
    except BaseException:
        _give_back(cr)
        raise
    if len(kept) < MOST_KEPT:
        kept.append(cr)
    else:
        _give_back(cr)


# process and database -> cursors nobody uses at the moment
_kept: defaultdict[tuple[int, str], list[Cursor]] = defaultdict(list)


def _next_kept(kept: list[Cursor]) -> Cursor | None:
    """Take a cursor whose connection is open: dropping a database closes all of them."""
    while kept:
        try:
            cr = kept.pop()
        except IndexError:  # another thread was quicker
            return None
        if not cr.connection.closed:
            return cr
    return None


def _autocommitting(cr: Cursor) -> Cursor:
    # In this order psycopg2 sends nothing to the server.
    cr.connection.set_session(isolation_level="DEFAULT", readonly="DEFAULT")
    cr.connection.autocommit = True
    return cr


def _give_back(cr: Cursor) -> None:
    """Return a cursor's connection to the pool, as the pool lends it."""
    with suppress(psycopg2.Error, PoolError):
        if not cr.connection.closed:
            cr.connection.autocommit = False
            cr.connection.set_session(ISOLATION_LEVEL_REPEATABLE_READ, readonly=False)
        cr.close()


@atexit.register
def _give_all_back() -> None:
    for (pid, _database), kept in _kept.items():
        while pid == os.getpid() and kept:
            _give_back(kept.pop())
