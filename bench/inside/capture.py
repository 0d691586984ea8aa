# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Confirms purchase orders and counts what it costs."""

import time

import odoo.sql_db

from odoo.addons.healthcare_integration_base.engine import capture

from . import fabric, orders


def prepare(env, subscriptions):
    """Make the endpoints, each with a subscription that is switched off."""
    for number in range(subscriptions):
        target = fabric.endpoint(env, f"bench-{number}", "http://127.0.0.1:9/in")
        fabric.subscription(env, target, active=False)


def subscribe(env, count):
    """Switch on so many of the subscriptions."""
    found = env["integration.subscription"].with_context(active_test=False).search([])
    for number, subscription in enumerate(found.sorted("id")):
        subscription.active = number < count


def confirm(env, count):
    """Confirm new orders in one transaction.

    :return: seconds until the commit (callbacks after it included) and those in which
        this process computed, statements of the
        transaction and of the callbacks, events written
    """
    ids = orders.make(env, count).ids
    env.cr.commit()
    env.invalidate_all()
    made = env["purchase.order"].browse(ids)
    before = _events(env)
    env.cr.commit()
    own, everywhere = env.cr.sql_log_count, odoo.sql_db.sql_counter
    started, cpu = time.perf_counter(), time.process_time()
    made.button_confirm()
    env.cr.flush()
    statements = env.cr.sql_log_count - own
    env.cr.commit()
    seconds, cpu = time.perf_counter() - started, time.process_time() - cpu
    # COMMIT itself is no statement of the count
    afterwards = odoo.sql_db.sql_counter - everywhere - (env.cr.sql_log_count - own)
    return {
        "seconds": seconds,
        "cpu": cpu,
        "statements": statements,
        "afterwards": afterwards,
        "events": _events(env) - before,
    }


def _events(env):
    if "integration.event" not in env:
        return 0
    env.cr.execute("SELECT count(*) FROM integration_event")
    return env.cr.fetchone()[0]
