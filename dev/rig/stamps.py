# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Stamps: a finished step, and the key of what it was made from."""

from __future__ import annotations

import fcntl
import hashlib
from contextlib import contextmanager
from pathlib import Path

from . import paths

SKIPPED_FOLDERS = {"__pycache__", "tests", "readme", ".git"}


def fresh(name: str, key: str) -> bool:
    """Tell whether step `name` was finished with this very key."""
    stamp = paths.STAMPS / name
    return stamp.is_file() and stamp.read_text() == key


def write(name: str, key: str) -> None:
    """Note that step `name` is finished."""
    paths.STAMPS.mkdir(parents=True, exist_ok=True)
    (paths.STAMPS / name).write_text(key)


def forget(name: str) -> None:
    """Make step `name` run again next time."""
    (paths.STAMPS / name).unlink(missing_ok=True)


def key_of(*parts) -> str:
    """Return a key of texts and of the contents of files."""
    digest = hashlib.sha256()
    for part in parts:
        content = part.read_bytes() if isinstance(part, Path) else str(part).encode()
        digest.update(len(content).to_bytes(8, "big") + content)
    return digest.hexdigest()


def key_of_addons(folders) -> str:
    """Return a key of what an installation of these addons depends on."""
    files = sorted(file for folder in folders for file in _sources(folder))
    return key_of(*(part for file in files for part in (file.as_posix(), file)))


def _sources(folder: Path):
    for file in folder.rglob("*"):
        relative = file.relative_to(folder)
        if file.is_file() and not SKIPPED_FOLDERS.intersection(relative.parts):
            yield file


@contextmanager
def exclusive():
    """Let one rig at a time change `.local/`; others wait their turn."""
    paths.LOCAL.mkdir(parents=True, exist_ok=True)
    with paths.LOCK.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
