# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Partners call a real server: at the same time, over a crash, as the documentation says."""

from __future__ import annotations

import http.client
import json
import re
import shutil
import socket
import subprocess
import threading
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from dev.rig import paths
from tests.harness import connect, poll, run_in_odoo

PATH = "/integration/v1/messages/supplier-network-in"
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
BODY = json.dumps(
    {
        "purchase_order": "P-UNKNOWN",
        "status": "accepted",
        "acknowledged_at": "2026-11-20T10:00:00Z",
        "lines": [],
    }
).encode()
SETUP = """
company = env.company
user = env["res.users"].create({
    "name": "Machine", "login": "machine", "company_id": company.id,
    "company_ids": [(6, 0, company.ids)],
})
system = env["integration.system"].create({
    "name": "Supplier Network", "code": "network", "environment": "test", "company_id": company.id,
    "partner_id": env["res.partner"].create({"name": "Medline"}).id,
})
code = "supply.purchase_order.acknowledged"
event_type = env["integration.event.type"].search([("code", "=", code), ("direction", "=", "in")])
endpoint = env["integration.endpoint"].create({
    "name": "In", "code": "supplier-network-in", "system_id": system.id, "direction": "in",
    "state": %(state)r, "event_type_id": event_type.id,
})
credential = env["integration.credential"].create({
    "name": "Theirs", "kind": "signing_secret", "secret": %(secret)r, "company_id": company.id,
})
client = env["integration.client"].create({
    "name": "Network", "system_id": system.id, "user_id": user.id,
    "endpoint_ids": [(6, 0, endpoint.ids)], "credential_ids": [(6, 0, credential.ids)],
})
print("KEY", client._generate_key("test"))
env.cr.commit()
"""

# What the job runner says of a drain that lingers while its server is stopped.
STOPPED = (r"jobrunner\.runner: exception in GET",)

# The same of jobs and crons after a kill; the crons may be interrupted again at the end.
KILLED = (
    *STOPPED,
    r"jobrunner\.runner: Re-queued dead job",
    r"base\.models\.(ir_cron|ir_autovacuum)",
    r"sql_db: bad query: b\"SELECT \(now",
)


def set_up(database: str, state: str = "active") -> str:
    """Make an endpoint and a client; return its API key."""
    printed = run_in_odoo(database, SETUP % {"state": state, "secret": SECRET})
    return re.search(r"KEY (\S+)", printed)[1]


def post(
    server, key: str, message_id: str, body: bytes = BODY
) -> tuple[int, bytes, str | None]:
    """Hand in a message; return status, body and Location of the answer."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=120)
    headers = {
        "Authorization": f"Bearer {key}",
        "Content-Type": "application/json",
        "webhook-id": message_id,
    }
    try:
        connection.request("POST", PATH, body, headers)
        answer = connection.getresponse()
        return answer.status, answer.read(), answer.getheader("Location")
    finally:
        connection.close()


@pytest.mark.parametrize("workers", [0, 2], ids=["threads", "processes"])
def test_simultaneous_deliveries_of_one_message_store_it_once(
    database, odoo_server, sql, workers
):
    key = set_up(database, "paused")
    server = odoo_server(workers=workers, allow_log=STOPPED)
    together, times = 6, 8

    def deliver(number: int):
        barrier.wait()
        return post(server, key, f"same-{number}")

    for number in range(times):
        barrier = Barrier(together)
        with ThreadPoolExecutor(together) as pool:
            answers = list(pool.map(deliver, [number] * together))
        assert {status for status, _body, _location in answers} == {202}
        assert len(set(answers)) == 1, "all get the same answer"
    rows = sql("SELECT count(*), count(DISTINCT uid) AS uids FROM integration_message")
    assert dict(rows[0]) == {"count": times, "uids": times}
    assert sql.value("SELECT count(*) FROM integration_payload") == times
    assert sql.value("SELECT count(*) FROM integration_queue_entry") == times


def test_of_simultaneous_bodies_under_one_id_one_wins(database, odoo_server, sql):
    key = set_up(database, "paused")
    server = odoo_server(allow_log=STOPPED)
    bodies = [json.dumps({"number": number}).encode() for number in range(6)]
    with ThreadPoolExecutor(len(bodies)) as pool:
        answers = list(pool.map(lambda body: post(server, key, "same", body), bodies))
    statuses = sorted(status for status, _body, _location in answers)
    assert statuses == [202] + [409] * 5
    assert sql.value("SELECT count(*) FROM integration_message") == 1


class KillingProxy:
    """Hands a request on and lets no answer back: the server dies when the row is there."""

    def __init__(self, server, is_stored) -> None:
        self._server, self._is_stored = server, is_stored
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]

    def serve_one(self) -> None:
        """Take one connection; kill the server as soon as the COMMIT is to be seen."""
        caller, _address = self._socket.accept()
        there = socket.create_connection(("127.0.0.1", self._server.port))
        with caller, there, self._socket:
            pump = threading.Thread(target=_pump, args=(caller, there), daemon=True)
            pump.start()
            poll(self._is_stored, 60, interval=0.001, what="the message is stored")
            self._server.kill9()


def _pump(source: socket.socket, target: socket.socket) -> None:
    """Hand bytes on until one of both is gone."""
    try:
        while data := source.recv(65536):
            target.sendall(data)
    except OSError:
        return


@pytest.mark.parametrize("workers", [0, 2], ids=["threads", "processes"])
def test_a_crash_between_storing_and_answering_loses_nothing_and_doubles_nothing(
    database, odoo_server, sql, workers
):
    key = set_up(database)
    server = odoo_server(workers=workers, allow_log=KILLED)
    proxy = KillingProxy(server, lambda: sql.value(UID))
    with ThreadPoolExecutor(1) as pool:
        served = pool.submit(proxy.serve_one)
        with pytest.raises((OSError, http.client.HTTPException)):
            post(proxy, key, "m-1")
        served.result(90)
    uid = sql.value(UID)
    server.start()
    status, body, location = post(server, key, "m-1")
    assert (status, json.loads(body)["uid"]) == (202, uid)
    assert location.endswith(uid)
    poll(
        lambda: sql.value("SELECT state FROM integration_message") != "pending",
        90,
        what="the message is applied",
    )
    assert sql.value("SELECT count(*) FROM integration_message") == 1
    done = "SELECT count(*) FROM integration_attempt WHERE outcome <> 'unknown'"
    assert sql.value(done) == 1


UID = "SELECT uid FROM integration_message WHERE external_id = 'm-1'"


def post_batch(server, key: str, lines: list[bytes]) -> list[dict]:
    """Hand in a batch; return the results."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=120)
    headers = {
        "Authorization": f"Bearer {key}",
        "Content-Type": "application/x-ndjson",
    }
    connection.request("POST", f"{PATH}/batch", b"\n".join(lines), headers)
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    assert answer.status == 200, text
    return [json.loads(line) for line in text.splitlines()]


