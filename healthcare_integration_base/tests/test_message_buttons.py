# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""What operators do with messages: who may, what happens, what is written down."""

from unittest.mock import patch

from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from ..engine import operations, run
from .delivery_case import DocumentCase


@tagged("post_install", "-at_install")
class TestMessageButtons(DocumentCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.operator = cls.make_user("operator")
        cls.viewer = cls.make_user("viewer")

    def make_dead(self, count=1, status=422):
        """Return messages that are dead, one document each, and their endpoint."""
        self.make_outbox(self.event_type)
        self.partner.answers = [status] * count
        self.release(self.make_documents(count))
        self.drain_until_quiet()
        messages = self.messages()
        self.assertEqual(set(messages.mapped("state")), {"dead"})
        return messages.with_user(self.operator)

    # -- rights ----------------------------------------------------------------------

    def test_viewer_may_do_nothing(self):
        message = self.make_dead().with_user(self.viewer)
        for method in ("retry", "replay", "skip", "cancel", "send_now"):
            with self.subTest(method), self.assertRaises(AccessError):
                getattr(message, f"action_{method}")()
        with self.assertRaises(AccessError):
            message.view_payload("curious")
        self.assertEqual(message.state, "dead")

    def test_operator_of_another_company_may_do_nothing(self):
        company = self.env["res.company"].create({"name": "Elsewhere"})
        stranger = self.make_user("operator", company=company)
        message = self.make_dead()
        with self.assertRaises(AccessError):
            message.with_user(stranger).action_retry()

    # -- retry -----------------------------------------------------------------------

    def test_retry_sends_the_same_again(self):
        """Same message, same bytes, same id, one more attempt, marked as manual."""
        message = self.make_dead()
        message.action_retry()
        self.commit_hooks().assert_jobs_count(1)
        self.assertEqual(message.state, "pending")
        self.drain_until_quiet()
        first, second = self.partner.requests
        self.assertEqual((first.id, first.body), (second.id, second.body))
        self.assertEqual(message.state, "delivered")
        attempts = message.attempt_ids.sorted("number")
        self.assertEqual(attempts.mapped("trigger"), ["automatic", "manual"])
        self.assertEqual(attempts[1].user_id, self.operator)
        self.assertEqual(self.audit_entries(message, "retry").user_id, self.operator.id)

    def test_retry_takes_the_place_of_the_planned_attempt(self):
        """One send; its failure goes on with the schedule."""
        self.make_outbox(self.event_type)
        self.partner.answers = [500, 500]
        self.release()
        self.drain()
        message = self.messages().with_user(self.operator)
        message.action_retry()
        ended = self.drain()
        self.assertEqual(len(self.partner.requests), 2)
        self.assertTrue(200 < ended.wake_in < 400, ended)  # the second delay: 5 minutes
        self.assertEqual(message.attempt_ids.sorted("number").mapped("number"), [1, 2])

    def test_retry_after_the_schedule_is_exhausted_is_one_more_attempt(self):
        self.make_outbox(self.event_type)
        self.partner.answers = [500] * 4
        self.release()
        self.drain_until_quiet()
        message = self.messages().with_user(self.operator)
        message.action_retry()
        self.drain_until_quiet()
        self.assertEqual((message.state, message.attempt_count), ("dead", 4))

    def test_retry_on_a_disabled_endpoint_is_refused(self):
        message = self.make_dead()
        message.sudo().endpoint_id._transition("disabled")
        with self.assertRaisesRegex(UserError, "not in use"):
            message.action_retry()

    def test_finished_messages_are_not_retried(self):
        self.make_outbox(self.event_type)
        self.release()
        self.drain_until_quiet()
        with self.assertRaisesRegex(UserError, "Delivered"):
            self.messages().with_user(self.operator).action_retry()

    def test_message_under_way_is_left_alone(self):
        message = self.make_dead()
        message.action_retry()
        self.env.cr.execute("UPDATE integration_queue_entry SET claim = 'a drain'")
        for method in ("action_retry", "action_cancel"):
            with self.assertRaisesRegex(UserError, "right now"):
                getattr(message, method)()

    # -- replay ----------------------------------------------------------------------

    def test_replay_is_a_new_message_rendered_anew(self):
        message = self.make_dead()
        action = message.action_replay("mapping corrected")
        replay = self.messages(replay_of_id=message.id)
        self.assertEqual(action["res_id"], replay.id)
        self.assertEqual(replay.event_id, message.event_id)
        self.assertEqual(replay.ordering_key, message.ordering_key)
        self.assertFalse(replay.body_sha256)
        self.assertTrue(message.superseded)
        self.drain_until_quiet()
        self.assertEqual((message.state, replay.state), ("dead", "delivered"))
        first, second = self.partner.requests
        self.assertNotEqual(first.id, second.id)
        self.assertEqual(second.id, replay.uid)
        self.assertEqual(message.exception_id.state, "resolved")
        entry = self.audit_entries(message, "replay")
        self.assertEqual(
            (entry.reason, entry.user_id), ("mapping corrected", self.operator.id)
        )

    def test_replay_keeps_the_place_in_the_order(self):
        self.make_outbox(self.event_type)
        self.partner.answers = [422]
        document = self.make_documents()
        for name in ("first", "second", "third"):
            document.name = name
            self.release(document)
        self.drain_until_quiet()
        self.assertEqual(len(self.partner.requests), 1)
        head = self.messages(state="dead").with_user(self.operator)
        head.action_replay()
        self.drain_until_quiet()
        numbers = [
            request.json()["data"]["number"] for request in self.partner.requests
        ]
        self.assertEqual(numbers, ["first", "first", "second", "third"])
        self.assertFalse(self.entries())

    def test_replayed_message_is_done_with(self):
        message = self.make_dead()
        message.action_replay()
        for method in ("retry", "replay", "skip", "cancel"):
            with self.subTest(method), self.assertRaisesRegex(UserError, "replayed"):
                getattr(message, f"action_{method}")()

    def test_delivered_message_can_be_replayed(self):
        """The partner lost its data."""
        self.make_outbox(self.event_type)
        self.release()
        self.drain_until_quiet()
        message = self.messages().with_user(self.operator)
        message.action_replay()
        self.drain_until_quiet()
        self.assertEqual(len({request.id for request in self.partner.requests}), 2)
        self.assertFalse(message.superseded)

    def test_pending_message_is_not_replayed(self):
        self.make_outbox(self.event_type)
        self.release()
        with self.assertRaisesRegex(UserError, "Pending"):
            self.messages().with_user(self.operator).action_replay()

    def test_replay_of_a_received_message_has_its_raw_bytes(self):
        endpoint = self.make_endpoint(direction="in")
        values = {
            "direction": "in",
            "endpoint_id": endpoint.id,
            "external_id": "partner-7",
        }
        (message_id,) = self.env["integration.message"]._enqueue([values])
        from ..engine import payload

        row = {
            "message_id": message_id,
            "body": b"\xff raw",
            "phi": True,
            "facts": {"a": 1},
        }
        payload.store(self.env.cr, [row])
        self.env.cr.execute("UPDATE integration_message SET state = 'dead'")
        (new_id,) = operations.replay(self.env.cr, [message_id])
        replay = self.env["integration.message"].browse(new_id)
        self.assertEqual(replay._body(), b"\xff raw")
        self.assertEqual(replay.external_id, "partner-7")

    # -- skip and cancel ---------------------------------------------------------------

    def test_skip_lets_the_younger_ones_pass(self):
        self.make_outbox(self.event_type)
        self.partner.answers = [422]
        document = self.make_documents()
        self.release(document)
        document.name = "second"
        self.release(document)
        self.drain_until_quiet()
        head = self.messages(state="dead").with_user(self.operator)
        head.action_skip("agreed with the partner by phone")
        self.commit_hooks().assert_jobs_count(1)
        self.drain_until_quiet()
        self.assertEqual(self.messages().mapped("state"), ["cancelled", "delivered"])
        self.assertEqual(head.filter_reason, "agreed with the partner by phone")
        self.assertEqual(head.exception_id.state, "resolved")
        self.assertTrue(self.audit_entries(head, "skip").reason)

    def test_only_dead_messages_are_skipped(self):
        self.make_outbox(self.event_type)
        self.release()
        with self.assertRaises(UserError):
            self.messages().with_user(self.operator).action_skip("no")

    def test_cancel(self):
        self.make_outbox(self.event_type)
        self.release()
        message = self.messages().with_user(self.operator)
        message.action_cancel("sent by mail")
        self.drain_until_quiet()
        self.assertEqual(message.state, "cancelled")
        self.assertFalse(self.partner.requests or self.entries())
        self.assertTrue(self.audit_entries(message, "cancel"))

    # -- send now ----------------------------------------------------------------------

    def test_send_now_through_a_test_endpoint(self):
        """The network is used after the commit only."""
        self.make_outbox(self.event_type, state="test")
        self.release()
        message = self.messages().with_user(self.operator)
        message.action_send_now()
        self.assertFalse(self.partner.requests)
        with patch.object(run, "run_now", self.run_now_inline):
            self.commit_hooks()
        self.assertEqual(len(self.partner.requests), 1)
        self.assertEqual(message.state, "delivered")
        self.assertEqual(message.attempt_ids.trigger, "manual")
        self.assertEqual(message.attempt_ids.user_id, self.operator)

    def run_now_inline(self, env, message_ids):
        return self._run_now(env, message_ids, threaded=False)

    _run_now = staticmethod(run.run_now)

    def test_endpoint_is_tried_out(self):
        """The button of the form: a message of its own, sent at once."""
        endpoint = self.make_outbox(self.event_type, state="test")
        action = endpoint.with_user(self.operator).action_send_test()
        with patch.object(run, "run_now", self.run_now_inline):
            self.commit_hooks()
        message = self.env["integration.message"].browse(action["res_id"])
        self.assertEqual(message.state, "delivered")
        self.assertEqual(
            self.partner.requests[0].json()["data"]["endpoint"], endpoint.code
        )

    # -- payload -----------------------------------------------------------------------

    def test_payload_is_seen_with_right_and_reason_and_leaves_a_trace(self):
        message = self.make_dead()
        reader = self.make_user("payload_reader")
        with self.assertRaises(AccessError):
            message.view_payload("operators may not")
        with self.assertRaises(UserError):
            message.with_user(reader).view_payload("  ")
        (part,) = message.with_user(reader).view_payload("ticket 7")
        self.assertEqual(part["text"].encode(), self.partner.requests[0].body)
        entry = self.audit_entries(message, "payload_view")
        self.assertEqual((entry.reason, entry.user_id), ("ticket 7", reader.id))

    def test_rows_cannot_be_forged_over_rpc(self):
        administrator = self.make_user("administrator", "operator", "payload_reader")
        message = self.make_dead().with_user(administrator)
        with self.assertRaises(AccessError):
            message.write({"state": "delivered"})
        with self.assertRaises(AccessError):
            message.unlink()
        with self.assertRaises(AccessError):
            self.env["integration.payload"].with_user(administrator).search([]).read()
        with self.assertRaises(AccessError):
            self.env["integration.queue.entry"].with_user(administrator).search(
                []
            ).read()
