# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""The addons that reception is measured beside, from the package index.

They are kept apart from the rig: in `.local/bench/peers`, libraries and addons for
themselves, so that nothing of theirs is there when our tests run.
"""

from __future__ import annotations

import os
import subprocess
from importlib.metadata import distributions
from pathlib import Path

from dev.rig import databases, paths
from dev.rig.progress import RigError, tail

from . import stage

FOLDER = paths.LOCAL / "bench" / "peers"
ADDONS = FOLDER / "addons" / "odoo" / "addons"
OURS = paths.ROOT / "bench" / "addons"
#: Without their dependencies: those are Odoo itself, or come as libraries.
PACKAGES = (
    "odoo-addon-endpoint>=19.0,<19.1",
    "odoo-addon-endpoint-route-handler>=19.0,<19.1",
    "odoo-addon-rpc-helper>=19.0,<19.1",
    "odoo-addon-fastapi>=19.0,<19.1",
)
LIBRARIES = (
    "fastapi",
    "python-multipart",
    "ujson",
    "a2wsgi>=1.10.6",
    "parse-accept-language",
    "fastapi-openapi-overrides",
)
MODULES = ("bench_inbound", "endpoint", "bench_inbound_fastapi")


def install() -> dict[str, str]:
    """Fetch the peers, unless they are there; return their versions.

    :raises RigError: the package index has no release of one for Odoo 19.0
    """
    if not (FOLDER / "complete").exists():
        _fetch("addons", PACKAGES, "--no-deps")
        _fetch("libs", LIBRARIES)
        (FOLDER / "complete").touch()
    found = distributions(path=[str(FOLDER / "addons"), str(FOLDER / "libs")])
    versions = {one.name.replace("_", "-"): one.version for one in found}
    return {
        name: version
        for name, version in sorted(versions.items())
        if name.startswith("odoo-addon-") or name == "fastapi"
    }


def _fetch(part: str, packages: tuple[str, ...], *options: str) -> None:
    uv = paths.VENV_PYTHON.parent / "uv"
    log = stage.LOGS / f"peers-{part}.log"
    stage.LOGS.mkdir(parents=True, exist_ok=True)
    target = ["--python", str(paths.VENV_PYTHON), "--target", str(FOLDER / part)]
    with log.open("wb") as stream:
        done = subprocess.run(
            [str(uv), "pip", "install", *target, *options, *packages],
            stdout=stream,
            stderr=stream,
            timeout=300,
        )
    if done.returncode:
        raise RigError(f"the peers cannot be fetched:\n{tail(log, 15)}")


def addons_path() -> str:
    """Return the addons path with ours, the benchmarks' and the peers'."""
    lines = paths.CONF.read_text().splitlines()
    line = next(line for line in lines if line.startswith("addons_path"))
    return f"{line.partition('=')[2].strip()},{OURS},{ADDONS}"


def environment() -> dict[str, str]:
    """Return what makes the peers' libraries importable."""
    return {"PYTHONPATH": f"{FOLDER / 'libs'}{os.pathsep}{paths.ROOT}"}


def add_to(database: str) -> None:
    """Install the peers' modules in a database."""
    command = [paths.VENV_PYTHON, paths.RUN_ODOO, "-d", database]
    options = ["-i", ",".join(MODULES), f"--addons-path={addons_path()}"]
    log = stage.LOGS / "install.log"
    with log.open("wb") as stream:
        done = subprocess.run(
            [*map(str, command), *options, "--stop-after-init", "--no-http"]
            + ["--max-cron-threads=0"],
            env={**os.environ, **databases.odoo_environment(), **environment()},
            cwd=Path(paths.LOCAL),
            stdout=stream,
            stderr=stream,
            timeout=300,
        )
    if done.returncode:
        raise RigError(f"the peers cannot be installed:\n{tail(log, 30)}")
