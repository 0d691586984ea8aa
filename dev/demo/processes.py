# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""The processes of a run: Odoo's server and the partners; all are stopped at the end."""

from __future__ import annotations

import contextlib
import json
import re
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from dev.rig import paths

from .report import Failed

#: Lines of the server's log that tell of an error.
_TROUBLE = re.compile(
    r"^Traceback \(most recent call last\)|^\S+ \S+ \d+ (ERROR|CRITICAL) ", re.M
)
STOPPING = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
_direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class PartnerProcess:
    """A running partner and its control API."""

    def __init__(self, name: str, log: Path, port: int = 0) -> None:
        self.name = name
        self.log = log
        self.errors = log.with_suffix(".log")
        log.parent.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-m", f"dev.partners.{name}"]
        with self.errors.open("wb") as stream:
            self.process = subprocess.Popen(
                [*command, "--port", str(port), "--log", str(log)],
                cwd=paths.ROOT,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=stream,
            )
        line = self.process.stdout.readline()
        if not line:
            self.stop()
            raise Failed(f"{name} did not start: {self.errors.read_text()[-500:]}")
        self.url = json.loads(line)["url"]

    def control(self, command: str, **data) -> dict:
        """Give the partner a command; return its answer.

        :raises Failed: the partner cannot
        """
        request = urllib.request.Request(
            f"{self.url}/control/{command}",
            json.dumps(data).encode(),
            {"Content-Type": "application/json"},
        )
        try:
            with _direct.open(request, timeout=40) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            reason = error.read()[:300].decode(errors="replace")
            raise Failed(f"{self.name} cannot {command}: {reason}") from None

    def stop(self, seconds: float = 10.0) -> None:
        """End the partner: asked first, killed when it does not listen."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(seconds)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.process.stdout.close()


def trouble(log: Path) -> list[str]:
    """Return the beginnings of errors and tracebacks in a server's log."""
    text = log.read_text(errors="replace")
    return [
        text[found.start() : found.start() + 300] for found in _TROUBLE.finditer(text)
    ]


@contextlib.contextmanager
def cleaning() -> Iterator[contextlib.ExitStack]:
    """Give a stack that stops what was started, also on a signal."""

    def terminate(number, _frame):
        for ignored in STOPPING:  # a second one must not break off the cleaning up
            signal.signal(ignored, signal.SIG_IGN)
        raise SystemExit(128 + number)

    before = {number: signal.signal(number, terminate) for number in STOPPING}
    try:
        with contextlib.ExitStack() as stack:
            yield stack
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
