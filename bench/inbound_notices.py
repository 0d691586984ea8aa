# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""How fast ship notices become planned receipts: a real server, its drains, real orders.

Each notice names one of each of the three lines of its order with its lot: the handler
checks it against what is open and writes it on the receipt, as the partner's user.
"""

from __future__ import annotations

import contextlib
import time

from dev.rig import databases
from dev.rig.processes import OdooServer, poll
from dev.rig.progress import say

from . import stage

DATABASE = "bench_notices"
PER_ORDER = 20
#: All notices wait; whoever has not been applied by then is left.
SECONDS = 180.0


def measure(count: int) -> dict:
    """Store so many notices, let them be applied for a while; return how fast that was.

    :raises AssertionError: one was refused, or applied more than once
    """
    with (
        stage.database(DATABASE, databases.SUITE_TEMPLATE),
        stage.Inside(DATABASE, "notices") as inside,
    ):
        orders = inside("prepare", count=count, per_order=PER_ORDER)
        say(f"{orders} orders for {count} notices")
        with _server():
            time.sleep(5)  # the job runner waits as long before it starts
            started = inside("release")
            with contextlib.suppress(TimeoutError):
                poll(lambda: inside("left") == 0, SECONDS, 1.0, "all applied")
        seconds = inside("last_finished") - started
        outcome = inside("outcome")
    applied = outcome["states"].get("done", 0)
    _check(outcome, applied, count)
    say(f"{applied} of {count} notices in {seconds:.0f} s")
    return {
        "count": count,
        "orders": orders,
        "applied": applied,
        "seconds": round(seconds, 1),
        "per_s": round(applied / seconds, 1),
    }


def _check(outcome: dict, applied: int, count: int) -> None:
    """What is fast and wrong counts for nothing: each applied once, none refused."""
    left = outcome["states"].get("pending", 0)
    if applied + left != count or outcome["notices"] != applied:
        raise AssertionError(f"the notices ended as {outcome}")
    if outcome["successes"] != applied:
        raise AssertionError(f"{outcome['successes']} attempts for {applied} notices")


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
        f"{report['count']} ship notices for {report['orders']} orders: {report['applied']}"
        f" applied in {report['seconds']} s, {report['per_s']} per second"
    )
