# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""What a benchmark runs upon: a database of its own, a process inside Odoo, a receiver."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from dev.rig import databases, paths
from dev.rig.processes import port_is_free
from dev.rig.progress import RigError, tail

PORTS = range(8271, 8280)
LOGS = paths.LOCAL / "bench" / "logs"
_direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@contextlib.contextmanager
def database(name: str, template: str = databases.SUITE_TEMPLATE) -> Iterator[str]:
    """Give a fresh copy of a template; it is dropped afterwards."""
    databases.drop(name)
    databases.create(name, template)
    try:
        yield name
    finally:
        databases.drop(name)


def port() -> int:
    """Return a free loopback port of our range.

    :raises RigError: all are taken
    """
    for number in PORTS:
        if port_is_free(number):
            return number
    raise RigError(f"ports {PORTS[0]} to {PORTS[-1]} are taken")


class _Child:
    """A process of ours that is stopped at the end."""

    def __init__(
        self, name: str, *arguments: str, env: dict[str, str] | None = None, **streams
    ) -> None:
        LOGS.mkdir(parents=True, exist_ok=True)
        self.log = LOGS / f"{name}.log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [str(paths.VENV_PYTHON), "-B", "-m", *arguments],
                env={**os.environ, "PYTHONPATH": str(paths.ROOT), **(env or {})},
                cwd=paths.LOCAL,  # never where a folder is named odoo
                stderr=log,
                text=True,
                **{"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, **streams},
            )

    def __enter__(self):
        return self

    def __exit__(self, *exc) -> None:
        for stream in (self.process.stdin, self.process.stdout):
            if stream:
                stream.close()
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def answer(self) -> dict:
        """Return the next line the process prints.

        :raises RigError: it ended
        """
        line = self.process.stdout.readline()
        if not line:
            raise RigError(f"{self.log.stem} ended:\n{tail(self.log, 30)}")
        return json.loads(line)


class Inside(_Child):
    """A process with an Odoo registry; its functions are called by name."""

    def __init__(
        self,
        name: str,
        purpose: str,
        addons_path: str = "",
        env: dict[str, str] | None = None,
    ) -> None:
        arguments = ["bench.inside", name, purpose, addons_path]
        super().__init__(
            f"{name}-{purpose}", *arguments, env=env, stdin=subprocess.PIPE
        )
        self.answer()

    def __call__(self, function: str, **arguments):
        """Call a function of the process's module; each call is a transaction of its own.

        :raises RigError: it raised
        """
        self.process.stdin.write(json.dumps([function, arguments]) + "\n")
        self.process.stdin.flush()
        answer = self.answer()
        if "error" in answer:
            raise RigError(f"{function}: {answer['error']}")
        return answer["result"]


class Receiver(_Child):
    """The partner: answers 200 at once and remembers when what came."""

    def __init__(self) -> None:
        super().__init__("receiver", "bench.receiver", str(port()))
        self.url = self.answer()["url"]

    def ask(self, command: str, **query):
        """Return what the receiver answers to a command."""
        parts = "&".join(f"{key}={value}" for key, value in query.items())
        with _direct.open(
            f"{self.url}/control/{command}?{parts}", timeout=180
        ) as answer:
            return json.load(answer)

    def reset(self) -> None:
        """Forget what came."""
        self.ask("reset")

    def count(self) -> int:
        """Return how many requests came."""
        return self.ask("count")

    def arrivals(self, number: int, seconds: float) -> list[dict]:
        """Wait for so many requests; return `{"at", "path", "id", "verified"}` of all.

        :raises RigError: they do not come in time
        """
        if not self.ask("wait", count=number, seconds=seconds):
            raise RigError(
                f"only {self.count()} of {number} came within {seconds:.0f} s"
            )
        return self.ask("arrivals")

    def keep(self, path: Path) -> None:
        """Write the requests, headers and bodies, to a file for the raw client."""
        self.ask("keep", path=path)


def rate(arrivals: list[dict]) -> float:
    """Return the requests per second between the first and the last."""
    times = [one["at"] for one in arrivals]
    return (len(times) - 1) / (max(times) - min(times))
