# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""How fast ship notices become planned receipts: a real server, its drains, real orders.

Each notice names one of each of the three lines of its order with its lot: the handler
checks it against what is open and writes it on the receipt, as the partner's user.
"""

from __future__ import annotations

import time

from dev.rig import databases
from dev.rig.processes import OdooServer, poll
from dev.rig.progress import say

from . import stage

DATABASE = "bench_notices"
PER_ORDER = 10


def measure(count: int) -> dict:
    """Store so many notices, let them be applied; return how fast that was."""
    with (
        stage.database(DATABASE, databases.SUITE_TEMPLATE),
        stage.Inside(DATABASE, "notices") as inside,
    ):
        orders = inside("prepare", count=count, per_order=PER_ORDER)
        say(f"{orders} orders for {count} notices")
        with _server() as server:
            time.sleep(5)  # the job runner waits as long before it starts
            started = inside("release")
            poll(lambda: _done(inside, count), 3600, 1.0, "all notices applied")
            ended = inside("last_finished")
            assert server.running()
        outcome = inside("outcome")
    if outcome["states"] != {"done": count}:
        raise AssertionError(f"the notices ended as {outcome['states']}")
    seconds = ended - started
    say(f"{count} notices in {seconds:.0f} s")
    return {
        "count": count,
        "orders": orders,
        "seconds": round(seconds, 1),
        "per_s": round(count / seconds, 1),
        "attempts": outcome["attempts"],
        "notices": outcome["notices"],
    }


def _done(inside, count: int) -> bool:
    return inside("left") == 0


def _server() -> OdooServer:
    return OdooServer(
        DATABASE,
        workers=2,
        port=stage.port(),
        name=DATABASE,
        folder=stage.LOGS,
        overrides={"options": {"limit_time_real": 120}},
    )


def text(report: dict) -> str:
    """Return the result as a sentence."""
    return (
        f"{report['count']} ship notices for {report['orders']} orders: applied in"
        f" {report['seconds']} s, {report['per_s']} per second"
    )
