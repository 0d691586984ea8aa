# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Several servers and writers upon one database: the wake-up's races, order, ownership."""

from __future__ import annotations

import random
import time
from concurrent.futures import ThreadPoolExecutor

from tests.delivery import (
    OWN_DATABASE,
    Partner,
    make_endpoints,
    send_source,
    states,
    without_sweep,
)
from tests.harness import poll, run_in_odoo

WRITERS, COMMITS = 3, 60
# between two commits drains come to their end, or do not: both sides of the race
PAUSE = (
    "import random, time; time.sleep(random.choice((0, 0, 0.005, 0.05, 0.3)));"
    " random.random() < 0.1 and time.sleep(random.uniform(1.5, 2.5))"
)
# shorter than the linger: drains also end while writers are at work
SHORT_STAYS = {"healthcare_integration": {"drain_seconds": 2}}


def test_no_wake_up_is_lost(database, odoo_server, sql):
    """Writers commit while drains of two servers come and go; the sweep does not help."""
    with Partner() as partner:
        servers = [odoo_server(overrides=SHORT_STAYS) for _n in range(2)]
        without_sweep(sql)
        codes = [f"race{n}" for n in range(4)]
        made = make_endpoints(
            database,
            *({"code": code, "url": f"{partner.url}/{code}"} for code in codes),
        )
        with ThreadPoolExecutor(WRITERS) as pool:
            sources = [
                _writer(number, list(made.values())) for number in range(WRITERS)
            ]
            list(pool.map(lambda source: run_in_odoo(database, source, 240), sources))
        total = WRITERS * COMMITS
        poll(lambda: states(sql).get("delivered") == total, 60, 0.2, f"{states(sql)}")
        assert all(server.running() for server in servers)
    assert len(partner.requests) == len(partner.ids()) == total
    drains = sql.value(
        "SELECT count(*) FROM queue_job WHERE method_name = '_job_drain'"
    )
    assert drains > 3, "the drains did not come and go"
    assert not sql("SELECT 1 FROM integration_attempt WHERE outcome <> 'success'")


def _writer(number: int, endpoints: list[int]) -> str:
    chosen = random.Random(number)
    batches = [
        [{"endpoint": chosen.choice(endpoints), "number": number * COMMITS + n}]
        for n in range(COMMITS)
    ]
    return send_source(batches, before_commit=PAUSE)


def test_order_and_one_owner_over_overlapping_drains(database, odoo_server, sql):
    """Two servers, drains of 2 s: each key in order, never more requests than allowed."""
    with Partner(lambda request, seen: 200) as partner:
        for _n in range(2):
            odoo_server(overrides=SHORT_STAYS)
        made = make_endpoints(
            database,
            {
                "code": "order",
                "url": partner.url + "/order",
                "policy": {"concurrency": 2},
            },
            {"code": "lane", "url": partner.url + "/lane", "lane": "second"},
        )
        batches = [
            [
                {"endpoint": made["order"], "number": n, "key": f"k{n % 7}"},
                {"endpoint": made["lane"], "number": n, "key": "k"},
            ]
            for n in range(150)
        ]
        run_in_odoo(database, send_source(batches), 240)
        poll(lambda: states(sql).get("delivered") == 300, 120, 0.5, f"{states(sql)}")
    assert partner.most_busy["/order"] <= 2
    assert partner.most_busy["/lane"] == 1
    for path in ("/order", "/lane"):
        for key in {request.key for request in partner.of(path)}:
            numbers = [
                request.number for request in partner.of(path) if request.key == key
            ]
            assert numbers == sorted(set(numbers))


def test_endpoint_in_the_hands_of_another_drain_is_left_alone(
    database, odoo_server, sql
):
    """Who has not got the endpoint's lock sends nothing; it goes on when the lock is free."""
    with Partner() as partner:
        odoo_server()
        made = make_endpoints(
            database,
            {"code": "owned", "url": partner.url + "/owned"},
            {"code": "free", "url": partner.url + "/free"},
        )
        sql("SELECT pg_advisory_lock(%s, %s)", 0x484345, made["owned"])
        batch = [
            {"endpoint": made[code], "number": n}
            for n in range(5)
            for code in ("owned", "free")
        ]
        run_in_odoo(database, send_source([batch]))
        poll(lambda: states(sql) == {"delivered": 5, "pending": 5}, 60, 0.2)
        poll(lambda: not _drained(sql), 30, 0.2, "the drain does not end")
        assert not partner.of("/owned")
        sql("SELECT pg_advisory_unlock(%s, %s)", 0x484345, made["owned"])
        poll(lambda: states(sql) == {"delivered": 10}, 90, 0.5)
    assert len(partner.of("/owned")) == len(partner.of("/free")) == 5


def _drained(sql) -> bool:
    """Tell whether a drain has a lane."""
    return bool(
        sql(
            "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND classid = %s"
            f" AND granted AND {OWN_DATABASE}",
            0x48434C,
        )
    )


def test_one_hung_endpoint_delays_nobody(database, odoo_server, sql):
    """Scenario 52, with real connections: the others are done while it hangs."""
    with Partner(_answer_but_hang) as partner:
        odoo_server()
        specs = [{"code": f"e{n}", "url": f"{partner.url}/e{n}"} for n in range(19)]
        hung = {
            "code": "hung",
            "url": partner.url + "/hung",
            "policy": {"deadline": 20},
        }
        made = make_endpoints(database, hung, *specs)
        batch = [
            {"endpoint": endpoint, "number": n}
            for n in range(10)
            for endpoint in made.values()
        ]
        run_in_odoo(database, send_source([batch]))
        poll(lambda: states(sql).get("delivered") == 190, 60, 0.1, f"{states(sql)}")
        assert not sql("SELECT 1 FROM integration_attempt WHERE outcome <> 'success'")
        healthy = [
            request.at for request in partner.requests if request.path != "/hung"
        ]
        assert partner.busy["/hung"] == 4  # its slots, and no others
        assert max(healthy) - min(healthy) < 20, "the others waited for the hung one"


def _answer_but_hang(request, seen):
    if request.path == "/hung":
        time.sleep(40)
    return 200


STALE_RETRY = """
import json
from odoo import api
from psycopg2.errors import SerializationFailure
message = env["integration.message"].search([("state", "=", "pending")], limit=1)
assert message.attempt_count == 0  # the user's snapshot: the form as it was loaded
with env.registry.cursor() as cr:  # a drain delivers it meanwhile
    cr.execute("UPDATE integration_message SET state = 'delivered' WHERE id = %s", message.ids)
    cr.execute("DELETE FROM integration_queue_entry WHERE message_id = %s", message.ids)
try:
    message.action_retry()
    env.cr.commit()
    print("TWICE")
except SerializationFailure:  # Odoo repeats the request, with a new snapshot
    env.cr.rollback()
    try:
        message.action_retry()
        print("TWICE")
    except Exception as error:
        print("REFUSED", type(error).__name__)
"""


def test_message_delivered_while_somebody_retries_it_is_not_sent_twice(database, sql):
    """The button's old snapshot must not put a finished message back into the queue."""
    with Partner() as partner:
        made = make_endpoints(database, {"code": "stale", "url": partner.url + "/in"})
        printed = run_in_odoo(
            database,
            send_source([[{"endpoint": made["stale"], "number": 1}]]) + STALE_RETRY,
        )
    assert "REFUSED UserError" in printed and "TWICE" not in printed
    assert states(sql) == {"delivered": 1}
    assert not sql("SELECT 1 FROM integration_queue_entry")
