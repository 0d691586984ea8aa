# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Databases: templates, made once, and quick copies of them.

`odoo_template` has Odoo's own modules and queue_job; upon it, `suite_template`
has our addons, and `demo_template` our addons with their demonstration data. A
template's comment tells what it was made from: when that changes, it is made
again.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from pathlib import Path

from . import paths, postgres, stamps
from .progress import RigError, run, step

ODOO_TEMPLATE = "odoo_template"
SUITE_TEMPLATE = "suite_template"
DEMO_TEMPLATE = "demo_template"
ODOO_MODULES = (
    "stock",
    "purchase",
    "account",
    "purchase_stock",
    "sale_stock",
    "product_expiry",
    "queue_job",
)


def exists(name: str) -> bool:
    """Tell whether a database is there."""
    return bool(
        postgres.query(f"SELECT 1 FROM pg_database WHERE datname = {_quoted(name)}")
    )


def create(name: str, template: str = "template0") -> None:
    """Create a database as a copy of a template, with its files.

    :raises RigError: the database exists, or the template does not
    """
    if exists(name):
        raise RigError(f"the database {name} exists", f"dev/dropdb {name}")
    if template != "template0" and not exists(template):
        raise RigError(f"there is no template database {template}")
    _createdb(name, template)
    _link_files(template, name)


def drop(name: str) -> None:
    """Drop a database and its files, if it is there."""
    postgres.query(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
    shutil.rmtree(_filestore(name), ignore_errors=True)


def ensure_odoo_template(source: Path) -> str:
    """Have the template with Odoo's modules; return its name."""
    key = stamps.key_of(str(source), *ODOO_MODULES, (source / "odoo/release.py"))
    _ensure(ODOO_TEMPLATE, key, "template0", ["base", *ODOO_MODULES], demo=False)
    return ODOO_TEMPLATE


def ensure_suite_template(source: Path) -> str:
    """Have the template with our addons; return its name."""
    return _ensure_ours(SUITE_TEMPLATE, source, demo=False)


def ensure_demo_template(source: Path) -> str:
    """Have the template with our addons and their demo data; return its name."""
    return _ensure_ours(DEMO_TEMPLATE, source, demo=True)


def ensure_copy(name: str, template: str) -> bool:
    """Have a database once copied from a template.

    :returns: whether it is new, or was made of what the template is made of now
    """
    if not exists(name):
        create(name, template)
        note(name, template)
        return True
    return comment(name) == comment(template)


def note(name: str, template: str) -> None:
    """Note in a database that it is up to date with a template."""
    postgres.query(f'COMMENT ON DATABASE "{name}" IS {_quoted(comment(template))}')


def _ensure_ours(name: str, source: Path, demo: bool) -> str:
    base = ensure_odoo_template(source)
    addons = paths.addons()
    if not addons:
        raise RigError("there is no addon in this repository yet")
    key = stamps.key_of(comment(base), stamps.key_of_addons(addons))
    _ensure(name, key, base, [folder.name for folder in addons], demo)
    return name


def _ensure(name: str, key: str, template: str, modules: list[str], demo: bool) -> None:
    if exists(name) and comment(name) == key:
        return
    with step(f"database {name}: {', '.join(modules)}"):
        drop(name)
        create(name, template)
        if demo:
            _want_demo_data(name)
        run(
            [paths.VENV_PYTHON, paths.RUN_ODOO, "-d", name, "-i", ",".join(modules)]
            + ["--stop-after-init", "--no-http", "--max-cron-threads=0"],
            log=name,
            env=odoo_environment(),
            cwd=paths.LOCAL,
        )
        _check_installed(name, modules)
        postgres.query(f'COMMENT ON DATABASE "{name}" IS {_quoted(key)}')


def _want_demo_data(name: str) -> None:
    """Let the modules installed next bring their demo data.

    Odoo loads a module's demo data where all it depends on has the flag; Odoo's
    own demo data is not wanted, it takes minutes.
    """
    postgres.query(
        "UPDATE ir_module_module SET demo = true WHERE state = 'installed'", name
    )


def _check_installed(name: str, modules: list[str]) -> None:
    rows = postgres.query(
        "SELECT name FROM ir_module_module WHERE state = 'installed'", name
    )
    missing = sorted(set(modules) - set(rows))
    if missing:
        raise RigError(
            f"not installed in {name}: {', '.join(missing)}",
            f"see {paths.LOGS / name}.log",
        )


def odoo_environment() -> dict[str, str]:
    """Return the environment in which Odoo finds its configuration and PostgreSQL."""
    env = {**postgres.environment(), "PYTHONUNBUFFERED": "1"}
    # Odoo starts itself again as a bare `python`, which is looked up on PATH
    env["PATH"] = f"{paths.VENV_PYTHON.parent}{os.pathsep}{env['PATH']}"
    # the configuration file names the server: PG… variables are for programs
    return {**env, "ODOO_RC": os.environ.get("ODOO_RC", str(paths.CONF))}


def _createdb(name: str, template: str) -> None:
    version = int(postgres.query("SHOW server_version_num")[0])
    # one file copy instead of a log of every page: quicker for our sizes
    strategy = " STRATEGY = FILE_COPY" if version >= 150000 else ""
    sql = f'CREATE DATABASE "{name}" TEMPLATE "{template}"{strategy}'
    deadline = time.monotonic() + 60
    while True:
        try:
            postgres.query(
                sql + (" ENCODING = 'UTF8'" if template == "template0" else "")
            )
            return
        except RigError as error:
            # somebody's connection to the template closes in a moment
            if "being accessed" not in str(error) or time.monotonic() > deadline:
                raise
            time.sleep(0.5)


def _filestore(name: str) -> Path:
    return paths.DATA / "filestore" / name


def _link_files(template: str, name: str) -> None:
    """Give a copied database the template's files (never changed, so linked)."""
    target = _filestore(name)
    shutil.rmtree(target, ignore_errors=True)
    if _filestore(template).is_dir():
        shutil.copytree(_filestore(template), target, copy_function=os.link)


def comment(name: str) -> str:
    """Return the key a database was made from."""
    sql = (
        "SELECT coalesce(shobj_description(oid, 'pg_database'), '') FROM pg_database "
        f"WHERE datname = {_quoted(name)}"
    )
    return "".join(postgres.query(sql))


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def psql(arguments) -> int:
    """Run psql on the rig's server with the caller's terminal."""
    env = {**os.environ, **postgres.environment()}
    return subprocess.call([postgres.bin_folder() / "psql", *arguments], env=env)
