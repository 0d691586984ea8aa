# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Confirms purchase orders and counts what it costs."""

import contextlib
import sys
import time

import odoo.sql_db

from . import fabric, orders

CAPTURE = "odoo.addons.healthcare_integration_base.engine.capture"


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

    :return: seconds until the end of the commit with its callbacks, those of capture in
        it, those of the callbacks; seconds in which this process computed; statements of
        the transaction and of the callbacks; events written
    """
    ids = orders.make(env, count).ids
    env.cr.commit()
    env.invalidate_all()
    made = env["purchase.order"].browse(ids)
    before = _events(env)
    env.cr.commit()
    meter = _Meter(env)
    env.cr.postcommit.add(meter.committed)
    with meter.capture():
        made.button_confirm()
        env.cr.flush()
        statements = meter.statements()
        env.cr.commit()
    return {**meter.result(), "statements": statements, "events": _events(env) - before}


class _Meter:
    """Clocks and counters of one confirmation."""

    def __init__(self, env):
        self._cr = env.cr
        self._own, self._all = env.cr.sql_log_count, odoo.sql_db.sql_counter
        self._in_capture, self._statements_of_capture = 0.0, 0
        self._committed = 0.0
        self._started, self._cpu = time.perf_counter(), time.process_time()

    def committed(self):
        """Note the moment of the COMMIT: the first callback after it."""
        self._committed = time.perf_counter()

    def statements(self):
        """Return the statements of the transaction so far."""
        return self._cr.sql_log_count - self._own

    @contextlib.contextmanager
    def capture(self):
        """Measure what capture takes of the work inside."""
        module = sys.modules.get(CAPTURE)
        if module is None:  # a database without our addons
            yield
            return
        original, module.flush = module.flush, self._timed(module.flush)
        try:
            yield
        finally:
            module.flush = original

    def _timed(self, function):
        def timed(cr):
            started, before = time.perf_counter(), cr.sql_log_count
            function(cr)
            self._in_capture += time.perf_counter() - started
            self._statements_of_capture += cr.sql_log_count - before

        return timed

    def result(self):
        """Return all of it, at the end."""
        now = time.perf_counter()
        # COMMIT itself is no statement of the count
        own = self._cr.sql_log_count - self._own
        return {
            "seconds": now - self._started,
            "capture": self._in_capture,
            "statements_of_capture": self._statements_of_capture,
            "callbacks": now - self._committed,
            "cpu": time.process_time() - self._cpu,
            "afterwards": odoo.sql_db.sql_counter - self._all - own,
        }


def _events(env):
    if "integration.event" not in env:
        return 0
    env.cr.execute("SELECT count(*) FROM integration_event")
    return env.cr.fetchone()[0]
