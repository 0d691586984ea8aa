# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Queues messages for a real server to deliver, and looks what became of them."""

import time
from datetime import datetime, timezone

from odoo.addons.healthcare_integration_base.engine import queue, store
from odoo.addons.healthcare_integration_base.protocol import ids

from . import fabric, orders


def prepare(env, url, concurrency):
    """Make the endpoints of all cases; return their ids by case."""
    made = {}
    for ordering in ("none", "key"):
        for count in (1, 20):
            case = f"{count}-{ordering}"
            made[case] = [
                _endpoint(env, f"bench-{case}-{number}", url, ordering, concurrency)
                for number in range(count)
            ]
    return made


def _endpoint(env, code, url, ordering, concurrency):
    target = f"{url}/{code}"
    made = fabric.endpoint(
        env, code, target, ordering=ordering, concurrency=concurrency
    )
    return made.id


def listen(env, url):
    """Subscribe an endpoint to released orders; remember the data of one such event."""
    fabric.subscription(env, fabric.endpoint(env, "bench-latency", f"{url}/latency"))
    env.cr.commit()
    orders.make(env, 1).button_confirm()


def sample(env):
    """Return the data of a released order of three lines."""
    event = env["integration.event"].search(
        [("type_id.code", "=", fabric.RELEASED)], limit=1
    )
    return event._data_text()


def enqueue(env, endpoints, count, keys, data):
    """Queue messages about released orders, due at once, in turns for the endpoints.

    :param keys: how many ordering keys share them per endpoint, 0 for no order
    :return: the moment of the COMMIT
    """
    type_id = env["integration.event.type"]._get(fabric.RELEASED)
    now = datetime.now(timezone.utc).replace(tzinfo=None)
    events = env["integration.event"].create(
        [
            {
                "uid": ids.uuid7(),
                "type_id": type_id,
                "version": 1,
                "res_model": "purchase.order",
                "res_id": 1,
                "occurred_at": now,
                "data": data,
            }
            for _number in range(count)
        ]
    )
    vals = []
    for number, event in enumerate(events):
        place, which = divmod(number, len(endpoints))
        vals.append(
            {
                "direction": "out",
                "endpoint_id": endpoints[which],
                "event_id": event.id,
                "event_type_id": type_id,
                "ordering_key": f"key-{place % keys}" if keys else None,
            }
        )
    moments = []
    env.cr.postcommit.add(lambda: moments.append(time.time()))
    env["integration.message"]._enqueue(vals)
    env.cr.commit()
    return moments[0]


def outcome(env):
    """Return what became of all messages: states, and how often each was tried."""
    env.cr.execute(
        "SELECT state, attempt_count, count(*) FROM integration_message GROUP BY 1, 2"
    )
    return env.cr.fetchall()


def order_of(env, endpoints):
    """Return, by message id: its endpoint, key and place in the order."""
    env.cr.execute(
        "SELECT uid, endpoint_id, ordering_key, event_id FROM integration_message"
        " WHERE endpoint_id = ANY(%s)",
        [endpoints],
    )
    return {uid: rest for uid, *rest in env.cr.fetchall()}


def forget(env):
    """Remove all messages and finished jobs, so that each round begins alike."""
    env.cr.execute("DELETE FROM integration_attempt")
    env.cr.execute("DELETE FROM integration_payload")
    env.cr.execute("DELETE FROM integration_message")
    env.cr.execute("DELETE FROM integration_event")
    env.cr.execute(
        "DELETE FROM queue_job WHERE state IN ('done', 'failed', 'cancelled')"
    )


def is_idle(env):
    """Tell whether nobody drains the lane and no job is under way."""
    lock = queue.is_locked(queue.SPACE_LANE, store.lane_key("out"))
    env.cr.execute(lock)
    if env.cr.fetchall():
        return False
    states = ["pending", "enqueued", "started"]
    env.cr.execute(
        "SELECT 1 FROM queue_job WHERE state = ANY(%s) AND eta IS NULL", [states]
    )
    return not env.cr.fetchall()


def draft_orders(env, count):
    """Return the ids of new draft orders."""
    return orders.make(env, count).ids


def confirm(env, order_id):
    """Confirm an order; return the moment of its COMMIT, before any callback."""
    moments = []
    env.cr.postcommit.add(lambda: moments.append(time.time()))
    env["purchase.order"].browse(order_id).button_confirm()
    env.cr.commit()
    return moments[0]


def peer(env, letters):
    """Enqueue one job per message; return the moment of the COMMIT."""
    for letter in letters:
        env["bench.peer"].with_delay()._send(*letter)
    moments = []
    env.cr.postcommit.add(lambda: moments.append(time.time()))
    env.cr.commit()
    return moments[0]


def peer_outcome(env):
    """Return the states of the peer's jobs."""
    env.cr.execute(
        "SELECT state, count(*) FROM queue_job WHERE model_name = 'bench.peer' GROUP BY 1"
    )
    return dict(env.cr.fetchall())
