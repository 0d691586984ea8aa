# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""The commands behind `make` and the scripts in `dev/`."""

from __future__ import annotations

import os
import subprocess
import sys

from . import configuration, databases, odoo_source, paths, postgres, python_env, stamps
from .progress import RigError, say


def prepare():
    """Have Odoo's source, the venv, the database server and the configuration.

    Quick when all is there. :returns: the folder that holds the `odoo` package
    """
    with stamps.exclusive():
        source = odoo_source.ensure()
        python_env.ensure(source)
        postgres.ensure()
        configuration.write(source)
    return source


def guarded(main):
    """Run a command; report what the rig knows about in one line, without traceback."""
    try:
        sys.exit(main(sys.argv[1:]))
    except RigError as error:
        say(f"ERROR: {error}")
        if error.fix:
            say(f"  fix: {error.fix}")
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)


def odoo(arguments) -> int:
    """Run Odoo with our configuration in place of this process."""
    prepare()
    os.environ.update(databases.odoo_environment())
    os.execv(paths.VENV_PYTHON, [str(paths.VENV_PYTHON), str(paths.RUN_ODOO), *arguments])


def createdb(arguments) -> int:
    """`createdb NAME [TEMPLATE]`: copy a template (`odoo`, `suite` or a database)."""
    if len(arguments) not in (1, 2):
        raise RigError("usage: dev/createdb NAME [odoo|suite|DATABASE]")
    source = prepare()
    with stamps.exclusive():
        template = _template(source, *arguments[1:])
    databases.create(arguments[0], template)
    return 0


def _template(source, name: str = "odoo") -> str:
    if name == "odoo":
        return databases.ensure_odoo_template(source)
    if name == "suite":
        return databases.ensure_suite_template(source)
    return name


def dropdb(arguments) -> int:
    """`dropdb NAME...`: drop databases and their files."""
    prepare()
    for name in arguments:
        databases.drop(name)
    return 0


def psql(arguments) -> int:
    """`psql ARGS`: PostgreSQL's own client on the rig's server."""
    prepare()
    return databases.psql(arguments)


def screenshot(arguments) -> int:
    """`screenshot URL OUT.png`: a picture of a page, by headless Chromium."""
    if not paths.VENV_PYTHON.exists():
        prepare()
    return _module("dev.rig.screenshot", arguments)


def _module(name: str, arguments, **env) -> int:
    """Run a module of ours with the venv's Python."""
    environment = {**os.environ, "PYTHONPATH": str(paths.ROOT), **env}
    command = [str(paths.VENV_PYTHON), "-m", name, *map(str, arguments)]
    return subprocess.call(command, env=environment)
