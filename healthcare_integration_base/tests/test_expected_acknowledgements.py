# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""What a subscription expects of the partner, and what happens when it does not come."""

from datetime import timedelta

import psycopg2

from odoo.tests import tagged
from odoo.tools import mute_logger

from .feed_common import AcknowledgementCase


@tagged("post_install", "-at_install")
class TestExpectedAcknowledgements(AcknowledgementCase):
    def test_nothing_is_expected_by_default(self):
        message = self.deliver()
        self.assertFalse(message.business_state or message.acknowledgement_due_at)

    def test_expected_ones_are_awaited_from_the_delivery(self):
        self.expect("accepted", 2.0)
        message = self.publish()
        self.assertFalse(message.acknowledgement_due_at)
        self.acknowledge(self.items())
        self.assertEqual(message.business_state, "awaiting")
        wait = message.acknowledgement_due_at - message.finished_at
        self.assertAlmostEqual(wait, timedelta(hours=2), delta=timedelta(minutes=1))
        self.state(message, "accepted")
        self.assertFalse(message.acknowledgement_due_at)

    def test_accepted_is_not_posted(self):
        self.expect("posted")
        message = self.deliver()
        self.state(message, "accepted")
        self.assertTrue(message.acknowledgement_due_at)
        self.state(message, "posted")
        self.assertFalse(message.acknowledgement_due_at)

    def test_what_came_before_the_delivery_was_noted_counts(self):
        self.expect("posted")
        message = self.publish()
        items = self.items()
        self.state(message, "accepted")
        self.acknowledge(items)
        self.assertEqual(message.business_state, "accepted")
        self.assertTrue(message.acknowledgement_due_at)

    def test_overdue_ones_are_one_case_with_all_messages(self):
        self.expect("accepted")
        messages = self.deliver(3)
        self.hours_pass()
        case = self.cases("acknowledgement_overdue")
        self.assertEqual(len(case), 1)
        self.assertEqual(case.message_line_ids, messages)
        self.assertIn("Medline has not acknowledged", case.name)
        self.assertEqual(messages.mapped("acknowledgement_overdue"), [True] * 3)
        self.hours_pass()
        self.assertEqual(len(self.cases("acknowledgement_overdue")), 1)

    def test_the_case_is_settled_when_all_have_come(self):
        self.expect("accepted")
        first, second = self.deliver(2)
        self.hours_pass()
        case = self.cases("acknowledgement_overdue")
        self.state(first, "accepted")
        self.assertEqual(case.state, "open")
        self.state(second, "rejected")
        self.assertEqual(case.state, "resolved")
        self.assertFalse(second.acknowledgement_overdue)

    def test_event_types_and_endpoints_have_cases_of_their_own(self):
        self.expect("accepted")
        self.deliver()
        self.deliver(event_type=self.make_event_type())
        self.hours_pass()
        self.assertEqual(len(self.cases("acknowledgement_overdue")), 2)

    def test_searching_the_awaited_and_the_overdue(self):
        self.expect("accepted")
        late = self.deliver()
        self.hours_pass()
        waiting = self.deliver()
        Message = self.env["integration.message"]
        awaited = Message.search([("acknowledgement_due_at", "!=", False)])
        overdue = Message.search([("acknowledgement_due_at", "<", "now")])
        self.assertEqual(awaited, waiting + late)
        self.assertEqual(overdue, late)

    def test_hours_that_cannot_be(self):
        for hours in (0.0, -1.0, 9000.0):
            with (
                self.subTest(hours),
                self.assertRaises(psycopg2.errors.CheckViolation),
                mute_logger("odoo.sql_db"),
                self.env.cr.savepoint(),
            ):
                self.expect("accepted", hours)