def line(number: int, **content) -> bytes:
    """Return a line of a batch with an id of its own."""
    content = {**json.loads(BODY), **content}
    return json.dumps({"message_id": f"b-{number}", "content": content}).encode()


def test_a_batch_of_five_thousand_lines_is_stored_in_its_order(
    database, odoo_server, sql
):
    key = set_up(database, "paused")
    server = odoo_server(allow_log=STOPPED)
    lines = [line(number) for number in range(5000)]
    lines[17] = b"no json"
    lines[4000] = b"\xff\xfe"
    results = post_batch(server, key, lines)
    assert [one["line"] for one in results] == list(range(1, 5001))
    assert [one["line"] for one in results if one["status"] != 202] == [18, 4001]
    rows = sql("SELECT uid FROM integration_message ORDER BY id")
    given = [one["uid"] for one in results if one["status"] == 202]
    assert [row["uid"] for row in rows] == given
    assert sql.value("SELECT count(*) FROM integration_payload") == 4998
    assert sql.value("SELECT count(*) FROM integration_queue_entry") == 4998
    assert post_batch(server, key, lines) == results, "the same again"
    assert sql.value("SELECT count(*) FROM integration_message") == 4998


def test_simultaneous_batches_with_the_same_lines_store_each_once(
    database, odoo_server, sql
):
    key = set_up(database, "paused")
    # two batches that wait for each other: one of them is repeated
    server = odoo_server(workers=2, allow_log=(*STOPPED, r"deadlock", r"tries left"))
    lines = [line(number) for number in range(300)]
    with ThreadPoolExecutor(4) as pool:
        answers = list(
            pool.map(
                lambda turned: post_batch(server, key, turned),
                [lines, lines[::-1], lines, lines[::-1]],
            )
        )
    found = [sorted(one["uid"] for one in answer) for answer in answers]
    assert found[0] == found[1] == found[2] == found[3]
    assert sql.value("SELECT count(*) FROM integration_message") == 300


BUYER = """
user = env["res.users"].search([("login", "=", "machine")])
user.group_ids += env.ref("purchase.group_purchase_user")
env.cr.commit()
"""


def test_waiting_for_the_outcome_and_the_drain_apply_a_message_once(
    database, odoo_server, sql
):
    key = set_up(database)
    run_in_odoo(database, BUYER)
    sql("UPDATE integration_endpoint SET sync_mode = 'always', sync_seconds = 30")
    server = odoo_server(allow_log=STOPPED)
    with ThreadPoolExecutor(4) as pool:
        answers = list(
            pool.map(lambda number: post(server, key, f"s-{number}"), range(12))
        )
    # there is no such order: a fault of the sender, told at once
    assert {status for status, _body, _location in answers} == {422}
    counts = "SELECT attempt_count, count(*) FROM integration_message GROUP BY 1"
    assert [dict(row) for row in sql(counts)] == [{"attempt_count": 1, "count": 12}]


