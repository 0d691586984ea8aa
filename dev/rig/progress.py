# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Progress lines with seconds, and the one error the rig reports to people."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

from . import paths


class RigError(Exception):
    """Something is missing or in the way; `fix` says what to do about it."""

    def __init__(self, message: str, fix: str = "") -> None:
        super().__init__(message)
        self.fix = fix


def say(text: str) -> None:
    """Print one line at once, also when the output goes to a file."""
    print(f"[rig] {text}", file=sys.stderr, flush=True)


@contextmanager
def step(title: str):
    """Announce a step and say how long it took."""
    started = time.monotonic()
    say(f"{title} ...")
    yield
    say(f"{title}: {time.monotonic() - started:.1f} s")


def run(argv, *, log: str, env=None, check=True, **kwargs) -> int:
    """Run a command with its output in `.local/logs/<log>.log`.

    :raises RigError: it failed; the message ends with the last lines of the log
    """
    paths.LOGS.mkdir(parents=True, exist_ok=True)
    log_file = paths.LOGS / f"{log}.log"
    with log_file.open("wb") as stream:
        code = subprocess.call(
            [str(part) for part in argv],
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=subprocess.STDOUT,
            env={**os.environ, **(env or {})},
            **kwargs,
        )
    if code and check:
        raise RigError(
            f"{Path(str(argv[0])).name} failed with exit status {code}:\n"
            + tail(log_file),
            f"the whole output is in {log_file}",
        )
    return code


def need_space(folder: Path, gigabytes: int) -> None:
    """Check that a disk has room.

    :raises RigError: it has not
    """
    folder.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(folder).free / 2**30
    if free < gigabytes:
        raise RigError(
            f"only {free:.1f} GB are free on the disk of {folder}, "
            f"{gigabytes} GB are needed",
            "free some space, or set HI_LOCAL to a folder elsewhere",
        )


def tail(log_file: Path, lines: int = 15) -> str:
    """Return the last lines of a log, indented."""
    text = log_file.read_text(errors="replace").splitlines()[-lines:]
    return "\n".join(f"    {line}" for line in text)
