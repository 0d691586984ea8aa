# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""A partner on a loopback port, and the making of endpoints and messages for it."""

from __future__ import annotations

import json
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.harness import run_in_odoo

CODE = "integration.endpoint.tested"
# pg_locks shows the locks of all databases of the server
OWN_DATABASE = (
    "database = (SELECT oid FROM pg_database WHERE datname = current_database())"
)


@dataclass(frozen=True)
class Received:
    """One request as the partner saw it."""

    path: str
    headers: dict
    body: bytes = field(repr=False)
    at: float
    ended: float = 0.0

    @property
    def id(self) -> str:
        """The message's id."""
        return self.headers["webhook-id"]

    @property
    def number(self) -> int:
        """The number the test gave the event."""
        return json.loads(self.body)["data"]["number"]

    @property
    def key(self) -> str:
        """The group the test put the event in."""
        return json.loads(self.body)["data"]["key"]


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128  # of five, many connections at a time would be dropped


class Partner:
    """Answers what `answer(request, seen)` says: a status, or (status, headers, body).

    `seen` is how many requests of that message came before. `gate` holds answers back
    while it is cleared.
    """

    def __init__(self, answer=None):
        self.answer = answer or (lambda request, seen: 200)
        self.requests: list[Received] = []
        self.gate = threading.Event()
        self.gate.set()
        self.busy: dict[str, int] = {}
        self.most_busy: dict[str, int] = {}
        self._lock = threading.Lock()
        self._server = _Server(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def __enter__(self) -> Partner:
        return self

    def __exit__(self, *exc) -> None:
        self.gate.set()
        self._server.shutdown()
        self._server.server_close()

    def of(self, path: str) -> list[Received]:
        """Return the requests to one path, in the order of arrival."""
        return [request for request in list(self.requests) if request.path == path]

    def ids(self) -> set[str]:
        """Return the distinct message ids that came."""
        return {request.id for request in list(self.requests)}

    def _take(self, request: Received):
        with self._lock:
            seen = sum(one.id == request.id for one in self.requests)
            self.requests.append(request)
            self.busy[request.path] = self.busy.get(request.path, 0) + 1
            most = max(self.most_busy.get(request.path, 0), self.busy[request.path])
            self.most_busy[request.path] = most
        self.gate.wait(60)
        try:
            return self.answer(request, seen)
        finally:
            with self._lock:
                self.busy[request.path] -= 1

    def _handler(partner):  # noqa: N805 - the handler's own self is another
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                headers = {name.lower(): value for name, value in self.headers.items()}
                answer = partner._take(Received(self.path, headers, body, time.time()))
                status, extra, content = (
                    answer if isinstance(answer, tuple) else (answer, {}, b"")
                )
                try:
                    self.send_response(status)
                    for name, value in {
                        **extra,
                        "Content-Length": str(len(content)),
                    }.items():
                        self.send_header(name, value)
                    self.end_headers()
                    self.wfile.write(content)
                except OSError:
                    self.close_connection = (
                        True  # the sender is gone: killed by the test
                    )

            def log_message(self, *arguments):
                """Keep the test's output clean."""

        return Handler


SETUP = """
import json
from odoo import Command
system = env["integration.system"].search([("code", "=", "partner")]) or env[
    "integration.system"
].create({"name": "Partner", "code": "partner", "environment": "test"})
made = {}
for spec in json.loads(%(specs)r):
    policy = env["integration.policy"].create({"name": spec["code"], **spec.get("policy", {})})
    credential = env["integration.credential"].create(
        {"name": spec["code"], "kind": "signing_secret", "secret": %(secret)r}
    )
    endpoint = env["integration.endpoint"].create({
        "name": spec["code"], "code": spec["code"], "system_id": system.id,
        "url": spec["url"], "policy_id": policy.id, "lane": spec.get("lane", "out"),
        "credential_ids": [Command.link(credential.id)],
    })
    if spec.get("state", "active") != "draft":
        endpoint._transition(spec.get("state", "active"))
    made[spec["code"]] = endpoint.id
env.cr.commit()
print("MADE " + json.dumps(made))
"""

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

SEND = """
import json
from odoo.addons.healthcare_integration_base.protocol import ids
type_id = env["integration.event.type"]._get(%(code)r)
for batch in json.loads(%(batches)r):
    values = []
    for one in batch:
        event = env["integration.event"].create({
            "uid": ids.uuid7(), "type_id": type_id, "version": 1,
            "res_model": "integration.endpoint", "res_id": one["endpoint"],
            "occurred_at": "2026-11-20 12:00:00",
            "data": json.dumps({"number": one["number"], "key": one.get("key") or ""}),
        })
        values.append({
            "direction": "out", "endpoint_id": one["endpoint"], "event_id": event.id,
            "event_type_id": type_id, "ordering_key": one.get("key"),
            "priority": one.get("priority", "1"),
        })
    env["integration.message"]._enqueue(values)
    %(before_commit)s
    if %(rollback)r:
        env.cr.rollback()
    env.cr.commit()
"""


def make_endpoints(database: str, *specs: dict) -> dict[str, int]:
    """Make active outgoing endpoints with policies of their own; return ids by code."""
    printed = run_in_odoo(database, setup_source(*specs))
    line = next(line for line in printed.splitlines() if "MADE " in line)
    return json.loads(line.partition("MADE ")[2])


def setup_source(*specs: dict) -> str:
    """Return the source that makes active outgoing endpoints and prints their ids."""
    return SETUP % {"specs": json.dumps(specs), "secret": SECRET}


def send_source(batches, rollback: bool = False, before_commit: str = "") -> str:
    """Return the source that queues messages: one transaction per batch."""
    return SEND % {
        "code": CODE,
        "batches": json.dumps(batches),
        "rollback": rollback,
        "before_commit": before_commit,
    }


def send(database: str, *batches, **how) -> None:
    """Queue messages: one transaction per batch of `{"endpoint", "number", "key"}`."""
    run_in_odoo(database, send_source(batches, **how))


def without_sweep(sql) -> None:
    """Let nothing but the wake-up itself start drains."""
    sql(
        "UPDATE ir_cron SET active = false WHERE id = (SELECT res_id FROM ir_model_data"
        " WHERE module = 'healthcare_integration_base' AND name = 'cron_sweep')"
    )


def sweep_now(sql) -> None:
    """Make the sweep due; the scheduler looks within a minute."""
    sql(
        "UPDATE ir_cron SET nextcall = now() at time zone 'UTC' - interval '1 minute'"
        " WHERE id = (SELECT res_id FROM ir_model_data"
        " WHERE module = 'healthcare_integration_base' AND name = 'cron_sweep')"
    )
    sql("SELECT pg_notify('cron_trigger', current_database())")


def states(sql) -> dict[str, int]:
    """Return how many messages are in which state."""
    rows = sql("SELECT state, count(*) FROM integration_message GROUP BY state")
    return {row["state"]: row["count"] for row in rows}