STATE = "SELECT state FROM integration_message WHERE external_id = 'm-1'"
BLOCKED_UPDATE = (
    "SELECT 1 FROM pg_stat_activity WHERE datname = current_database()"
    " AND wait_event_type = 'Lock' AND query LIKE '%%UPDATE integration_message%%'"
)
ORDER = """
user = env["res.users"].search([("login", "=", "machine")])
user.group_ids += env.ref("purchase.group_purchase_user")
order = env["purchase.order"].create({
    "partner_id": env["integration.system"].search([("code", "=", "network")]).partner_id.id,
    "order_line": [(0, 0, {
        "product_id": env["product.product"].create({"name": "Gloves"}).id,
        "product_qty": 1, "price_unit": 1,
    })],
})
order.button_confirm()
print("ORDER", order.name)
env.cr.commit()
"""


def test_a_crash_while_a_message_is_applied_applies_it_once(database, odoo_server, sql):
    key = set_up(database, "paused")
    order = re.search(r"ORDER (\S+)", run_in_odoo(database, ORDER))[1]
    content = {**json.loads(BODY), "purchase_order": order}
    content["lines"] = [{"line_ref": "1", "status": "accepted"}]
    server = odoo_server(allow_log=KILLED)
    assert post(server, key, "m-1", json.dumps(content).encode())[0] == 202
    held = connect(database)
    held.autocommit = False
    with held.cursor() as cursor:
        # the handler's work is done when the message is marked, and not committed yet
        cursor.execute(
            "SELECT 1 FROM integration_message WHERE external_id = 'm-1' FOR UPDATE"
        )
    sql("UPDATE integration_endpoint SET state = 'active'")
    assert post(server, key, "m-2")[0] == 202  # wakes the lane
    poll(lambda: sql.value(BLOCKED_UPDATE), 60, what="the message is being applied")
    server.kill9()
    held.rollback()
    held.close()
    assert sql.value(STATE) == "pending"
    assert sql.value("SELECT count(*) FROM purchase_order_acknowledgement") == 0
    server.start()
    poll(lambda: sql.value(STATE) == "done", 150, what="the message is applied")
    assert sql.value("SELECT count(*) FROM purchase_order_acknowledgement") == 1
    outcomes = sql(
        "SELECT outcome FROM integration_attempt a JOIN integration_message m"
        " ON m.id = a.message_id WHERE m.external_id = 'm-1' ORDER BY a.id"
    )
    assert [row["outcome"] for row in outcomes] == ["unknown", "success"]


@pytest.mark.skipif(
    not (shutil.which("curl") and shutil.which("openssl")),
    reason="curl and openssl are needed",
)
def test_the_commands_of_the_partners_page_work(database, odoo_server, sql):
    key = set_up(database)
    server = odoo_server(allow_log=STOPPED)
    page = (paths.ROOT / "docs" / "partners.md").read_text()
    first, _status, signed = re.findall(r"```bash\n(.*?)```", page, re.DOTALL)[:3]
    first = first.replace("https://odoo.hospital.example", server.url).replace(
        "hik_...", key
    )
    signed = signed.replace("whsec_...", SECRET)
    script = f"set -e\n{first}\n{signed.replace('ack-P00012-1', 'ack-P00012-2')}"
    done = subprocess.run(
        ["bash", "-c", script], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.stdout.count("HTTP/1.1 202 ACCEPTED") == 2, done.stdout + done.stderr
    uids = re.findall(r'"uid": "([0-9a-f-]{36})"', done.stdout)
    status = subprocess.run(
        ["curl", "-s", f"{server.url}/integration/v1/messages/{uids[0]}"]
        + ["-H", f"Authorization: Bearer {key}"],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    documented = json.loads(re.search(r"```json\n(.*?)```", page, re.DOTALL)[1])
    given = json.loads(status.stdout)
    assert set(documented) - {"finished_at"} <= set(given)
    assert given["type"] == documented["type"]
    assert sql.value("SELECT count(DISTINCT client_id) FROM integration_message") == 1


def test_a_kept_connection_that_is_lost_loses_no_message(database, odoo_server, sql):
    key = set_up(database, "paused")
    server = odoo_server(allow_log=STOPPED)

    def hand_in(*numbers):
        for number in numbers:
            assert post(server, key, f"lost-{number}")[0] == 202

    hand_in(1, 2)
    assert sql(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        " AND query LIKE %s",
        "EXECUTE integration_inbox_store%",
    )
    hand_in(3, 4, 2)
    assert sql.value("SELECT count(*) FROM integration_message") == 4
    assert sql.value("SELECT count(*) FROM integration_payload") == 4
