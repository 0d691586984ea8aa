# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Chromium for browser tests and screenshots: the one on PATH, else apt-get as root."""

from __future__ import annotations

import os
import shutil

from .progress import RigError, run, say, step

NAMES = ("google-chrome", "chromium", "chromium-browser", "google-chrome-stable")
FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--no-default-browser-check",
    "--hide-scrollbars",
)


def find() -> str | None:
    """Return the path of a Chromium on PATH, under the names Odoo looks for."""
    return next(filter(None, map(shutil.which, NAMES)), None)


def ensure() -> str | None:
    """Return a Chromium, installing it as root; None (and a line why) without one."""
    if find():
        return find()
    reason = _why_not_installable() or _install()
    if reason:
        say(f"no Chromium: browser tests will be skipped ({reason})")
    return find()


def required() -> str:
    """Return a Chromium.

    :raises RigError: there is none
    """
    path = ensure()
    if not path:
        raise RigError("there is no Chromium", "as root: apt-get install chromium")
    return path


def _why_not_installable() -> str | None:
    if not shutil.which("apt-get"):
        return "none on PATH, and no apt-get to install it with"
    if os.geteuid() != 0:
        return "none on PATH; as root: apt-get install chromium"
    return None


def _install() -> str | None:
    env = {"DEBIAN_FRONTEND": "noninteractive"}
    install = ["apt-get", "install", "-y", "-q", "--no-install-recommends", "chromium"]
    with step("Chromium"):
        run(["apt-get", "update", "-q"], log="chromium-update", env=env, check=False)
        code = run(install, log="chromium", env=env, check=False)
    return (
        "apt-get install chromium failed, see .local/logs/chromium.log"
        if code
        else None
    )
