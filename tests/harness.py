# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""What whole-system tests are made of: real servers, their database, a clock.

A test takes the fixtures of `conftest.py`:

    def test_it(database, odoo_server, sql):
        server = odoo_server(overrides={"options": {"limit_time_real": 60}})
        admin = server.login()
        admin.call("res.partner", "create", [{"name": "Supplier"}])
        poll(lambda: sql("SELECT 1 FROM res_partner WHERE name = %s", "Supplier"))
        server.kill9()
        server.start()
"""

from __future__ import annotations

import os
import subprocess

import psycopg2
import psycopg2.extras

from dev.rig import databases, paths, postgres
from dev.rig.processes import (  # noqa: F401  re-exported for the tests
    OdooServer,
    Rpc,
    RpcError,
    free_port,
    poll,
    port_is_free,
)


def connect(database: str):
    """Return an autocommit psycopg2 connection to a database of the rig."""
    settings = postgres.settings()
    connection = psycopg2.connect(
        dbname=database,
        host=settings["host"],
        port=settings["port"],
        user=settings["user"],
        password=settings["password"] or None,
    )
    connection.autocommit = True
    return connection


class Sql:
    """Statements upon one database, each committed at once."""

    def __init__(self, database: str) -> None:
        self.connection = connect(database)

    def __call__(self, statement: str, *values) -> list[dict]:
        """Run a statement; return its rows as dictionaries, if it has any."""
        factory = psycopg2.extras.RealDictCursor
        with self.connection.cursor(cursor_factory=factory) as cursor:
            cursor.execute(statement, values or None)
            return [dict(row) for row in cursor] if cursor.description else []

    def value(self, statement: str, *values):
        """Return the first column of the first row, or None."""
        rows = self(statement, *values)
        return next(iter(rows[0].values())) if rows else None

    def close(self) -> None:
        """Close the connection: a database in use is not dropped in good order."""
        self.connection.close()


def run_in_odoo(database: str, source: str, timeout: float = 120.0) -> str:
    """Run Python source in an Odoo shell (`env` is there); return what it printed.

    Nothing is committed unless the source calls `env.cr.commit()`.

    :raises AssertionError: the source raised
    """
    done = subprocess.run(
        [str(paths.VENV_PYTHON), str(paths.RUN_ODOO), "shell", "-d", database]
        + ["--no-http", "--log-level=error", "--shell-interface=python"],
        # a shell reading from a pipe goes on after an error: say so at the end
        input=f"{source}\n",
        env={**os.environ, **databases.odoo_environment()},
        cwd=paths.LOCAL,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
    if done.returncode or "Traceback (most recent call last)" in done.stderr:
        raise AssertionError(f"in Odoo's shell:\n{done.stderr[-4000:]}")
    return done.stdout
