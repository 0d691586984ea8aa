# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Odoo 19's source: ODOO_SOURCE, else Debian's package, else a git clone."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

from . import apt, paths, stamps
from .progress import RigError, need_space, run, say, step

STAMP = "odoo-source"
DEBIAN_SUITE = "sid"
# Odoo's package, and the packages its front end links to.
DEBIAN_PACKAGES = (
    "odoo-19",
    "libjs-jquery",
    "libjs-jquery-form",
    "libjs-underscore",
    "fonts-roboto-unhinted",
    "fonts-montserrat",
    "fonts-ocr-b",
)
GIT_URL = "https://github.com/odoo/odoo.git"
BRANCH = "19.0"
# Debian's package lacks this file: without it every browser test fails on a
# console error, as soon as `mail` is installed.
MISSING_FILE = "mail/static/lib/selfie_segmentation/selfie_segmentation.js"


def ensure() -> Path:
    """Return the folder that holds the `odoo` package, fetching it if needed."""
    own = os.environ.get("ODOO_SOURCE")
    if own:
        return _checked(Path(own).expanduser().resolve())
    if stamps.fresh(STAMP, BRANCH):
        return current()
    _fetch()
    stamps.write(STAMP, BRANCH)
    return current()


def current() -> Path:
    """Return the folder that holds the `odoo` package the rig runs."""
    if os.environ.get("ODOO_SOURCE"):
        return Path(os.environ["ODOO_SOURCE"]).expanduser().resolve()
    packaged = _packaged()
    return packaged if _is_odoo_19(packaged) else paths.ODOO_CLONE


def addons_paths(source: Path) -> list[Path]:
    """Return the addons folders of an Odoo source.

    Debian's package has all addons inside `odoo/addons`; its top-level `addons`
    holds stripped copies that must not be used. A git checkout has both.
    """
    inner = source / "odoo" / "addons"
    complete = (inner / "stock" / "__manifest__.py").is_file()
    return [inner] if complete else [source / "addons", inner]


def _packaged() -> Path:
    return paths.ODOO_PACKAGE_ROOT / "usr/lib/python3/dist-packages"


def _is_odoo_19(source: Path) -> bool:
    release = source / "odoo" / "release.py"
    return release.is_file() and bool(
        re.search(r"version_info\s*=\s*\(19,\s*0\b", release.read_text())
    )


def _checked(source: Path) -> Path:
    if _is_odoo_19(source):
        return source
    raise RigError(
        f"ODOO_SOURCE={source} holds no Odoo 19.0 (no odoo/release.py of that version)",
        "point it to a checkout of branch 19.0 of github.com/odoo/odoo, or unset it",
    )


def _fetch() -> None:
    need_space(paths.LOCAL, 4)
    try:
        _from_debian()
    except RigError as reason:
        say(f"Debian's package odoo-19 is not to be had here: {_first_line(reason)}")
        _from_git()


def _first_line(error: RigError) -> str:
    return f"{str(error).splitlines()[0].rstrip(':')} ({error.fix or 'no apt'})"


def _from_debian() -> None:
    with step("Odoo 19 from Debian's package (about 120 MB)"):
        files = apt.fetch(DEBIAN_PACKAGES, DEBIAN_SUITE)
        # unpacked beside, then moved, so that a broken run leaves no half Odoo
        fresh = paths.LOCAL / "odoo-root.new"
        shutil.rmtree(fresh, ignore_errors=True)
        apt.unpack(files, fresh)
        shutil.rmtree(paths.ODOO_PACKAGE_ROOT, ignore_errors=True)
        fresh.rename(paths.ODOO_PACKAGE_ROOT)
        for file in files:
            file.unlink()
    if not _is_odoo_19(_packaged()):
        raise RigError("Debian's package odoo-19 holds no Odoo 19.0")
    _supply_missing_file(_packaged())


def _supply_missing_file(source: Path) -> None:
    file = source / "odoo" / "addons" / MISSING_FILE
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("/* Not in Debian's package: Discuss's background blur. */\n")


def _from_git() -> None:
    url = os.environ.get("ODOO_GIT_URL", GIT_URL)
    if not shutil.which("git"):
        raise RigError("git is not installed", "install git, or set ODOO_SOURCE")
    shutil.rmtree(paths.ODOO_CLONE, ignore_errors=True)
    with step(f"Odoo 19 from a git clone of branch {BRANCH} (about 1 GB)"):
        try:
            run(
                ["git", "clone", "-q", "--depth=1", f"--branch={BRANCH}"]
                + [url, paths.ODOO_CLONE],
                log="git-clone",
                env={"GIT_TERMINAL_PROMPT": "0"},
            )
        except RigError as error:
            raise RigError(
                "Odoo 19 could not be fetched, neither as a Debian package nor by "
                f"git:\n{error}",
                "check the network and the proxy settings, or set ODOO_SOURCE to a "
                "checkout of Odoo's branch 19.0",
            ) from error
    _checked(paths.ODOO_CLONE)
