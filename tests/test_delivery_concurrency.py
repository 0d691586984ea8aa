# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Several servers and writers upon one database: the wake-up's races, order, ownership."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor

from tests.delivery import Partner, make_endpoints, send_source, states, without_sweep
from tests.harness import poll, run_in_odoo

WRITERS, COMMITS = 3, 60
# between two commits drains come to their end, or do not: both sides of the race
PAUSE = """
    import random, time
    time.sleep(random.choice((0, 0, 0.005, 0.05, 0.3)))
    if random.random() < 0.1: time.sleep(random.uniform(0.9, 1.4))
"""
SHORT_STAYS = {"healthcare_integration": {"drain_seconds": 2}}


def test_no_wake_up_is_lost(database, odoo_server, sql):
    """Writers commit while drains of two servers come and go; the sweep does not help."""
    with Partner() as partner:
        servers = [odoo_server(overrides=SHORT_STAYS) for _n in range(2)]
        without_sweep(sql)
        codes = [f"race{n}" for n in range(4)]
        made = make_endpoints(
            database, *({"code": code, "url": f"{partner.url}/{code}"} for code in codes)
        )
        with ThreadPoolExecutor(WRITERS) as pool:
            sources = [_writer(number, list(made.values())) for number in range(WRITERS)]
            list(pool.map(lambda source: run_in_odoo(database, source, 240), sources))
        total = WRITERS * COMMITS
        poll(lambda: states(sql).get("delivered") == total, 60, 0.2, f"{states(sql)}")
        assert all(server.running() for server in servers)
    assert len(partner.requests) == len(partner.ids()) == total
    drains = sql.value("SELECT count(*) FROM queue_job WHERE method_name = '_job_drain'")
    assert drains > 3, "the drains did not come and go"
    assert not sql("SELECT 1 FROM integration_attempt WHERE outcome <> 'success'")


def _writer(number: int, endpoints: list[int]) -> str:
    chosen = random.Random(number)
    batches = [
        [{"endpoint": chosen.choice(endpoints), "number": number * COMMITS + n}]
        for n in range(COMMITS)
    ]
    return send_source(batches, before_commit=PAUSE.strip().replace("\n", "\n    "))


def test_order_and_one_owner_over_overlapping_drains(database, odoo_server, sql):
    """Two servers, drains of 2 s: each key in order, never more requests than allowed."""
    with Partner(lambda request, seen: 200) as partner:
        for _n in range(2):
            odoo_server(overrides=SHORT_STAYS)
        made = make_endpoints(
            database,
            {"code": "order", "url": partner.url + "/order", "policy": {"concurrency": 2}},
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
            numbers = [request.number for request in partner.of(path) if request.key == key]
            assert numbers == sorted(set(numbers))
