# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""The steps of a run: what was done, whether it came out as it must, how long it took."""

from __future__ import annotations

import dataclasses
import json
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any


class Failed(Exception):
    """A step did not come out as it must."""


class Skipped(Exception):
    """A step cannot be tried, since one it needs failed."""


@dataclasses.dataclass
class Step:
    """One line of the table."""

    name: str
    ok: bool
    detail: str
    seconds: float


class Report:
    """Runs steps and keeps what came of them."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.steps: list[Step] = []

    @property
    def ok(self) -> bool:
        """Tell whether there were steps and each came out as it must."""
        return bool(self.steps) and all(step.ok for step in self.steps)

    def run(self, name: str, action: Callable[[], str]) -> bool:
        """Run a step and print its line; an error fails the step, not the run."""
        started = time.monotonic()
        try:
            ok, detail = True, action()
        except (Failed, Skipped) as error:
            ok, detail = False, str(error)
        except Exception as error:
            ok, detail = False, f"{type(error).__name__}: {error} ({_place(error)})"
        step = Step(name, ok, " ".join(detail.split()), time.monotonic() - started)
        self.steps.append(step)
        self.write()
        print(_line(step), flush=True)
        return ok

    def write(self) -> None:
        """Write the report as it stands."""
        steps = [dataclasses.asdict(step) for step in self.steps]
        for step in steps:
            step["seconds"] = round(step["seconds"], 2)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.write_text(
            json.dumps({"ok": self.ok, "steps": steps}, indent=2) + "\n"
        )

    def table(self) -> str:
        """Return the table: step, result, time."""
        width = max((len(step.name) for step in self.steps), default=4)
        rule = f"+-{'-' * width}-+--------+---------+"
        rows = [
            f"| {step.name:<{width}} | {'ok' if step.ok else 'FAILED':<6} | {step.seconds:5.1f} s |"
            for step in self.steps
        ]
        head = f"| {'step':<{width}} | result |    time |"
        failed = [f"  {step.name}: {step.detail}" for step in self.steps if not step.ok]
        return "\n".join([rule, head, rule, *rows, rule, *failed])


def _line(step: Step) -> str:
    return f"  [{'ok' if step.ok else 'FAILED'}] {step.name} ({step.seconds:.1f} s): {step.detail}"


def _place(error: BaseException) -> str:
    frame = traceback.extract_tb(error.__traceback__)[-1]
    ours = [
        f for f in traceback.extract_tb(error.__traceback__) if "/dev/" in f.filename
    ]
    frame = ours[-1] if ours else frame
    return f"{Path(frame.filename).name}:{frame.lineno}"


def expect(condition: Any, message: str) -> None:
    """Fail the step unless the condition holds."""
    if not condition:
        raise Failed(message)


def until(probe: Callable[[], Any], what: str, seconds: float = 40.0) -> Any:
    """Poll until the probe returns something true, and return that.

    :param what: what is waited for, for the reason of failure
    :raises Failed: it did not happen in time
    """
    deadline = time.monotonic() + seconds
    while True:
        found = probe()
        if found:
            return found
        if time.monotonic() > deadline:
            raise Failed(f"waited {seconds:.0f} s in vain: {what}")
        time.sleep(0.1)
