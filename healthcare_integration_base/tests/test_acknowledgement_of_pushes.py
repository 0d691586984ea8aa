# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""What is expected of pushed messages begins with their delivery."""

from odoo.tests import tagged

from .delivery_case import DocumentCase


@tagged("post_install", "-at_install")
class TestAcknowledgementOfPushes(DocumentCase):
    def test_awaiting_once_the_partner_has_it(self):
        expected = {"expected_acknowledgement": "accepted", "expected_hours": 1.0}
        self.make_outbox(self.event_type, subscription=expected)
        self.make_outbox(self.event_type)
        self.partner.answers.append(503)
        self.release()
        self.drain()
        self.drain_until_quiet()
        watched, other = self.messages()
        self.assertEqual(watched.state, "delivered")
        self.assertEqual(watched.business_state, "awaiting")
        self.assertTrue(watched.acknowledgement_due_at > watched.finished_at)
        self.assertFalse(other.business_state or other.acknowledgement_due_at)

    def test_a_push_and_a_feed_of_one_event(self):
        self.make_outbox(self.event_type)
        feed = self.make_endpoint(transport="feed", url=False)
        feed._transition("active")
        self.make_subscription(feed, self.event_type)
        documents = self.make_documents()
        documents.action_release()
        trap = self.commit_hooks()
        self.assertEqual(len(trap.enqueued_jobs), 1)
        self.drain_until_quiet()
        states = {m.endpoint_id.transport: m.state for m in self.messages()}
        self.assertEqual(states, {"https": "delivered", "feed": "pending"})

    def test_a_feed_alone_wakes_no_drain(self):
        feed = self.make_endpoint(transport="feed", url=False)
        feed._transition("active")
        self.make_subscription(feed, self.event_type)
        self.commit_hooks()
        self.make_documents().action_release()
        self.assertFalse(self.commit_hooks().enqueued_jobs)
        self.env["integration.drain"]._sweep()
        self.assertFalse(self.env["integration.drain"]._next_by_lane())
        self.assertEqual(self.messages().state, "pending")

    def test_a_feed_in_shadow_is_recorded_and_given_to_nobody(self):
        feed = self.make_endpoint(transport="feed", url=False)
        feed._transition("shadow")
        self.make_subscription(feed, self.event_type)
        self.release()
        self.drain()
        message = self.messages()
        self.assertEqual(message.state, "shadow")
        self.assertTrue(message.body_sha256)
        self.assertFalse(message.business_state)
