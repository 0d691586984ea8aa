# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Partners fetch from a real server: two at the same time, and over a power cut."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from dev.rig import paths
from tests.delivery import send, states
from tests.feed_consumer import Feed
from tests.harness import poll, run_in_odoo
from tests.test_reception import KILLED

MESSAGES = 300
KEYS = 40
SETUP = """
user = env["res.users"].create({
    "name": "Consumer", "login": "consumer", "company_id": env.company.id,
    "company_ids": [(6, 0, env.company.ids)],
})
system = env["integration.system"].create({
    "name": "Partner", "code": "partner", "environment": "test", "company_id": env.company.id,
})
endpoint = env["integration.endpoint"].create({
    "name": "Feed", "code": "orders-feed", "system_id": system.id, "transport": "feed",
    "direction": "out",
})
endpoint._transition("active")
client = env["integration.client"].create({
    "name": "Consumer", "system_id": system.id, "user_id": user.id,
    "endpoint_ids": [(6, 0, endpoint.ids)],
})
if "rate_limit" in client._fields:
    client.write({"rate_limit": 100000, "rate_burst": 100000})
print("FEED", endpoint.id, client._generate_key("test"))
env.cr.commit()
"""


@pytest.fixture
def feed(database):
    """Id of the endpoint, and the key of a client of it."""
    printed = run_in_odoo(database, SETUP)
    line = next(line for line in printed.splitlines() if "FEED " in line)
    endpoint_id, key = line.partition("FEED ")[2].split()
    return int(endpoint_id), key


def test_kill_between_lease_and_acknowledgement(database, odoo_server, sql, feed):
    endpoint_id, key = feed
    server = odoo_server(workers=2, allow_log=KILLED)
    send(database, [_message(endpoint_id, n) for n in range(20)])
    consumer = Feed(server.url, database, "orders-feed", key)
    first = consumer.fetch(limit=5)["items"]
    second = consumer.fetch(limit=5)["items"]
    server.kill9()
    with pytest.raises(OSError):
        consumer.acknowledge(first)
    server.start()
    # what was said twice, or after the crash, counts once
    assert {a["state"] for a in consumer.acknowledge(first)} == {"delivered"}
    assert {a["state"] for a in consumer.acknowledge(first)} == {"delivered"}
    # a consumer that lost its memory gets the same again, the same bytes
    again = consumer.fetch(cursor=first[-1]["cursor"], limit=5)["items"]
    assert _bodies(again) == _bodies(second)
    # so does one that comes when the lease is over: behind those that waited meanwhile
    sql(
        "UPDATE integration_queue_entry SET lease_until = now() - interval '1 day'"
        " WHERE lease_until IS NOT NULL"
    )
    late = consumer.fetch(limit=20)["items"]
    assert len(late) == 15
    assert _bodies(late[-5:]) == _bodies(second)
    assert {a["code"] for a in consumer.acknowledge(again)} == {"lease_lost"}
    assert {a["state"] for a in consumer.acknowledge(late)} == {"delivered"}
    assert states(sql) == {"delivered": 20}


def test_two_consumers_over_a_power_cut(database, odoo_server, sql, feed, tmp_path):
    endpoint_id, key = feed
    server = odoo_server(workers=2, allow_log=KILLED)
    send(
        database,
        [_message(endpoint_id, n, f"k{n % KEYS}") for n in range(MESSAGES)],
    )
    stop = tmp_path / "stop"
    journals = [tmp_path / "one", tmp_path / "two"]
    consumers = [_start(server, database, key, path, stop) for path in journals]
    try:
        poll(lambda: states(sql).get("delivered", 0) > MESSAGES / 4, 90, 0.02)
        server.kill9()
        assert states(sql)["pending"]
        server.start()
        poll(lambda: states(sql) == {"delivered": MESSAGES}, 180, 0.5)
    finally:
        stop.touch()
        for process in consumers:
            process.wait(60)
    lines = [_lines(path) for path in journals]
    _assert_all_in_order(lines)
    _assert_nothing_after_its_acknowledgement(lines)
    assert not sql("SELECT 1 FROM integration_queue_entry")
    assert not sql("SELECT 1 FROM queue_job WHERE method_name = '_job_drain'")


def _message(endpoint_id: int, number: int, key: str | None = None) -> dict:
    return {"endpoint": endpoint_id, "number": number, "key": key}


def _bodies(items: list[dict]) -> list[tuple[str, str]]:
    return [(item["uid"], item["body_base64"]) for item in items]


def _start(server, database, key, journal, stop) -> subprocess.Popen:
    module = [sys.executable, "-m", "tests.feed_consumer"]
    arguments = [server.url, database, "orders-feed", key, str(journal), str(stop)]
    return subprocess.Popen([*module, *arguments], cwd=paths.ROOT)


def _lines(path) -> list[dict]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def _assert_all_in_order(lines: list[list[dict]]) -> None:
    got = sorted(
        (line for own in lines for line in own if line["kind"] == "got"),
        key=lambda line: line["at"],
    )
    assert {line["number"] for line in got} == set(range(MESSAGES))
    first, bodies = {}, {}
    for line in got:
        first.setdefault(line["uid"], line)
        bodies.setdefault(line["uid"], set()).add(line["body"])
    assert all(len(one) == 1 for one in bodies.values())
    for key in {line["key"] for line in got}:
        numbers = [line["number"] for line in first.values() if line["key"] == key]
        assert numbers == sorted(numbers)


def _assert_nothing_after_its_acknowledgement(lines: list[list[dict]]) -> None:
    taken = [line for own in lines for line in own if line["kind"] == "taken"]
    ends = {line["uid"]: line["at"] for line in taken}
    for own in lines:
        for line in own:
            late = line["kind"] == "got" and line["at"] > ends.get(
                line["uid"], line["at"]
            )
            assert not late, f"message {line['number']} came after it was taken"
    both = [{line["uid"] for line in own if line["kind"] == "taken"} for own in lines]
    assert not both[0] & both[1], "two consumers took the same message"
    assert all(both), "one consumer did all the work"
