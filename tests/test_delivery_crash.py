# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Power cuts: what was committed arrives, under the same id and with the same bytes."""

from __future__ import annotations

import pytest

from tests.delivery import (
    OWN_DATABASE,
    Partner,
    make_endpoints,
    send,
    states,
    sweep_now,
    without_sweep,
)
from tests.harness import connect, poll

MESSAGES = 500


@pytest.mark.parametrize("workers", [0, 4], ids=["threads", "prefork"])
def test_kill_while_delivering(database, odoo_server, sql, workers):
    """Scenario 36 and 37: SIGKILL in the middle of 500 messages, and start again."""
    with Partner() as partner:
        server = odoo_server(workers=workers, allow_log=("Re-queued dead job",))
        made = make_endpoints(
            database,
            {"code": "crash", "url": partner.url + "/in", "policy": {"concurrency": 3}},
        )
        batch = [
            {
                "endpoint": made["crash"],
                "number": n,
                "key": f"k{n % 50}" if n % 2 else None,
            }
            for n in range(MESSAGES)
        ]
        send(database, batch)
        poll(lambda: len(partner.requests) > MESSAGES / 4, 60, 0.02)
        partner.gate.clear()  # some are under way when the power goes
        poll(lambda: partner.busy.get("/in"), 10, 0.01)
        server.kill9()
        sent_before = len(partner.requests)
        assert sent_before < MESSAGES
        partner.gate.set()
        server.start()
        poll(
            lambda: states(sql).get("delivered") == MESSAGES, 150, 0.5, f"{states(sql)}"
        )
    assert {request.number for request in partner.requests} == set(range(MESSAGES))
    assert len(partner.ids()) == MESSAGES
    by_id = {}
    for request in partner.requests:
        by_id.setdefault(request.id, set()).add(request.body)
    assert all(len(bodies) == 1 for bodies in by_id.values())
    repeated = len(partner.requests) - MESSAGES
    unknown = sql.value(
        "SELECT count(*) FROM integration_attempt WHERE outcome = 'unknown'"
    )
    assert 0 < unknown and repeated <= unknown
    assert not sql("SELECT 1 FROM integration_queue_entry")
    _assert_order(partner)


def _assert_order(partner):
    """The first arrivals of each key are in the order of the events."""
    first = {}
    for request in partner.requests:
        first.setdefault(request.id, request)
    for key in {request.key for request in first.values() if request.key}:
        numbers = [request.number for request in first.values() if request.key == key]
        assert numbers == sorted(numbers)


def test_kill_between_the_answer_and_its_record(database, odoo_server, sql):
    """Scenario 37: the partner said 200, nobody wrote it down; it gets the same again."""
    blocker = connect(database)
    blocker.autocommit = False

    def answer_and_let_nobody_record(request, seen):
        if not seen:
            blocker.cursor().execute("LOCK TABLE integration_attempt IN SHARE MODE")
        return 200

    with Partner(answer_and_let_nobody_record) as partner:
        server = odoo_server(allow_log=("Re-queued dead job",))
        made = make_endpoints(database, {"code": "said", "url": partner.url + "/in"})
        send(database, [{"endpoint": made["said"], "number": 1}])
        poll(lambda: _waits_for_the_lock(sql), 60, 0.05, "the drain records nothing")
        server.kill9()
        assert len(partner.requests) == 1
        blocker.close()
        server.start()
        poll(lambda: states(sql) == {"delivered": 1}, 300, 0.2)
    first, second = partner.requests
    assert (first.id, first.body) == (second.id, second.body)
    assert first.headers["webhook-timestamp"] <= second.headers["webhook-timestamp"]
    attempts = sql("SELECT number, outcome FROM integration_attempt ORDER BY number")
    assert [(a["number"], a["outcome"]) for a in attempts] == [
        (1, "unknown"),
        (2, "success"),
    ]


def _waits_for_the_lock(sql):
    return sql(
        "SELECT 1 FROM pg_locks WHERE relation = 'integration_attempt'::regclass AND NOT granted"
        f" AND {OWN_DATABASE}"
    )


def test_crash_between_commit_and_wake_up_is_swept(database, odoo_server, sql):
    """Scenario 38: nobody was told; the sweep finds it."""
    with Partner() as partner:
        made = make_endpoints(database, {"code": "swept", "url": partner.url + "/in"})
        sql("DELETE FROM queue_job")  # of the endpoint's activation
        batch = [{"endpoint": made["swept"], "number": n} for n in range(3)]
        # the process dies right after the COMMIT: its callbacks never run
        send(database, batch, before_commit="env.cr.postcommit.clear()")
        assert states(sql) == {"pending": 3}
        assert not sql("SELECT 1 FROM queue_job")
        odoo_server()
        sweep_now(sql)
        poll(lambda: states(sql) == {"delivered": 3}, 120, 0.5)
    assert len(partner.requests) == 3


def test_rollback_sends_nothing(database, odoo_server, sql):
    """Scenario 40: no event, no message, no job, no request."""
    with Partner() as partner:
        odoo_server()
        without_sweep(sql)
        made = make_endpoints(database, {"code": "undone", "url": partner.url + "/in"})
        send(database, [{"endpoint": made["undone"], "number": 1}], rollback=True)
        send(database, [{"endpoint": made["undone"], "number": 2}])
        poll(lambda: states(sql) == {"delivered": 1}, 60)
    assert [request.number for request in partner.requests] == [2]


def test_database_connection_lost_while_sending(database, odoo_server, sql):
    """Scenario 39: the outcome is recorded when the database is back; nothing is sent twice."""
    with Partner() as partner:
        odoo_server()
        made = make_endpoints(database, {"code": "cut", "url": partner.url + "/in"})
        partner.gate.clear()
        send(database, [{"endpoint": made["cut"], "number": 1}])
        poll(lambda: partner.busy.get("/in"), 60, 0.05)
        killed = sql(
            "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'"
            f" AND classid = %s AND granted AND {OWN_DATABASE}",
            0x48434C,
        )
        assert killed
        partner.gate.set()
        poll(lambda: states(sql) == {"delivered": 1}, 60, 0.2)
        send(database, [{"endpoint": made["cut"], "number": 2}])
        poll(lambda: states(sql) == {"delivered": 2}, 90, 0.2)
    assert sorted(request.number for request in partner.requests) == [1, 2]
    attempts = sql("SELECT outcome FROM integration_attempt")
    assert [attempt["outcome"] for attempt in attempts] == ["success", "success"]
