# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""How fast a real server takes messages in, beside what else answers in Odoo.

In the same run and by turns, with threads and with two workers: a route that does
nothing, our single route (authenticated, stored, deduplicated), our batch, and peers that
keep a row: OCA endpoint, OCA fastapi, Odoo's own webhooks. Then: how fast ship notices
are applied to purchase orders.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import time

from dev.rig import databases, paths
from dev.rig.processes import OdooServer, poll
from dev.rig.progress import say

from . import figures, inbound_notices, peers, stage

DATABASE = "bench_inbound"
CONCURRENCY = 8
ROUTE = "/integration/v1/messages/bench-in"
MODES = {"threads": 0, "2 workers": 2}
#: What each does with a message; all answer when they have done it.
WORK = {
    "noop": "nothing: answers 200",
    "ours": "API key checked, rate counted, parsed, deduplicated, stored with its body, "
    "queued, committed; access logged",
    "endpoint": "no authentication, body stored as a row by a code snippet, no check for "
    "repetition",
    "fastapi": "no authentication, body parsed and stored as a row, no check for repetition",
    "webhook": "the secret is in the address, body parsed and stored as a row by a server "
    "action, no check for repetition",
}
OURS_BATCH = "batch"


def measure(quick: bool) -> dict:
    """Measure reception in both modes, then how notices are applied."""
    counts = (
        {"requests": 200, "rounds": 1, "lines": 500, "batches": 2, "notices": 60}
        if quick
        else {"requests": 1000, "rounds": 3, "lines": 5000, "batches": 2}
        | {"notices": 10_000}
    )
    versions = peers.install()
    modes = {}
    with stage.database(DATABASE, databases.SUITE_TEMPLATE):
        peers.add_to(DATABASE)
        with contextlib.ExitStack() as stack:
            inside = stack.enter_context(
                stage.Inside(
                    DATABASE, "inbound", peers.addons_path(), peers.environment()
                )
            )
            facts = {
                "key": inside("prepare"),
                "paths": inside("prepare_peers"),
                "body": inside("sample"),
            }
            for mode, workers in MODES.items():
                modes[mode] = _Bench(inside, facts, counts).run(mode, workers)
    return {
        **counts,
        "concurrency": CONCURRENCY,
        "body_bytes": len(facts["body"]),
        "work": WORK,
        "versions": versions,
        "modes": modes,
        **_in_short(modes),
        "notices": inbound_notices.measure(counts["notices"]),
    }


def _in_short(modes: dict) -> dict:
    """Return the figures that are asked for first: those of the threaded server."""
    threads = modes["threads"]
    names = [name for name in WORK if name not in ("noop", "ours")]
    return {
        "ours_per_s": threads["per_s"]["ours"]["median"],
        "noop_per_s": threads["per_s"]["noop"]["median"],
        "ours_to_noop": threads["ours_to"]["noop"]["median"],
        "batch_messages_per_s": threads["batch_messages_per_s"]["median"],
        "peers_per_s": {name: threads["per_s"][name]["median"] for name in names},
    }


