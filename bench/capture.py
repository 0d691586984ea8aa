# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""What capture costs the user who confirms purchase orders."""

from __future__ import annotations

import contextlib

from dev.rig import databases

from . import figures, stage

SUBSCRIPTIONS = (0, 1, 3)
#: Without our addons at all.
PLAIN = "without the suite"


def measure(quick: bool) -> dict:
    """Confirm orders by turns, so that a slow moment hits all alike."""
    rounds = {2: 2, 4: 2} if quick else {10: 11, 100: 5}
    with contextlib.ExitStack() as stack:
        ours = _inside(stack, "bench_capture")
        plain = _inside(stack, "bench_plain", databases.ODOO_TEMPLATE)
        ours("prepare", subscriptions=max(SUBSCRIPTIONS))
        runs: dict[tuple, list[dict]] = {}
        for size, turns in rounds.items():
            for turn in range(turns + 1):
                for case, figure in _turn(ours, plain, size, turn):
                    if turn:  # the first turn fills the caches
                        runs.setdefault((size, case), []).append(figure)
    return {"rounds": rounds, "cases": [_case(*key, runs) for key in runs]}


def _inside(stack, name: str, template: str = databases.SUITE_TEMPLATE) -> stage.Inside:
    stack.enter_context(stage.database(name, template))
    return stack.enter_context(stage.Inside(name, "capture"))


def _turn(ours, plain, size: int, turn: int):
    """Yield the figures of each case once, forwards and backwards by turns."""
    cases = [PLAIN, *SUBSCRIPTIONS]
    for case in cases if turn % 2 else reversed(cases):
        if case == PLAIN:
            yield case, plain("confirm", count=size)
            continue
        ours("subscribe", count=case)
        ours("confirm", count=1)  # reads the plans into the cache
        figure = ours("confirm", count=size)
        wanted = size if case else 0
        if figure["events"] != wanted:
            raise AssertionError(f"{figure['events']} events instead of {wanted}")
        yield case, figure


def _case(size: int, case, runs: dict) -> dict:
    own, alone = runs[size, case], runs[size, 0]
    statements = figures.median([one["statements"] for one in own])
    return {
        "orders": size,
        "subscriptions": case,
        "ms": figures.spread([1000 * one["seconds"] for one in own]),
        "overhead_percent": figures.spread(_overheads(own, alone, "seconds")),
        "capture_ms": figures.spread([1000 * one["capture"] for one in own], 2),
        "callbacks_ms": figures.spread([1000 * one["callbacks"] for one in own], 2),
        # of the same run: other programs slow down both
        "share_percent": figures.spread([_share(one) for one in own], 2),
        "cpu_overhead_percent": figures.spread(_overheads(own, alone, "cpu")),
        "statements": statements,
        "statements_of_capture": max(one["statements_of_capture"] for one in own),
        "statements_by_difference": statements
        - figures.median([one["statements"] for one in alone]),
        "statements_after_commit": figures.median([one["afterwards"] for one in own]),
    }


def _share(one: dict) -> float:
    """Return what capture and its wake-up take of a confirmation, in percent of the rest."""
    ours = one["capture"] + one["callbacks"]
    return 100 * ours / (one["seconds"] - ours)


def _overheads(own: list[dict], alone: list[dict], what: str) -> list[float]:
    """Compare each run with the one of the same turn, in percent."""
    pairs = zip(own, alone, strict=True)
    return [100 * (one[what] / other[what] - 1) for one, other in pairs]


def tables(report: dict):
    """Yield the tables of a report."""
    head = (
        "orders",
        "subscriptions",
        "time, ms",
        "of capture, ms",
        "after COMMIT, ms",
        "overhead",
        "by difference",
        "CPU, by difference",
        "statements",
        "of capture (by difference)",
        "after COMMIT",
    )
    cases = sorted(
        report["cases"], key=lambda c: (c["orders"], str(c["subscriptions"]))
    )
    yield figures.table(head, [_row(case) for case in cases])


def _row(case: dict) -> tuple:
    over = case["overhead_percent"]
    return (
        case["orders"],
        case["subscriptions"],
        f"{case['ms']['median']:.0f}",
        f"{case['capture_ms']['median']:.1f}",
        f"{case['callbacks_ms']['median']:.1f}",
        f"{case['share_percent']['median']:.1f} %",
        f"{over['median']:+.0f} % ({over['min']:+.0f} to {over['max']:+.0f})",
        f"{case['cpu_overhead_percent']['median']:+.1f} %",
        f"{case['statements']:.0f}",
        f"{case['statements_of_capture']} ({case['statements_by_difference']:+.0f})",
        f"{case['statements_after_commit']:.0f}",
    )
