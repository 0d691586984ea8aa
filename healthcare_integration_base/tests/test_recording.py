# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""What is written of results: late ones, repeated ones, ones the database refuses."""

import time
from unittest.mock import patch

from odoo.tests import tagged

from ..engine import record
from ..engine.send import Sender
from ..engine.store import DrainStore
from ..protocol.classify import classify_status
from ..protocol.drain_types import Report, Result, Want
from ..transports.http import Response
from .delivery_case import DocumentCase

STORE_LOG = "odoo.addons.healthcare_integration_base.engine.store"


@tagged("post_install", "-at_install")
class TestRecording(DocumentCase):
    def setUp(self):
        super().setUp()
        self.make_outbox(self.event_type)
        self.release(self.make_documents(2))

    def claim(self):
        """Return a store that owns the endpoint, and what it claimed."""
        self.env.flush_all()
        store = DrainStore(self.env, "out")
        self.addCleanup(store.close)
        store.own(self.messages().endpoint_id.ids)
        return store, store.claim([Want(self.messages().endpoint_id.id, 10)])

    def result(self, claim, state="delivered", status=200, **details):
        report = Report.failed(
            classify_status(status, {}, 0.0), started_at=time.time(), details=details
        )
        return Result(claim, report, claim.attempts + 1, state)

    def outcomes(self, claim):
        self.env.invalidate_all()
        message = self.env["integration.message"].browse(claim.message_id)
        return message.attempt_ids.mapped("outcome")

    def test_result_of_a_lost_claim_is_late_and_changes_nothing(self):
        """Scenario 36, second half."""

        async def answer_after_the_claim_is_gone(sender, task, headers):
            self.env.cr.execute(
                "UPDATE integration_queue_entry SET claim = 'another drain'"
            )
            return Response(422, {}, b"", False, 0.1)

        with patch.object(Sender, "_exchange", answer_after_the_claim_is_gone):
            self.drain()
        self.assertEqual(set(self.messages().mapped("state")), {"pending"})
        outcomes = self.messages().attempt_ids.mapped("outcome")
        self.assertEqual(outcomes.count("late"), 2)
        self.assertFalse(self.messages().exception_id)

    def test_batch_recorded_twice_is_one_attempt_each(self):
        """Scenario 39: the answer to the first COMMIT was lost with the connection."""
        store, claimed = self.claim()
        results = [self.result(claim) for claim in claimed]
        store.record(results, {})
        store.record(results, {})
        for claim in claimed:
            self.assertEqual(self.outcomes(claim), ["success"])
        self.assertEqual(set(self.messages().mapped("state")), {"delivered"})

    def test_what_the_database_refuses_costs_only_itself(self):
        """A NUL in a header: that attempt is recorded without it, the other as it is."""
        store, claimed = self.claim()
        bad, good = (
            self.result(claim, attempt={"response_headers": {"X": value}})
            for claim, value in zip(claimed, ("a\0b", "fine"), strict=True)
        )
        with self.assertLogs(STORE_LOG, "ERROR") as logs:
            store.record([bad, good], {})
        self.assertNotIn("a\0b", "".join(logs.output))
        self.env.invalidate_all()
        self.assertEqual(set(self.messages().mapped("state")), {"delivered"})
        headers = {
            message.id: message.attempt_ids.response_headers
            for message in self.messages()
        }
        self.assertEqual(headers[good.claim.message_id], {"X": "fine"})
        self.assertFalse(headers[bad.claim.message_id])

    def test_cases_that_fail_leave_the_results_alone(self):
        store, claimed = self.claim()
        results = [self.result(claim, "dead", 422) for claim in claimed]
        failing = patch.object(record, "follow_up", side_effect=ValueError("Jane Doe"))
        with failing, self.assertLogs(STORE_LOG, "ERROR") as logs:
            store.record(results, {})
        self.assertNotIn("Jane", "".join(logs.output))
        self.env.invalidate_all()
        self.assertEqual(set(self.messages().mapped("state")), {"dead"})
        self.env["integration.drain"]._sweep()
        self.env.invalidate_all()
        self.assertEqual(len(self.messages().exception_id), 1)

    def test_released_messages_are_as_they_were(self):
        store, claimed = self.claim()
        before = {entry["message_id"]: entry["due_at"] for entry in self.entries()}
        store.release(claimed)
        after = {entry["message_id"]: entry["due_at"] for entry in self.entries()}
        self.assertEqual(before, after)
        self.assertFalse([entry for entry in self.entries() if entry["claim"]])
