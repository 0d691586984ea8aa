# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""``python -m dev.partners``: all simulated partners, connected with a database.

For playing with a server that runs (``make run``): the partners listen on ports 8081 to
8083 (others where these are taken); systems, endpoints and subscriptions that lead to
them are set up in the database; the supplier network acknowledges what is ordered from
it, and ships.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path

from dev.demo import people, processes
from dev.demo.fabric import Configurator
from dev.demo.report import Failed
from dev.demo.rpc import User
from dev.rig import paths
from dev.rig.processes import poll, port_is_free

PORTS = {"supplier_network": 8081, "finance": 8082, "logistics": 8083}
SHIP_AFTER = 20


def main() -> int:
    """Run until stopped by a signal; return the exit status."""
    options = _options()
    with processes.cleaning() as stack:
        partners = {name: _start(name, options.folder) for name in PORTS}
        for partner in partners.values():
            stack.callback(partner.stop)
            print(f"{partner.name}: {partner.url}, log {partner.log}", flush=True)
        _connect(options, partners)
        while all(partner.process.poll() is None for partner in partners.values()):
            time.sleep(1)
    return 1


def _start(name: str, folder: Path) -> processes.PartnerProcess:
    port = PORTS[name] if port_is_free(PORTS[name]) else 0
    return processes.PartnerProcess(name, folder / f"{name}.jsonl", port)


def _options() -> argparse.Namespace:
    environ = os.environ.get
    parser = argparse.ArgumentParser(prog="python -m dev.partners", description=__doc__)
    parser.add_argument("--database", default=environ("HI_DB", "demo"))
    url = f"http://127.0.0.1:{environ('HI_HTTP_PORT', '8069')}"
    parser.add_argument("--server", default=url, help="URL of the Odoo server")
    parser.add_argument(
        "--folder", type=Path, default=paths.LOCAL / "partners", help="of logs"
    )
    parser.add_argument(
        "--wait", type=float, default=300, help="seconds for the server to come up"
    )
    return parser.parse_args()


def _connect(
    options: argparse.Namespace, partners: dict[str, processes.PartnerProcess]
) -> None:
    """Set up the database once its server answers."""
    admin = poll(
        lambda: _log_in(options), options.wait, 0.5, f"a server at {options.server}"
    )
    company, users = people.set_up(admin)
    configurator = Configurator(admin, users["integrator"], users["approver"], company)
    configurator.run(options.server, partners)
    partners["supplier_network"].control("settings", ship_after=SHIP_AFTER)
    print(
        f"connected with {options.database}: orders to {people.SUPPLIER} are acknowledged,"
        f" and shipped {SHIP_AFTER} s later",
        flush=True,
    )


def _log_in(options: argparse.Namespace) -> User | None:
    try:
        return User(options.server, options.database, "admin", "admin")
    except OSError:
        return None


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (Failed, TimeoutError) as error:
        sys.exit(f"ERROR: {error}")
    except KeyboardInterrupt:
        sys.exit(0)
