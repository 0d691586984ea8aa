# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""What starts drains, what a crash leaves behind, what the first page says."""

from unittest.mock import patch

from odoo.exceptions import AccessError
from odoo.tests import tagged

from odoo.addons.queue_job.tests.common import trap_jobs

from ..engine import run
from .delivery_case import DocumentCase

DRAIN_LOG = "odoo.addons.healthcare_integration_base.models.integration_drain"


@tagged("post_install", "-at_install")
class TestSweep(DocumentCase):
    def sweep(self):
        self.env.flush_all()
        with trap_jobs() as trap:
            self.env["integration.drain"]._sweep()
        self.env.invalidate_all()
        return trap.enqueued_jobs

    def test_nothing_to_do(self):
        self.assertFalse(self.sweep())

    def test_what_nobody_was_told_of(self):
        """Scenario 38."""
        self.make_outbox(self.event_type)
        self.release()
        (job,) = self.sweep()
        self.assertEqual(job.identity_key, "integration.drain.out")
        self.assertEqual(job.args, ("out",))

    def test_next_retry_is_armed_when_it_is_near(self):
        self.make_outbox(self.event_type, policy={"retry_schedule": "60s 1h"})
        self.partner.answers = [500, 500]
        self.release()
        self.drain()
        (job,) = self.sweep()
        self.assertTrue(job.eta)
        self.assertIn("integration.drain.out.at.", job.identity_key)
        self.time_passes(100)
        self.drain()
        self.assertFalse(self.sweep())  # an hour is for a later sweep

    def test_open_breaker_is_waited_for(self):
        policy = {"retry_schedule": "1s", "concurrency": 1, "breaker_min_requests": 1}
        self.make_outbox(self.event_type, policy=policy)
        self.partner.answers = [500] * 9
        self.release(self.make_documents(3))
        self.drain()
        (job,) = self.sweep()
        self.assertTrue(job.eta)

    def test_endpoints_that_may_not_run_start_nothing(self):
        self.make_outbox(self.event_type).action_pause()
        self.make_outbox(self.event_type, state="test")
        self.release()
        self.assertFalse(self.sweep())
        self.use_settings(environment="staging")
        self.assertFalse(self.sweep())

    def test_orphaned_claim(self):
        """Scenario 36: the next owner frees it at once, with an attempt ``unknown``."""
        self.make_outbox(self.event_type)
        self.release()
        self.env.cr.execute(
            "UPDATE integration_queue_entry"
            " SET claim = 'gone', claimed_at = now() at time zone 'UTC'"
        )
        self.assertEqual(len(self.sweep()), 1)
        self.drain_until_quiet()
        message = self.messages()
        self.assertEqual(message.attempt_ids.mapped("outcome"), ["unknown", "success"])
        self.assertEqual((message.state, message.attempt_count), ("delivered", 2))

    def test_message_whose_predecessor_vanished(self):
        self.make_outbox(self.event_type)
        self.release()
        self.env.cr.execute("UPDATE integration_queue_entry SET due_at = NULL")
        self.assertEqual(len(self.sweep()), 1)
        self.drain_until_quiet()
        self.assertEqual(self.messages().state, "delivered")

    def test_parked_head_stays_parked(self):
        self.make_outbox(self.event_type)
        self.partner.answers = [422]
        document = self.make_documents()
        self.release(document)
        self.release(document)
        self.drain_until_quiet()
        self.assertFalse(self.sweep())
        self.assertEqual(self.messages().mapped("state"), ["dead", "pending"])
        self.assertEqual([entry["due_at"] for entry in self.entries()], [None, None])

    def test_drain_lets_no_exception_out(self):
        """Job table, log and chatter would show its values."""
        secret = patch.object(run, "run_lane", side_effect=ValueError("Jane Doe"))
        with secret, self.assertLogs(DRAIN_LOG, "ERROR") as logs:
            result = self.env["integration.drain"]._job_drain("out")
        self.assertNotIn("Jane", result + "".join(logs.output))

    def test_job_of_a_drain_says_nothing_about_messages(self):
        self.make_outbox(self.event_type)
        self.release()
        (job,) = self.sweep()
        self.assertEqual((job.args, job.kwargs), (("out",), {}))


@tagged("post_install", "-at_install")
class TestOverview(DocumentCase):
    def overview(self, user=None):
        drain = self.env["integration.drain"]
        return (drain.with_user(user) if user else drain).overview()

    def test_each_number_is_the_length_of_the_list_behind_it(self):
        self.make_outbox(self.event_type)
        self.partner.answers = [422, 500]
        self.release(self.make_documents(3))
        self.drain()
        self.make_outbox().action_pause()
        figures = self.overview()
        for name, figure in figures.items():
            if isinstance(figure, dict) and "domain" in figure:
                count = self.env[figure["model"]].search_count(figure["domain"])
                self.assertEqual(figure["count"], count, name)
        self.assertEqual(figures["dead"]["count"], 1)
        self.assertEqual(figures["pending"]["count"], 1)
        self.assertEqual(figures["delivered_24h"]["count"], 1)
        self.assertEqual(figures["failed_attempts_24h"]["count"], 2)
        self.assertEqual(figures["open_cases"]["count"], 1)
        self.assertEqual(figures["paused_endpoints"]["count"], 1)
        self.assertEqual(figures["environment"], "test")
        self.assertTrue(figures["keyring_ok"] and figures["settings_checksum"])

    def test_missing_key_is_said(self):
        self.use_settings(encryption_key=None)
        figures = self.overview()
        self.assertFalse(figures["keyring_ok"])
        self.assertIn("encryption key", figures["hints"][0]["text"])

    def test_oldest_due(self):
        self.make_outbox(self.event_type)
        self.release()
        self.time_passes(600)
        self.assertGreater(self.overview()["oldest_due_seconds"], 590)

    def test_viewer_sees_only_the_own_company(self):
        company = self.env["res.company"].create({"name": "Other"})
        self.make_outbox(
            self.event_type, system_id=self.make_system(company_id=False).id
        )
        self.release(self.make_documents(company_id=company.id))
        self.assertEqual(self.overview(self.make_user("viewer"))["pending"]["count"], 0)
        other = self.make_user("viewer", company=company)
        self.assertEqual(self.overview(other)["pending"]["count"], 1)

    def test_strangers_see_nothing(self):
        with self.assertRaises(AccessError):
            self.overview(self.make_user())
