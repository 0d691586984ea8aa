# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""How fast a real server delivers to a real receiver, and how soon after a COMMIT.

In the same run and by turns: our messages, the same bytes by a bare client (the raw
limit of receiver, loopback and machine), one queue_job per message (the usual way).
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import subprocess
import time

from dev.rig import databases, paths
from dev.rig.processes import OdooServer, poll
from dev.rig.progress import say

from . import figures, stage

CONCURRENCY = 4
KEYS = 50
#: The bare client is done in a moment: it sends all so many times.
RAW_TIMES = 8
TEMPLATE = databases.SUITE_TEMPLATE
#: Endpoints, ordered: the cases.
CASES = ((1, False), (1, True), (20, False), (20, True))
ADDONS = paths.ROOT / "bench" / "addons"
CHANNELS = "root:8,root.healthcare_integration:3,root.bench_peer:4"


def measure(quick: bool) -> dict:
    """Measure throughput and latency upon one server."""
    counts = (
        {"messages": 200, "rounds": 1, "peer": 40, "confirmations": 3}
        if quick
        else {"messages": 2000, "rounds": 3, "peer": 200, "confirmations": 30}
    )
    with contextlib.ExitStack() as stack:
        bench = _Bench(stack, counts)
        cases = [bench.case(*case) for case in CASES]
        peer = bench.peer()
        latency = {
            "cold": bench.latency(bench.wait_idle),
            "warm": bench.latency(_pause),
            "peer": bench.peer_latency(),
        }
    for case in cases:
        case["ours_to_peer"] = _ratio(case["ours"], peer)
    sizes = {"body_bytes": bench.body_bytes, "concurrency": CONCURRENCY}
    return {**counts, **sizes, "cases": cases, "peer": peer, "latency_ms": latency}


def _ratio(one: dict, other: dict) -> float:
    return round(one["median"] / other["median"], 3)


class _Bench:
    """The processes of the benchmark."""

    def __init__(self, stack: contextlib.ExitStack, counts: dict) -> None:
        self.counts = counts
        stage.LOGS.mkdir(parents=True, exist_ok=True)
        name = stack.enter_context(stage.database("bench_delivery", TEMPLATE))
        _install_peer(name)
        self.receiver = stack.enter_context(stage.Receiver())
        self.inside = stack.enter_context(
            stage.Inside(name, "delivery", _addons_path())
        )
        url = self.receiver.url
        self.endpoints = self.inside("prepare", url=url, concurrency=CONCURRENCY)
        self.inside("listen", url=url)
        self.data = self.inside("sample")
        self.server = stack.enter_context(_server(name))
        self.kept = stage.LOGS.parent / "requests.jsonl"
        self.receiver.arrivals(1, 120)  # the first confirmation: all is running
        self.receiver.keep(self.kept)
        self.body_bytes = self.receiver.arrivals(1, 1)[0]["size"]

    # -- throughput --------------------------------------------------------------

    def case(self, endpoints: int, ordered: bool) -> dict:
        """Measure one case: ours, then the same bytes raw, some rounds."""
        ours, whole, raw = [], [], []
        for _round in range(self.counts["rounds"]):
            rate, rate_of_all = self._ours(endpoints, ordered)
            ours.append(rate)
            whole.append(rate_of_all)
            raw.append(self._raw())
        say(
            f"{endpoints} endpoint(s), ordered {ordered}: {ours[-1]:.0f}/s, raw {raw[-1]:.0f}/s"
        )
        result = {"ours": figures.spread(ours), "raw": figures.spread(raw)}
        result["ours_from_commit"] = figures.spread(whole)
        result["ours_to_raw"] = _ratio(result["ours"], result["raw"])
        return {"endpoints": endpoints, "ordered": ordered, **result}

    def _ours(self, endpoints: int, ordered: bool) -> tuple[float, float]:
        """Return the rate from the first to the last arrival, and from the COMMIT."""
        count = self.counts["messages"]
        ids = self.endpoints[f"{endpoints}-{'key' if ordered else 'none'}"]
        self.wait_idle()
        self.inside("forget")
        self.receiver.reset()
        keys = KEYS if ordered else 0
        sent = self.inside(
            "enqueue", endpoints=ids, count=count, keys=keys, data=self.data
        )
        arrivals = self.receiver.arrivals(count, 150)
        self._check(arrivals, ids, count)
        self.receiver.keep(self.kept)
        last = max(one["at"] for one in arrivals)
        return stage.rate(arrivals), count / (last - sent)

    def _check(self, arrivals: list[dict], ids: list[int], count: int) -> None:
        """What is fast and wrong counts for nothing: each once, in order, recorded."""
        wanted = [["delivered", 1, count]]
        poll(lambda: self.inside("outcome") == wanted, 60, what="all delivered, once")
        order = self.inside("order_of", endpoints=ids)
        if {one["id"] for one in arrivals} != order.keys() or len(arrivals) != count:
            raise AssertionError("what arrived is not what was sent")
        last: dict[tuple, int] = {}
        for one in arrivals:
            endpoint, key, place = order[one["id"]]
            if key and place < last.get((endpoint, key), 0):
                raise AssertionError(f"{one['id']} came after a later one of its key")
            last[endpoint, key] = place

    def _raw(self) -> float:
        """Send what has just been kept with nothing but an HTTP client."""
        count = self.counts["messages"] * RAW_TIMES
        self.receiver.reset()
        numbers = (str(CONCURRENCY), str(RAW_TIMES))
        arguments = [self.receiver.url, str(self.kept), *numbers]
        answered = subprocess.run(
            [str(paths.VENV_PYTHON), "-B", "-m", "bench.raw_client", *arguments],
            cwd=paths.ROOT,
            check=True,
            capture_output=True,
            text=True,
            timeout=240,
        )
        if int(answered.stdout) != count:
            raise AssertionError(f"{answered.stdout} of {count} were accepted")
        return stage.rate(self.receiver.arrivals(count, 10))

    # -- the usual way -----------------------------------------------------------

    def peer(self) -> dict:
        """Measure one job per message, with the same bytes."""
        letters = self._letters(self.counts["peer"])
        rates = []
        for _round in range(self.counts["rounds"]):
            self.wait_idle()
            self.inside("forget")
            self.receiver.reset()
            self.inside("peer", letters=letters)
            rates.append(stage.rate(self.receiver.arrivals(len(letters), 150)))
            poll(self._peer_is_done, 60, what="all jobs done")
        say(f"one job per message: {rates[-1]:.0f}/s")
        return figures.spread(rates)

    def _peer_is_done(self) -> bool:
        return self.inside("peer_outcome") == {"done": self.counts["peer"]}

    def _letters(self, count: int) -> list:
        with self.kept.open() as stream:
            lines = [json.loads(line) for line in stream][:count]
        skipped = ("host", "content-length", "connection")
        return [
            (
                self.receiver.url + line["path"],
                {k: v for k, v in line["headers"].items() if k.lower() not in skipped},
                line["body"],
            )
            for line in lines
        ]

    # -- latency -----------------------------------------------------------------

    def latency(self, prepare) -> dict:
        """Measure from the COMMIT of a confirmation to the arrival at the partner."""
        took = []
        orders = self.inside("draft_orders", count=self.counts["confirmations"] + 1)
        for order in orders:
            prepare()
            self.receiver.reset()
            committed = self.inside("confirm", order_id=order)
            took.append(1000 * (self.receiver.arrivals(1, 90)[0]["at"] - committed))
        return _times(took[1:])  # the first one is there to wake the drain

    def peer_latency(self) -> dict:
        """Measure the same for one job per message."""
        took = []
        for letter in self._letters(self.counts["confirmations"]):
            self.wait_idle()
            self.receiver.reset()
            committed = self.inside("peer", letters=[letter])
            took.append(1000 * (self.receiver.arrivals(1, 90)[0]["at"] - committed))
        return _times(took)

    def wait_idle(self) -> None:
        """Wait until no drain is there and no job is under way."""
        poll(lambda: self.inside("is_idle"), 120, what="the lane is idle")
        time.sleep(0.2)


