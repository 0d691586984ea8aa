# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""``python -m dev.demo``: run the scenario upon a database that has the addons installed."""

from __future__ import annotations

import argparse
import os
import sys
import time
from contextlib import ExitStack
from pathlib import Path

from dev.rig import paths
from dev.rig import processes as rig
from dev.rig.progress import RigError

from . import people
from .desk import World
from .fabric import Configurator
from .processes import PartnerProcess, cleaning, trouble
from .report import Report, expect
from .rpc import User
from .scenario import Scenario

PARTNERS = ("supplier_network", "finance", "logistics")


def main() -> int:
    """Run the scenario; return the exit status."""
    options = _options()
    started = time.monotonic()
    _clear(options.folder)
    report = Report(options.folder / "report.json")
    log = options.folder / "odoo.log"
    print(
        f"Healthcare Integration, the main job end to end (database {options.database})"
    )
    with cleaning() as stack:
        server = rig.OdooServer(
            options.database, port=options.port, name="odoo", folder=options.folder
        )
        stack.callback(server.terminate)
        _run(report, server, stack, options.folder)
        # before the server is told to stop: that breaks off whatever is under way
        report.run("the server's log tells of no error", lambda: _check_log(log))
    print(
        f"\n{report.table()}\n\n{time.monotonic() - started:.0f} s; report: {report.path}"
    )
    return 0 if report.ok else 1


def _options() -> argparse.Namespace:
    environ = os.environ.get
    parser = argparse.ArgumentParser(prog="python -m dev.demo", description=__doc__)
    parser.add_argument("--database", default=environ("HI_DB", "demo"))
    parser.add_argument(
        "--port", type=int, default=int(environ("HI_HTTP_PORT", "0")) or None
    )
    folder = environ("HI_DEMO_FOLDER", str(paths.LOCAL / "demo"))
    parser.add_argument(
        "--folder", type=Path, default=Path(folder), help="of logs and report"
    )
    return parser.parse_args()


def _clear(folder: Path) -> None:
    """Remove what an earlier run left."""
    folder.mkdir(parents=True, exist_ok=True)
    for old in (
        *folder.glob("*.jsonl"),
        *folder.glob("*.log"),
        *folder.glob("calls/*.jsonl"),
    ):
        old.unlink()
    (folder / "report.json").unlink(missing_ok=True)


def _run(
    report: Report, server: rig.OdooServer, stack: ExitStack, folder: Path
) -> None:
    partners: dict[str, PartnerProcess] = {}
    world: list[World] = []

    def start() -> str:
        server.launch()
        for name in PARTNERS:
            partners[name] = PartnerProcess(name, folder / f"{name}.jsonl")
            stack.callback(partners[name].stop)
        server.wait_ready()
        return (
            f"{server.url}; {', '.join(f'{p.name} {p.url}' for p in partners.values())}"
        )

    def set_up() -> str:
        world.append(_world(server, partners))
        return f"{len(people.GROUPS)} users, {len(partners)} systems"

    if report.run("server and partners started", start) and report.run(
        "connected", set_up
    ):
        Scenario(world[0]).run(report)


def _world(server: rig.OdooServer, partners: dict[str, PartnerProcess]) -> World:
    admin = User(server.url, server.database, "admin", "admin")
    company, users = people.set_up(admin)
    # orders go to approved suppliers only: one of the two suppliers is none
    ours = admin.ref("base.main_company")
    admin.write("res.company", ours, supplier_approval_policy="block")
    configurator = Configurator(admin, users["integrator"], users["approver"], company)
    fabric = configurator.run(server.url, partners)
    return World(admin, users, company, configurator, fabric, partners)


def _check_log(log: Path) -> str:
    found = trouble(log)
    expect(not found, f"{len(found)} errors, the first: {found[0] if found else ''}")
    return f"{sum(1 for _line in log.open(errors='replace'))} lines"


if __name__ == "__main__":
    try:
        sys.exit(main())
    except RigError as error:
        sys.exit(f"ERROR: {error}")
