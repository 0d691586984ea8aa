# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""What the screens of endpoints and queues count and warn of."""

from datetime import timedelta

from odoo import fields
from odoo.exceptions import AccessError
from odoo.tests import tagged

from ..protocol import ids
from .common import IntegrationCase


class FiguresCase(IntegrationCase):
    def make_message(self, endpoint, state, **vals):
        return self.env["integration.message"].create(
            {
                "uid": ids.uuid7(),
                "direction": endpoint.direction,
                "endpoint_id": endpoint.id,
                "state": state,
                **vals,
            }
        )

    def make_case(self, queue=None, **vals):
        name = self.next_code("case")
        return self.env["integration.exception"].create(
            {
                "name": name,
                "fingerprint": name,
                "category": "business",
                "queue_id": queue and queue.id,
                **vals,
            }
        )


@tagged("post_install", "-at_install")
class TestFigures(FiguresCase):
    def test_messages_of_each_endpoint_are_counted_apart(self):
        one, other = self.make_endpoint(), self.make_endpoint()
        for state in ("pending", "pending", "dead", "delivered"):
            self.make_message(one, state)
        self.make_message(one, "dead", superseded=True)
        self.make_message(other, "dead")

        self.assertEqual((one.pending_count, one.dead_count), (2, 1))
        self.assertEqual((other.pending_count, other.dead_count), (0, 1))

    def test_only_open_cases_are_counted(self):
        endpoint = self.make_endpoint()
        self.make_case(endpoint_id=endpoint.id)
        self.make_case(endpoint_id=endpoint.id, state="resolved")

        self.assertEqual(endpoint.case_count, 1)

    def test_endpoint_of_another_environment_is_told(self):
        endpoint = self.make_endpoint()
        self.assertTrue(endpoint.environment_matches)

        self.use_settings(environment="production")
        endpoint.invalidate_recordset()

        self.assertFalse(endpoint.environment_matches)
        self.assertEqual(endpoint.database_environment, "production")

    def test_only_incoming_endpoint_has_an_address_for_the_partner(self):
        incoming = self.make_endpoint(direction="in")

        self.assertTrue(
            incoming.receive_url.endswith(f"/integration/v1/messages/{incoming.code}")
        )
        self.assertFalse(self.make_endpoint().receive_url)

    def test_health_is_that_of_the_endpoint(self):
        endpoint = self.make_endpoint()
        self.assertEqual(endpoint.breaker_state, "closed")

        self.env["integration.endpoint.health"].create(
            {
                "endpoint_id": endpoint.id,
                "breaker_state": "open",
                "failing_since": "2026-11-20 12:00:00",
            }
        )

        self.assertEqual(endpoint.breaker_state, "open")
        self.assertEqual(str(endpoint.failing_since), "2026-11-20 12:00:00")

    def test_queue_counts_open_unassigned_and_overdue_cases(self):
        queue = self.env["integration.exception.queue"].create({"name": "Tour"})
        now = fields.Datetime.now()
        self.make_case(queue, deadline=now - timedelta(hours=1))
        self.make_case(
            queue, user_id=self.env.user.id, deadline=now + timedelta(hours=1)
        )
        self.make_case(queue, state="resolved", deadline=now - timedelta(hours=1))

        counts = (queue.open_count, queue.unassigned_count, queue.overdue_count)
        self.assertEqual(counts, (2, 1, 1))


@tagged("post_install", "-at_install")
class TestClosingCases(FiguresCase):
    def close(self, user, case, outcome):
        wizard = self.env["integration.exception.close"].with_user(user)
        wizard.create(
            {"exception_id": case.id, "outcome": outcome, "reason": "Told by phone"}
        ).action_close()

    def test_case_is_closed_with_its_reason(self):
        handler = self.make_user("exception_handler")
        for outcome, state in (("resolve", "resolved"), ("ignore", "ignored")):
            with self.subTest(outcome=outcome):
                case = self.make_case()
                self.close(handler, case, outcome)
                self.assertEqual(case.state, state)
                self.assertEqual(case.resolution, "Told by phone")
                self.assertEqual(case.resolved_by_id, handler)

    def test_viewer_cannot_close_a_case(self):
        case = self.make_case()
        with self.assertRaises(AccessError):
            self.close(self.make_user("viewer"), case, "resolve")
        self.assertEqual(case.state, "open")
