# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Fixtures of the whole-system tests: a database of one's own, real servers upon it."""

from __future__ import annotations

import re

import pytest

from dev.rig import databases, log_scan, odoo_source, stamps
from tests import harness


@pytest.fixture(scope="session")
def suite_template() -> str:
    """The name of the template database with our addons installed."""
    with stamps.exclusive():
        return databases.ensure_suite_template(odoo_source.current())


@pytest.fixture
def database(suite_template, request) -> str:
    """A fresh database with our addons, dropped after the test."""
    name = "t_" + re.sub(r"\W+", "_", request.node.name.lower())[:50]
    databases.drop(name)
    databases.create(name, suite_template)
    yield name
    databases.drop(name)


@pytest.fixture
def sql(database):
    """Statements upon the test's database."""
    statements = harness.Sql(database)
    yield statements
    statements.close()


@pytest.fixture
def odoo_server(database):
    """A function that starts a server upon the test's database; all stop at the end.

    It takes what `OdooServer` takes, and `allow_log`: regular expressions of the
    warnings and errors the test means to cause. Any other fails the test.
    """
    servers = []

    def start(allow_log: tuple[str, ...] = (), **kwargs) -> harness.OdooServer:
        name = f"{database}-{len(servers) + 1}"
        server = harness.OdooServer(database, name=name, **kwargs)
        servers.append((server, allow_log))
        server.log.unlink(missing_ok=True)
        return server.start()

    yield start
    for server, _allowed in servers:
        server.terminate()
    noise = [
        line for server, allowed in servers for line in _noise(server.log, allowed)
    ]
    assert not noise, "unexpected in the server's log:\n" + "\n".join(noise)


def _noise(log, allowed) -> list[str]:
    lines = log_scan.scan(log)
    return [line for line in lines if not any(re.search(a, line) for a in allowed)]
