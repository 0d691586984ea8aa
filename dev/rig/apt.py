# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Debian packages fetched into a folder of ours: no root, no change to the machine.

apt-get runs with a private state directory whose only source is the machine's
own Debian mirror, with the suite the caller asks for.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from . import paths
from .progress import RigError, run

SOURCES = Path("/etc/apt")
DEFAULT_KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"


def available() -> bool:
    """Tell whether this machine has what fetching Debian packages takes."""
    return bool(shutil.which("apt-get") and shutil.which("dpkg")) and bool(_mirrors())


def fetch(packages, suite: str) -> list[Path]:
    """Download packages of a suite.

    :raises RigError: apt-get failed, or this is no Debian machine
    :returns: the downloaded files
    """
    if not available():
        raise RigError("no apt-get with a Debian mirror on this machine")
    options = _private_state(suite)
    run(["apt-get", *options, "update"], log="apt-update")
    for old in paths.APT.glob("*.deb"):
        old.unlink()
    run(["apt-get", *options, "download", *packages], log="apt-download", cwd=paths.APT)
    return sorted(paths.APT.glob("*.deb"))


def unpack(files, target: Path) -> None:
    """Unpack package files into a folder, without installing them."""
    for file in files:
        run(["dpkg", "-x", file, target], log="dpkg")


def _private_state(suite: str) -> list[str]:
    for folder in ("state/lists/partial", "cache/archives/partial", "etc"):
        (paths.APT / folder).mkdir(parents=True, exist_ok=True)
    status = paths.APT / "state" / "status"
    status.touch()
    source = paths.APT / "etc" / "sources.list"
    source.write_text(_mirrors()[0].format(suite=suite))
    settings = {
        "Dir::State": paths.APT / "state",
        "Dir::State::lists": paths.APT / "state" / "lists",
        "Dir::State::status": status,
        "Dir::Cache": paths.APT / "cache",
        "Dir::Etc::sourcelist": source,
        "Dir::Etc::sourceparts": "/dev/null",
        "APT::Sandbox::User": "",
        "Acquire::Retries": 3,
    }
    return [part for k, v in settings.items() for part in ("-o", f"{k}={v}")]


def _mirrors() -> list[str]:
    """Return source lines with a `{suite}` to fill in, the main mirror first."""
    deb822 = sorted(SOURCES.glob("sources.list.d/*.sources"))
    one_line = [
        SOURCES / "sources.list",
        *sorted(SOURCES.glob("sources.list.d/*.list")),
    ]
    found = [line for file in deb822 for line in _from_deb822(file.read_text())]
    found += [
        line
        for file in one_line
        if file.is_file()
        for line in _from_one_line(file.read_text())
    ]
    return found


def _from_deb822(text: str):
    for paragraph in re.split(r"\n\s*\n", text):
        fields = {
            key.lower(): value.strip()
            for key, value in re.findall(r"^([\w-]+):(.*)$", paragraph, re.M)
        }
        if fields.get("enabled", "yes").lower() in ("no", "false"):
            continue
        if "deb" in fields.get("types", "").split():
            for uri in fields.get("uris", "").split():
                yield from _source_line(uri, fields.get("signed-by", ""))


def _from_one_line(text: str):
    pattern = r"^\s*deb\s+(?:\[([^\]]*)\]\s+)?(\S+)\s+\S+"
    for options, uri in re.findall(pattern, text, re.M):
        signed = re.search(r"signed-by=(\S+)", options)
        yield from _source_line(uri, signed.group(1) if signed else "")


def _source_line(uri: str, keyring: str):
    if not re.search(r"/debian/?$", uri):
        return
    if not keyring.startswith("/"):
        keyring = DEFAULT_KEYRING
    option = f"[signed-by={keyring}] " if Path(keyring).exists() else ""
    yield f"deb {option}{uri} {{suite}} main\n"
