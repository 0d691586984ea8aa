# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""The virtual environment with Odoo's and our Python requirements."""

from __future__ import annotations

import importlib.util
import os
import platform
import re
import shutil
import subprocess
import sys
from pathlib import Path

from . import apt, paths, stamps
from .progress import RigError, run, step

STAMP = "python"
SUPPORTED = ((3, 10), (3, 13))
ODOO_REQUIREMENTS = paths.ROOT / "dev" / "requirements-odoo.txt"
RIG_REQUIREMENTS = paths.ROOT / "dev" / "requirements-rig.txt"
OUR_REQUIREMENTS = paths.ROOT / "requirements.txt"
DEV_REQUIREMENTS = paths.ROOT / "requirements-dev.txt"
FILES = (ODOO_REQUIREMENTS, RIG_REQUIREMENTS, OUR_REQUIREMENTS, DEV_REQUIREMENTS)


def ensure(source: Path) -> None:
    """Make the virtual environment and install all requirements into it."""
    if _acceptable() and stamps.fresh(STAMP, _key(source)):
        return
    with step("Python requirements into .local/venv"):
        _make_venv()
        _install(["-r", ODOO_REQUIREMENTS, "-r", RIG_REQUIREMENTS])
        _show_odoo_to_python(source)
        _install(["-r", DEV_REQUIREMENTS])
        _install(["--no-deps", "-r", OUR_REQUIREMENTS])
    stamps.write(STAMP, _key(source))


def _key(source: Path) -> str:
    return stamps.key_of(_version(), str(paths.VENV), str(source), *FILES)


def _version() -> str:
    """Return the version of the venv's Python, "" without a venv."""
    settings = paths.VENV / "pyvenv.cfg"
    text = settings.read_text() if settings.exists() else ""
    found = re.search(r"^version\s*=\s*(\S+)", text, re.M)
    return found.group(1) if found else ""


def _acceptable() -> bool:
    """Tell whether there is a venv, of the Python the user named (if one was)."""
    named = "PYTHON" in os.environ and _version() != platform.python_version()
    return paths.VENV_PYTHON.exists() and not named


def _check_version() -> None:
    low, high = SUPPORTED
    if low <= sys.version_info[:2] <= high:
        return
    raise RigError(
        f"Odoo 19 runs with Python 3.10 to 3.13, this is {sys.version.split()[0]}",
        "name another one: make demo PYTHON=python3.12",
    )


def _make_venv() -> None:
    if not (_acceptable() and _runs()):
        _check_version()
        shutil.rmtree(paths.VENV, ignore_errors=True)
        # Debian without python3-venv has venv but no ensurepip
        pip = importlib.util.find_spec("ensurepip") is not None
        command = [sys.executable, "-m", "venv"] + ([] if pip else ["--without-pip"])
        run([*command, paths.VENV], log="venv")
    if not (paths.VENV / "bin" / "uv").exists():
        _pip_install(["--prefer-binary", "uv"])


def _runs() -> bool:
    return subprocess.call([paths.VENV_PYTHON, "-c", ""]) == 0


def _pip() -> list[str]:
    """Return a command that runs a pip upon the venv."""
    if next((paths.VENV / "lib").glob("python3.*/site-packages/pip"), None):
        return [str(paths.VENV_PYTHON), "-m", "pip"]
    if importlib.util.find_spec("pip"):
        return [sys.executable, "-m", "pip", f"--python={paths.VENV_PYTHON}"]
    return [str(paths.VENV_PYTHON), str(_pip_from_debian() / "pip")]


def _pip_from_debian() -> Path:
    """Return Debian's pip wheel, which can be run as it is."""
    target = paths.LOCAL / "pip"
    try:
        apt.unpack(apt.fetch(["python3-pip-whl"], "stable"), target)
        return next(target.glob("usr/share/python-wheels/pip-*.whl"))
    except (RigError, StopIteration) as error:
        raise RigError(
            "this Python has neither ensurepip nor pip",
            "install them: apt-get install python3-venv (or python3-pip)",
        ) from error


def _install(arguments) -> None:
    """Install with uv, which is quick; with pip where uv meets a wall."""
    uv = [paths.VENV / "bin" / "uv", "pip", "install", f"--python={paths.VENV_PYTHON}"]
    if run([*uv, *arguments], log="uv", env=_uv_index(), check=False) == 0:
        return
    _pip_install(arguments)


def _pip_install(arguments) -> None:
    try:
        run([*_pip(), "install", *arguments], log="pip")
    except RigError as error:
        raise RigError(
            "the Python requirements could not be installed: "
            f"{str(error).splitlines()[-1].strip()} (.local/logs/pip.log)",
            "check the network and pip's index settings (pip config list); an old "
            "pip may want apt-get install python3-venv",
        ) from error


def _uv_index() -> dict[str, str]:
    """Return pip's index settings under the names uv reads (it ignores pip's)."""
    names = {
        "global.index-url": "UV_DEFAULT_INDEX",
        "global.extra-index-url": "UV_INDEX",
        "global.cert": "SSL_CERT_FILE",
    }
    listed = subprocess.run(
        [*_pip(), "config", "list"], capture_output=True, text=True, check=False
    ).stdout
    pairs = (line.split("=", 1) for line in listed.splitlines() if "=" in line)
    return {
        names[key]: _web_only(value.strip("'\""))
        for key, value in pairs
        if key in names and names[key] not in os.environ
    }


def _web_only(value: str) -> str:
    """Leave out indexes in folders: uv has no such thing."""
    words = value.replace("\\n", " ").split()
    return " ".join(word for word in words if not word.startswith("file:"))


def _show_odoo_to_python(source: Path) -> None:
    """Make `import odoo` work in the venv, and make pip see an Odoo 19."""
    site = paths.site_packages()
    (site / "odoo_source.pth").write_text(f"{source}\n")
    info = site / "odoo-19.0.dist-info"
    info.mkdir(exist_ok=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: odoo\nVersion: 19.0\n")
    (info / "INSTALLER").write_text("rig\n")