def _pause() -> None:
    """Let a moment pass in which a drain is still there."""
    time.sleep(random.uniform(0.5, 3.0))


def _times(took: list[float]) -> dict:
    return {**figures.spread(took), "p95": round(figures.percentile(took, 0.95), 1)}


def _server(name: str) -> OdooServer:
    options = {"addons_path": f"{_addons_path()}", "limit_time_real": 120}
    return OdooServer(
        name,
        workers=4,
        port=stage.port(),
        name=name,
        folder=stage.LOGS,
        overrides={"options": options, "queue_job": {"channels": CHANNELS}},
    )


def _addons_path() -> str:
    lines = paths.CONF.read_text().splitlines()
    line = next(line for line in lines if line.startswith("addons_path"))
    return f"{line.partition('=')[2].strip()},{ADDONS}"


def _install_peer(name: str) -> None:
    command = [paths.VENV_PYTHON, paths.RUN_ODOO, "-d", name, "-i", "bench_peer"]
    options = [f"--addons-path={_addons_path()}", "--stop-after-init", "--no-http"]
    with (stage.LOGS / "install.log").open("wb") as log:
        subprocess.run(
            [*map(str, command), *options, "--max-cron-threads=0"],
            env={**os.environ, **databases.odoo_environment()},
            cwd=paths.LOCAL,
            stdout=log,
            stderr=log,
            check=True,
            timeout=180,
        )


def tables(report: dict):
    """Yield the tables of a report."""
    head = (
        "endpoints",
        "ordered",
        "ours, 1/s",
        "from COMMIT, 1/s",
        "raw, 1/s",
        "ours/raw",
        "ours/peer",
    )
    yield figures.table(head, [_row(case) for case in report["cases"]])
    peer = report["peer"]
    yield f"one job per message: {_range(peer)} messages/s"
    head = ("from COMMIT to arrival, ms", "median", "p95", "lowest", "highest")
    names = {
        "cold": "no drain there",
        "warm": "a drain lingers",
        "peer": "one job per message",
    }
    latency = report["latency_ms"]
    rows = [
        (
            text,
            *(f"{latency[key][part]:.0f}" for part in ("median", "p95", "min", "max")),
        )
        for key, text in names.items()
    ]
    yield figures.table(head, rows)


def _row(case: dict) -> tuple:
    return (
        case["endpoints"],
        "per key" if case["ordered"] else "no",
        _range(case["ours"]),
        f"{case['ours_from_commit']['median']:.0f}",
        _range(case["raw"]),
        f"{case['ours_to_raw']:.2f}",
        f"{case['ours_to_peer']:.1f}",
    )


def _range(spread: dict) -> str:
    return f"{spread['median']:.0f} ({spread['min']:.0f} to {spread['max']:.0f})"
