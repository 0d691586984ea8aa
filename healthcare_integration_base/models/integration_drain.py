# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
import logging
from datetime import datetime
from functools import partial

import psycopg2

from odoo import api, models
from odoo.tools import SQL

from odoo.addons.queue_job.job import ENQUEUED, PENDING, WAIT_DEPENDENCIES

from .. import runtime
from ..engine import dashboard, feed_queue, queue, run, sql, store
from ..engine.safe import where
from ..protocol.drain import StoreLost

_logger = logging.getLogger(__name__)

LANES = "integration.lanes"
# The sweep comes each minute: it arms what is due later.
HORIZON = 90
BUCKET = 5
# Longer than any drain; claims are freed long before by the next owner of the endpoint.
EXPIRED = 900


class IntegrationDrain(models.AbstractModel):
    """Entry points of the delivery engine: wake-up, job, sweep."""

    _name = "integration.drain"
    _description = "Integration Drain"

    # -- wake-up -------------------------------------------------------------------------

    @api.model
    def _wake(self, lanes):
        """Have the lanes drained as soon as this transaction is committed.

        Costs no statement in it: one callback after the commit looks whether a drain is
        there, on a fresh cursor, and enqueues a job if not.

        :param lanes: names of lanes; None is that of feeds, which nobody drains
        """
        postcommit = self.env.cr.postcommit
        lanes = {lane for lane in lanes if lane}  # a feed has none
        if not lanes:
            return
        if LANES not in postcommit.data:
            postcommit.data[LANES] = set()
            postcommit.add(partial(self._after_commit, postcommit.data[LANES]))
        postcommit.data[LANES].update(lanes)

    @api.model
    def _after_commit(self, lanes):
        """Enqueue the drains; must not raise, other callbacks come after it."""
        try:
            with runtime.autonomous(self.env) as env:
                env["integration.drain"]._enqueue_lanes(lanes)
        except psycopg2.Error as exc:
            _logger.warning("The wake-up is left to the sweep (%s)", exc.pgcode)

    @api.model
    def _enqueue_lanes(self, lanes):
        """Enqueue a drain for each lane that nobody is draining.

        The lock is looked at after the commit of the rows, and a drain looks at the rows
        after it has given back the lock: one of the two sees the other.
        """
        for lane in sorted(lanes):
            if not self._is_drained(lane):
                self._enqueue_drain(lane)

    @api.model
    def _is_drained(self, lane):
        statement = queue.is_locked(queue.SPACE_LANE, store.lane_key(lane))
        return bool(sql.rows_of(self.env.cr, statement))

    @api.model
    def _enqueue_drain(self, lane, due_at=None):
        """Enqueue a job, unless one is waiting already.

        :param float due_at: Unix seconds of the next due message, None for now
        """
        key, eta = f"integration.drain.{lane}", None
        if due_at is not None:
            key = f"{key}.at.{int(due_at) // BUCKET}"
            eta = datetime.fromtimestamp(due_at)
        if self._is_enqueued(key):
            return  # the queue would find it as well, after it has made the whole job
        self.with_delay(
            identity_key=key,
            eta=eta,
            max_retries=0,
            description=self.env._("Drain of lane %s", lane),
        )._job_drain(lane)

    @api.model
    def _is_enqueued(self, key):
        """Tell whether a job of this identity waits, by the states the queue itself looks at."""
        self.env["queue.job"].flush_model(["identity_key", "state"])
        statement = SQL(
            "SELECT 1 FROM queue_job WHERE identity_key = %s AND state = ANY(%s) LIMIT 1",
            key,
            [WAIT_DEPENDENCIES, PENDING, ENQUEUED],
        )
        return bool(sql.rows_of(self.env.cr, statement))

    # -- job -----------------------------------------------------------------------------

    @api.model
    def _job_drain(self, lane):
        """Drain a lane; the job's own transaction does nothing.

        No exception leaves it: job table, log and chatter would show its values.

        :return: what is stored as the job's result
        """
        try:
            ended = run.run_lane(
                self.env,
                lane,
                self._drain_options(),
                hand_over=partial(self._start_next, lane),
            )
        except StoreLost:
            return "the database went away; the sweep goes on"
        except Exception as exc:  # values stay in here; the sweep starts the next drain
            if _is_stopping(exc):
                _logger.info("The drain of lane %s ends with the server", lane)
                return "the server stops; the sweep goes on"
            _logger.error("The drain of lane %s ended with %s", lane, where(exc))
            return f"ended with {type(exc).__name__}; the sweep goes on"
        if ended.ran or ended.again:
            self._arm_next(lane, ended)
        return (
            f"{ended.processed} messages" if ended.ran else "another drain has the lane"
        )

    @api.model
    def _drain_options(self):
        return run.options(len(self._lanes()))

    @api.model
    def _start_next(self, lane):
        """Have the lane drained on while slow partners keep a drain from its end."""
        try:
            with runtime.autonomous(self.env) as env:
                env["integration.drain"]._enqueue_lanes({lane})
        except psycopg2.Error as exc:
            _logger.warning("Lane %s is left to the sweep (%s)", lane, exc.pgcode)

    @api.model
    def _arm_next(self, lane, ended):
        """Enqueue the next drain of the lane, if something is due within the horizon."""
        try:
            with runtime.autonomous(self.env) as env:
                if ended.again:
                    env["integration.drain"]._enqueue_lanes({lane})
                else:
                    env["integration.drain"]._arm(lane, ended.wake_in)
        except psycopg2.Error as exc:
            _logger.warning(
                "The next drain of lane %s is left to the sweep (%s)", lane, exc.pgcode
            )

    @api.model
    def _arm(self, lane, wake_in):
        if wake_in is not None and wake_in <= HORIZON:
            self._enqueue_drain(lane, datetime.now().timestamp() + wake_in)

    # -- sweep ---------------------------------------------------------------------------

    @api.model
    def _cron_sweep(self):
        """Do what a crash or a lost notification left undone; each minute."""
        with runtime.autonomous(self.env) as env:
            env["integration.drain"]._sweep()

    @api.model
    def _sweep(self):
        sql.run(self.env.cr, queue.free(queue.older_than(EXPIRED)))
        sql.run(self.env.cr, feed_queue.expire(SQL("TRUE")))
        sql.run(self.env.cr, queue.heal(SQL("TRUE")))
        now = datetime.now().timestamp()
        for lane, wake_in in self._next_by_lane().items():
            if wake_in <= 0:
                self._enqueue_lanes({lane})
            elif wake_in <= HORIZON:
                self._enqueue_drain(lane, now + wake_in)
        self.env["integration.exception"]._sweep_cases()

    @api.model
    def _next_by_lane(self):
        """Return the seconds until something can be done, by lane; breakers and floors count."""
        rows = sql.rows_of(self.env.cr, store.endpoints_with_work(SQL("TRUE")))
        gates = dashboard.gates(self.env.cr)
        found = {}
        for row in rows:
            due_in = 0.0 if row["orphaned"] else row["due_in"]
            if due_in is not None:
                wake_in = max(due_in, gates.get(row["id"], 0.0))
                found[row["lane"]] = min(wake_in, found.get(row["lane"], wake_in))
        return found

    @api.model
    def _lanes(self):
        rows = sql.rows_of(
            self.env.cr,
            SQL(
                "SELECT DISTINCT lane FROM integration_endpoint WHERE transport <> 'feed'"
            ),
        )
        return {row["lane"] for row in rows}

    # -- run-time state --------------------------------------------------------------------

    @api.model
    def _disable_endpoints(self, endpoint_ids):
        """Disable endpoints whose partner answered 410 Gone; their messages are held."""
        endpoints = self.env["integration.endpoint"].browse(endpoint_ids)
        reason = self.env._("The partner answered 410 Gone.")
        for endpoint in endpoints.filtered(lambda one: one.state != "disabled"):
            before = endpoint.state
            endpoint._integration_transition(
                {"state": "disabled", "state_reason": reason}
            )
            self.env["integration.audit.entry"]._log(
                "state", endpoint, reason, {"state": [before, "disabled"]}
            )

    # -- overview ----------------------------------------------------------------------------

    @api.model
    @api.readonly
    def overview(self):
        """Return what needs somebody now, with the list behind each number.

        :return: dict of figure -> {"count", "model", "domain"}, and facts about the node
        :raises AccessError: the user is no viewer
        """
        self.env["integration.message"].check_access("read")
        return dashboard.overview(self.env)


def _is_stopping(exc):
    """Tell whether the process is on its way out: it starts no thread any more."""
    return isinstance(exc, RuntimeError) and "shutdown" in str(exc)
