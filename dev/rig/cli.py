# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""The commands behind `make` and the scripts in `dev/`."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys

from . import (
    configuration,
    databases,
    demo,
    odoo_source,
    paths,
    postgres,
    python_env,
    stamps,
    testing,
)
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
    # asked to stop, it stops what it started; a shell's background jobs ignore SIGINT
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.default_int_handler)
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
    os.execv(
        paths.VENV_PYTHON, [str(paths.VENV_PYTHON), str(paths.RUN_ODOO), *arguments]
    )


def createdb(arguments) -> int:
    """`createdb NAME [TEMPLATE]`: copy a template (or any other database)."""
    if len(arguments) not in (1, 2):
        raise RigError("usage: dev/createdb NAME [odoo|suite|demo|DATABASE]")
    source = prepare()
    with stamps.exclusive():
        template = _template(source, *arguments[1:])
    databases.create(arguments[0], template)
    return 0


def _template(source, name: str = "odoo") -> str:
    templates = {
        "odoo": databases.ensure_odoo_template,
        "suite": databases.ensure_suite_template,
        "demo": databases.ensure_demo_template,
    }
    return templates[name](source) if name in templates else name


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


def setup(arguments) -> int:
    """Everything but the server: source, venv, PostgreSQL, template databases."""
    source = prepare()
    with stamps.exclusive():
        databases.ensure_odoo_template(source)
    return 0


def run_demo(arguments) -> int:
    """The main job end to end, with real processes."""
    return demo.scenario(prepare(), arguments)


def run_server(arguments) -> int:
    """A server with demo data and simulated partners, until Ctrl-C."""
    return demo.serve(prepare())


def test(arguments) -> int:
    """All tests; the last line tells how many passed, failed, were skipped."""
    return testing.report(testing.everything(prepare()))


def pytest(arguments) -> int:
    """`pytest [-d DATABASE] PATH [OPTIONS]`: some tests, of any of the three kinds."""
    return testing.selected(prepare(), arguments)


def stop(arguments) -> int:
    """Stop the embedded PostgreSQL."""
    if paths.VENV_PYTHON.exists():
        postgres.stop()
    return 0


def clean(arguments) -> int:
    """Stop the embedded PostgreSQL and remove `.local/` with all databases."""
    if paths.VENV_PYTHON.exists() and not postgres.external():
        postgres.remove()
    shutil.rmtree(paths.LOCAL, ignore_errors=True)
    return 0


def lint(arguments) -> int:
    """The linters of the OCA tool chain upon all files."""
    prepare()
    home = str(paths.LOCAL / "pre-commit")
    return _module(
        "pre_commit", ["run", "--all-files", *arguments], PRE_COMMIT_HOME=home
    )


COMMANDS = {
    "setup": setup,
    "demo": run_demo,
    "run": run_server,
    "test": test,
    "lint": lint,
    "stop": stop,
    "clean": clean,
}


def main(arguments) -> int:
    """`python3 -m dev.rig COMMAND`: what the Makefile calls."""
    if not arguments or arguments[0] not in COMMANDS:
        raise RigError(f"usage: python3 -m dev.rig {'|'.join(COMMANDS)}")
    return COMMANDS[arguments[0]](arguments[1:])
