# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Messages on their way through a real server to a real partner process."""

from __future__ import annotations

import pytest
from standardwebhooks.webhooks import Webhook

from tests.delivery import SECRET, Partner, make_endpoints, send
from tests.harness import poll


@pytest.mark.parametrize("workers", [0, 4], ids=["threads", "prefork"])
def test_message_arrives_signed_and_once(database, odoo_server, sql, workers):
    """Scenario 1: 200 means exactly one attempt, delivered, nothing left to do."""
    with Partner() as partner:
        odoo_server(workers=workers)
        made = make_endpoints(database, {"code": "one", "url": partner.url + "/in"})
        send(database, [{"endpoint": made["one"], "number": 7}])
        poll(
            lambda: sql("SELECT 1 FROM integration_message WHERE state = 'delivered'"),
            30,
        )
    (request,) = partner.requests
    assert request.number == 7
    Webhook(SECRET).verify(request.body, request.headers)
    (message,) = sql("SELECT uid, attempt_count FROM integration_message")
    assert (message["uid"], message["attempt_count"]) == (request.id, 1)
    (attempt,) = sql("SELECT outcome, status, next_attempt_at FROM integration_attempt")
    assert (attempt["outcome"], attempt["status"]) == ("success", 200)
    assert attempt["next_attempt_at"] is None
    assert not sql("SELECT 1 FROM integration_queue_entry")
