# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Runs benchmarks one after the other: prints their tables, keeps their figures."""

from __future__ import annotations

import argparse
import importlib
import json
import sys

from dev.rig import paths
from dev.rig.progress import say, step

from . import machine

NAMES = ("capture", "delivery", "inbound", "mapping")
FOLDER = paths.LOCAL / "bench"


def main(arguments: list[str]) -> int:
    """Run the named benchmarks; `--quick` measures little, to see that all works."""
    parser = argparse.ArgumentParser(prog="bench")
    parser.add_argument("names", nargs="*", choices=[*NAMES, []], metavar="name")
    parser.add_argument("--quick", action="store_true", help="small counts, one round")
    options = parser.parse_args(arguments)
    for name in options.names or NAMES:
        with step(f"bench {name}"):
            run(name, options.quick)
    return 0


def run(name: str, quick: bool) -> None:
    """Run one benchmark; write `.local/bench/<name>.json`."""
    module = importlib.import_module(f"bench.{name}")
    before = machine.noise()
    result = module.measure(quick)
    report = {
        "bench": name,
        "quick": quick,
        "machine": machine.description(),
        "noise": {"before": before, "after": machine.noise()},
        **result,
    }
    FOLDER.mkdir(parents=True, exist_ok=True)
    path = FOLDER / f"{name}.json"
    path.write_text(json.dumps(report, indent=2) + "\n")
    print(f"\n{name}: {machine.summary(report)}\n")
    for table in module.tables(report):
        print(table + "\n", flush=True)
    say(
        f"figures in {path.relative_to(paths.ROOT) if path.is_relative_to(paths.ROOT) else path}"
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