class _Bench:
    """The cases upon one server."""

    def __init__(self, inside, facts: dict, counts: dict) -> None:
        self.inside, self.facts, self.counts = inside, facts, counts
        self.port = 0
        self.serial = 0

    def run(self, mode: str, workers: int) -> dict:
        """Measure all cases by turns upon a server with threads or workers."""
        rates: dict[str, list[float]] = {name: [] for name in WORK}
        times: dict[str, dict] = {}
        batches: list[float] = []
        with _server(workers, mode) as server:
            self.port = server.port
            for name in WORK:  # imports, caches, connections
                self._case(name, 20)
            for number in range(self.counts["rounds"]):
                names = list(WORK) if number % 2 else list(WORK)[::-1]
                for name in names:
                    rate, times[name] = self._case(name, self.counts["requests"])
                    rates[name].append(rate)
                batches.append(self._batches())
                self.inside("forget")
        say(f"{mode}: " + ", ".join(f"{n} {r[-1]:.0f}/s" for n, r in rates.items()))
        return {
            "per_s": {name: figures.spread(found) for name, found in rates.items()},
            "ms": times,
            "ours_to": {
                name: figures.spread(
                    [o / r for o, r in zip(rates["ours"], found, strict=True)], 3
                )
                for name, found in rates.items()
                if name != "ours"
            },
            "batch_messages_per_s": figures.spread(batches),
        }

    def _case(self, name: str, count: int) -> tuple[float, dict]:
        """Send requests of one kind; check that they did what they promise."""
        self.serial += 1
        plan = {
            "path": self._path(name),
            "headers": {"Content-Type": "application/json", **self._credentials(name)},
            "bodies": [self.facts["body"]],
            "count": count,
            "concurrency": CONCURRENCY,
            "ids": f"bench-{self.port}-{self.serial}-" if name == "ours" else "",
        }
        before = self.inside("counts")
        result = self._load(plan)
        wanted = "202" if name == "ours" else "200"
        if result["statuses"] != {wanted: count}:
            raise AssertionError(f"{name} answered {result['statuses']}")
        self._check_kept(name, before, count)
        return count / result["seconds"], result["ms"]

    def _check_kept(self, name: str, before: dict, count: int) -> None:
        tables = {"noop": []}.get(name, ["bench_inbound"])
        if name == "ours":
            tables = ["integration_message", "integration_payload"]
            tables.append("integration_queue_entry")
        after = self.inside("counts")
        for table in tables:
            if after[table] - before[table] != count:
                raise AssertionError(f"{name} kept {after[table]} in {table}")

    def _path(self, name: str) -> str:
        ours = {"noop": "/bench/noop", "ours": ROUTE}
        return ours.get(name) or self.facts["paths"][name]

    def _credentials(self, name: str) -> dict:
        key = self.facts["key"]
        return {"Authorization": f"Bearer {key}"} if name == "ours" else {}

    def _batches(self) -> float:
        """Send batches one after the other; return messages per second."""
        self.serial += 1
        content = json.loads(self.facts["body"])
        lines, batches = self.counts["lines"], self.counts["batches"]
        bodies = [
            "".join(self._line(content, number, line) for line in range(lines))
            for number in range(batches)
        ]
        plan = {
            "path": f"{ROUTE}/batch",
            "headers": {
                "Content-Type": "application/x-ndjson",
                **self._credentials("ours"),
            },
            "bodies": bodies,
            "count": batches,
            "concurrency": 2,
        }
        before = self.inside("counts")
        result = self._load(plan)
        if result["statuses"] != {"200": batches}:
            raise AssertionError(f"batches were answered with {result['statuses']}")
        kept = self.inside("counts")["integration_message"]
        if kept - before["integration_message"] != lines * batches:
            raise AssertionError("not all lines of the batches were stored")
        return lines * batches / result["seconds"]

    def _line(self, content: dict, number: int, line: int) -> str:
        message_id = f"{self.port}-{self.serial}-{number}-{line}"
        return json.dumps({"message_id": message_id, "content": content}) + "\n"

    def _load(self, plan: dict) -> dict:
        path = stage.LOGS / "plan.json"
        path.write_text(json.dumps({"host": "127.0.0.1", "port": self.port, **plan}))
        done = subprocess.run(
            [str(paths.VENV_PYTHON), "-B", "-m", "bench.load", str(path)],
            cwd=paths.ROOT,
            check=True,
            capture_output=True,
            text=True,
            timeout=300,
        )
        return json.loads(done.stdout)


@contextlib.contextmanager
def _server(workers: int, mode: str):
    options = {"addons_path": peers.addons_path(), "limit_time_real": 120}
    server = OdooServer(
        DATABASE,
        overrides={"options": options},
        workers=workers,
        port=stage.port(),
        name=f"inbound-{mode.replace(' ', '-')}",
        folder=stage.LOGS,
        env=peers.environment(),
    )
    with server:
        poll(lambda: server.answers("/web/health"), 60, what="the server")
        time.sleep(5)  # the job runner waits as long before it starts
        yield server


def tables(report: dict):
    """Yield the tables of a report."""
    head = ("server", "case", "requests/s", "ours/case", "median, ms", "p95, ms")
    rows = []
    for mode, found in report["modes"].items():
        for name in report["work"]:
            ratio = found["ours_to"].get(name)
            rows.append(
                (
                    mode,
                    name,
                    _range(found["per_s"][name]),
                    f"{ratio['median']:.2f}" if ratio else "",
                    found["ms"][name]["median"],
                    found["ms"][name]["p95"],
                )
            )
    yield figures.table(head, rows)
    rows = [
        (mode, _range(found["batch_messages_per_s"]))
        for mode, found in report["modes"].items()
    ]
    yield figures.table(("server", "messages/s in batches"), rows)
    yield inbound_notices.text(report["notices"])
    yield "\n".join(f"- {name}: {text}" for name, text in report["work"].items())
    yield ", ".join(f"{name} {text}" for name, text in report["versions"].items())


def _range(spread: dict) -> str:
    return f"{spread['median']:.0f} ({spread['min']:.0f} to {spread['max']:.0f})"
