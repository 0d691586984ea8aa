# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Cases for people: one per cause, in the right queue, closed when it is over."""

from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from ..engine import cases
from .delivery_case import DocumentCase


@tagged("post_install", "-at_install")
class TestCases(DocumentCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.handler = cls.make_user("exception_handler", "operator")

    def cases(self, **domain):
        conditions = [(name, "=", value) for name, value in domain.items()]
        return self.env["integration.exception"].search(conditions, order="id")

    def make_failing(self, *answers, count=None):
        """Have documents fail; return their messages."""
        if not self.env["integration.endpoint"].search_count([("code", "=", "cases")]):
            self.make_outbox(self.event_type, code="cases")
        self.partner.answers = list(answers)
        before = self.messages()
        self.release(self.make_documents(count or len(answers)))
        self.drain_until_quiet()
        return self.messages() - before

    def test_one_case_per_cause(self):
        self.make_failing(422, 422, 422)
        self.make_failing(401)
        by_code = {case.code: case.count for case in self.cases()}
        self.assertEqual(by_code, {"http_422": 3, "http_401": 1})
        self.make_failing(422)
        self.assertEqual(self.cases(code="http_422").count, 4)

    def test_case_says_what_and_where_and_nothing_of_the_content(self):
        message = self.make_failing(422)
        case = message.exception_id
        self.assertIn(message.endpoint_id.name, case.name)
        self.assertIn(self.event_type.code, case.name)
        self.assertEqual(case.endpoint_id, message.endpoint_id)
        self.assertEqual(case.unresolved_count, 1)
        self.assertTrue(case.deadline > case.first_seen)
        self.assertNotIn(
            "D000", f"{case.name} {case.detail} {case.message_ids.mapped('body')}"
        )

    def test_case_closes_when_the_last_message_gets_through(self):
        messages = self.make_failing(422, 422)
        case = messages.exception_id
        messages[0].action_retry()
        self.drain_until_quiet()
        self.assertEqual((case.state, case.unresolved_count), ("open", 1))
        messages[1].action_replay()
        self.drain_until_quiet()
        self.assertEqual((case.state, case.unresolved_count), ("resolved", 0))
        self.assertTrue(case.resolved_at)

    def test_closed_case_stays_closed_and_the_next_failure_opens_another(self):
        first = self.make_failing(422).exception_id
        first.with_user(self.handler).action_ignore("known, harmless")
        second = self.make_failing(422).exception_id
        self.assertNotEqual(first, second)
        self.assertEqual((first.state, second.state), ("ignored", "open"))

    def test_message_that_fails_otherwise_moves_to_another_case(self):
        message = self.make_failing(422)
        first = message.exception_id
        self.partner.answers = [401]
        message.action_retry()
        self.drain_until_quiet()
        self.assertEqual(message.exception_id.code, "http_401")
        self.assertEqual(first.state, "resolved")

    def test_case_is_routed(self):
        """The endpoint's own queue, else the first that fits, else the one for the rest."""
        env, Queue = self.env, self.env["integration.exception.queue"]
        Queue.search([]).active = False
        rest = Queue.create({"name": "Rest", "sequence": 1})
        finance = Queue.create(
            {"name": "Finance", "sequence": 2, "event_prefixes": "finance., pay."}
        )
        keys = Queue.create(
            {"name": "Keys", "sequence": 3, "category_codes": "authentication"}
        )
        own = Queue.create({"name": "Own", "sequence": 4, "event_prefixes": "nothing."})
        endpoint = self.make_endpoint()
        invoice = self.make_event_type(code="finance.statement.closed")
        order = self.make_event_type(code="supply.order.released")

        def queue(event_type, category):
            return cases.route(env, endpoint, event_type, category, env.company.id)

        self.assertEqual(queue(invoice, "rejected"), finance)
        self.assertEqual(queue(order, "authentication"), keys)
        self.assertEqual(queue(order, "rejected"), rest)
        endpoint.exception_queue_id = own
        self.assertEqual(queue(invoice, "rejected"), own)

    def test_queues_of_other_companies_take_nothing(self):
        company = self.env["res.company"].create({"name": "Other"})
        foreign = self.env["integration.exception.queue"].create(
            {"name": "Foreign", "sequence": -1, "company_id": company.id}
        )
        case = self.make_failing(422).exception_id
        self.assertNotEqual(case.queue_id, foreign)

    def test_crash_before_the_case_is_made_up_for(self):
        message = self.make_failing(422)
        message.exception_id.sudo().unlink()
        self.env.flush_all()
        self.env["integration.drain"]._sweep()
        self.env.invalidate_all()
        self.assertEqual(message.exception_id.state, "open")

    # -- buttons -----------------------------------------------------------------------

    def test_take(self):
        case = self.make_failing(422).exception_id.with_user(self.handler)
        case.action_take()
        self.assertEqual((case.user_id, case.state), (self.handler, "in_progress"))

    def test_replay_all(self):
        case = self.make_failing(422, 422, 422).exception_id.with_user(self.handler)
        case.action_replay_all()
        self.drain_until_quiet()
        self.assertEqual(case.state, "resolved")
        self.assertEqual(len(self.messages(state="delivered")), 3)

    def test_retry_all(self):
        case = self.make_failing(422, 422).exception_id.with_user(self.handler)
        case.action_retry_all()
        self.drain_until_quiet()
        self.assertEqual(case.state, "resolved")
        self.assertEqual(len(self.messages()), 2)

    def test_closing_needs_a_reason_and_the_right(self):
        case = self.make_failing(422).exception_id
        with self.assertRaises(UserError):
            case.with_user(self.handler).action_resolve(" ")
        viewer = self.make_user("viewer")
        for method, arguments in {
            "action_take": (),
            "action_resolve": ("x",),
            "action_ignore": ("x",),
        }.items():
            with self.subTest(method), self.assertRaises(AccessError):
                getattr(case.with_user(viewer), method)(*arguments)
        case.with_user(self.handler).action_resolve("sent by fax")
        self.assertRecordValues(
            case,
            [
                {
                    "state": "resolved",
                    "resolution": "sent by fax",
                    "resolved_by_id": self.handler.id,
                }
            ],
        )
        with self.assertRaises(UserError):
            case.with_user(self.handler).action_take()
