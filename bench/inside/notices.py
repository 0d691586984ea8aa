# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Orders, ship notices for them in the inbox, and what became of both."""

import json
import time
from types import SimpleNamespace

from odoo.tools import SQL

from odoo.addons.healthcare_integration_base.engine import receive

from . import inbound, orders

BATCH = 100


def prepare(env, count, per_order):
    """Confirm orders and store so many notices for them; nothing is applied yet.

    :return: how many orders
    """
    made = _confirmed(env, -(-count // per_order), per_order)
    inbound.prepare(env, made[0].partner_id.id)
    env.cr.commit()
    endpoint = env["integration.endpoint"].search([("code", "=", inbound.CODE)])
    inlet, client = (
        receive.inlet_of(endpoint),
        SimpleNamespace(id=endpoint.client_ids.id),
    )
    names = made.mapped("name")
    notices = [
        inbound.notice(name, number) for number in range(per_order) for name in names
    ][:count]
    for start in range(0, count, 1000):
        entries = [
            receive.read(env, inlet, client.id, _arrival(one))
            for one in notices[start : start + 1000]
        ]
        receive.keep(env, entries, wake_up=False)
    return len(made)


def _arrival(content):
    return receive.Arrival(json.dumps(content).encode(), "application/json")


def _confirmed(env, count, quantity):
    made = env["purchase.order"]
    for start in range(0, count, BATCH):
        batch = orders.make(env, min(BATCH, count - start))
        batch.order_line.write({"product_qty": quantity})
        batch.button_confirm()
        made += batch
        env.cr.commit()
    return made


def release(env):
    """Let the notices be applied; return when that began."""
    endpoint = env["integration.endpoint"].search([("code", "=", inbound.CODE)])
    endpoint.action_resume()
    env.cr.commit()
    return time.time()


def left(env):
    """Return how many notices are still to be applied."""
    env.cr.execute("SELECT count(*) FROM integration_queue_entry")
    return env.cr.fetchone()[0]


def last_finished(env):
    """Return the moment the last one was applied."""
    env.cr.execute(
        "SELECT EXTRACT(epoch FROM max(finished_at) AT TIME ZONE 'UTC')::float8"
        " FROM integration_message"
    )
    return env.cr.fetchone()[0]


def outcome(env):
    """Return states of the messages, attempts, and notices made."""
    env.cr.execute(
        SQL("SELECT state, count(*) FROM integration_message GROUP BY state")
    )
    states = dict(env.cr.fetchall())
    env.cr.execute("SELECT count(*) FROM integration_attempt WHERE outcome = 'success'")
    successes = env.cr.fetchone()[0]
    return {
        "states": states,
        "successes": successes,
        "notices": env["stock.shipment.notice"].search_count([]),
    }
