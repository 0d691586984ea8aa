# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Which queue a case comes to, who gets it, and who hears of it when it is overdue."""

from datetime import timedelta

from odoo import Command, fields
from odoo.exceptions import ValidationError
from odoo.tests import tagged

from .cases_common import CauseCase

CODES = ("opened", "escalated", "resolved")


@tagged("post_install", "-at_install")
class TestCaseRouting(CauseCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.Queue = cls.env["integration.exception.queue"]
        cls.Queue.search([]).active = False
        cls.env["integration.exception.code"].search([]).queue_id = False
        cls.rest = cls.Queue.create({"name": "Rest", "sequence": 99})
        cls.second = cls.make_user("exception_handler", company=cls.company)
        cls.leader = cls.make_user("exception_handler", company=cls.company)

    def make_queue(self, name="Special", **values):
        return self.Queue.create({"name": name, "category_codes": "gone", **values})

    def make_rule(self, queue, **values):
        return self.env["integration.exception.route"].create(
            {"queue_id": queue.id, **values}
        )

    def late(self, case, hours):
        """Let a deadline have passed some hours ago."""
        case.sudo().deadline = fields.Datetime.now() - timedelta(hours=hours)

    # -- rules -----------------------------------------------------------------------

    def test_each_condition_of_a_rule_counts(self):
        other = self.env["res.partner"].create({"name": "Other"})
        for fits, fails in (
            ({"category": "business"}, {"category": "mapping"}),
            ({"code": "price_difference"}, {"code": "item_unknown"}),
            ({"event_prefix": "partner."}, {"event_prefix": "finance."}),
            ({"partner_id": self.supplier.id}, {"partner_id": other.id}),
            ({"system_id": self.system.id}, {"system_id": self.make_system().id}),
            ({"company_id": self.company.id}, {"company_id": self.env.company.id}),
            ({"amount_min": 100}, {"amount_min": 101}),
            ({"amount_max": 100}, {"amount_max": 99}),
        ):
            for conditions, expected in ((fits, True), (fails, False)):
                queue = self.make_queue()
                rule = self.make_rule(queue, **conditions)
                case = self.raise_case(
                    self.price(
                        "100", None, str(rule.id), self.company.currency_id.name
                    ),
                    event_type=self.event_type,
                )
                with self.subTest(conditions):
                    self.assertEqual(case.queue_id == queue, expected)
                rule.active = False

    def test_first_rule_wins_over_the_endpoints_queue(self):
        one, two, own = (self.make_queue(name) for name in ("one", "two", "own"))
        self.endpoint.exception_queue_id = own
        self.make_rule(two, sequence=2)
        self.make_rule(one, sequence=1, code="item_unknown")
        self.assertEqual(self.raise_case(self.unknown("A")).queue_id, one)
        self.assertEqual(self.raise_case(self.price("1", None)).queue_id, two)
        self.env["integration.exception.route"].search([]).unlink()
        self.assertEqual(self.raise_case(self.unknown("B")).queue_id, own)

    def test_default_queue_of_a_code(self):
        queue = self.make_queue()
        self.env["integration.exception.code"].create(
            {"name": "Some test kind", "code": "test_kind", "queue_id": queue.id}
        )
        cause = self.unknown("A")
        cause = type(cause)(code="test_kind", key="A", title="A")
        case = self.raise_case(cause)
        self.assertEqual((case.queue_id, case.title), (queue, "Some test kind"))
        self.assertEqual(self.raise_case(self.unknown("A")).queue_id, self.rest)

    def test_rules_that_never_fit_are_refused(self):
        queue = self.make_queue()
        for values in (
            {"amount_min": 10, "amount_max": 5},
            {"amount_min": -1},
            {"assign": "fixed"},
        ):
            with self.subTest(values), self.assertRaises(ValidationError):
                self.make_rule(queue, **values)
        with self.assertRaises(ValidationError):
            queue.hours_to_resolve = 0
        with self.assertRaises(ValidationError):
            queue.assign = "fixed"
        with self.assertRaises(ValidationError):
            queue.escalation_ids = [Command.create({"hours": -1})]

    # -- people ----------------------------------------------------------------------

    def test_assignment(self):
        people = self.handler | self.second
        viewer = self.make_user("viewer", company=self.company)
        stranger = self.make_user("exception_handler")
        self.rest.write({"member_ids": [Command.set((people | viewer | stranger).ids)]})

        def assigned(number, strategy):
            self.rest.assign = strategy
            keys = [f"{strategy} {n}" for n in range(number)]
            return [self.raise_case(self.unknown(key)).user_id for key in keys]

        one, two = people.sorted("id")
        nobody = people.browse()
        self.assertEqual(assigned(2, "none"), [nobody, nobody])
        self.assertEqual(assigned(3, "round_robin"), [one, two, one])
        self.assertEqual(assigned(2, "least_loaded"), [two, one])
        self.rest.assign_user_id = two
        self.assertEqual(assigned(2, "fixed"), [two, two])

    def test_owner_gets_an_activity(self):
        case = self.raise_case(self.unknown("A"))
        self.assertFalse(case.activity_ids)
        case.with_user(self.handler).write({"user_id": self.second.id})
        self.assertEqual(case.activity_ids.user_id, self.second)
        case.with_user(self.handler).action_ignore("no")
        self.assertFalse(case.activity_ids)

    def test_leader_gets_an_activity_of_what_nobody_has(self):
        self.rest.write({"leader_id": self.leader.id, "notify": "leader"})
        case = self.raise_case(self.unknown("A"))
        self.assertEqual(case.activity_ids.user_id, self.leader)

    def test_case_is_given_to_nobody_who_cannot_work_on_it(self):
        case = self.raise_case(self.unknown("A")).with_user(self.handler)
        viewer = self.make_user("viewer", company=self.company)
        with self.assertRaisesRegex(ValidationError, "does not handle"):
            case.user_id = viewer

    # -- escalation ------------------------------------------------------------------

    def test_each_level_once(self):
        self.rest.write(
            {
                "leader_id": self.leader.id,
                "escalation_ids": [
                    Command.create({"hours": 0}),
                    Command.create({"hours": 8, "user_id": self.second.id}),
                ],
            }
        )
        case = self.raise_case(self.unknown("A"))
        escalate = self.env["integration.exception"]._cron_escalate
        self.assertEqual(escalate(), 0)
        self.late(case, 1)
        self.assertEqual((escalate(), escalate()), (1, 0))
        self.assertEqual(case.escalation_level, 1)
        self.assertEqual(case.activity_ids.user_id, self.leader)
        self.late(case, 9)
        self.assertEqual((escalate(), escalate()), (1, 0))
        self.assertEqual(case.escalation_level, 2)
        self.assertEqual(case.activity_ids.user_id, self.leader | self.second)

    def test_closed_case_does_not_escalate(self):
        self.rest.escalation_ids = [Command.create({"hours": 0})]
        case = self.raise_case(self.unknown("A"))
        self.late(case, 1)
        case.with_user(self.handler).action_ignore("no")
        self.assertEqual(self.env["integration.exception"]._cron_escalate(), 0)

    def test_urgency_follows_the_clock(self):
        case = self.raise_case(self.unknown("A"))
        self.assertEqual(case.urgency, "due")
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE integration_exception SET deadline = now() - interval '1 hour'"
            " WHERE id = %s",
            (case.id,),
        )
        self.env.invalidate_all()
        self.assertEqual(case.urgency, "due")
        self.env["integration.exception"]._cron_escalate()
        self.assertEqual(case.urgency, "overdue")

    def test_events_tell_subscribers_what_the_schema_says(self):
        types = self.env["integration.event.type"].search(
            [("code", "in", [f"integration.exception.{code}" for code in CODES])]
        )
        self.assertEqual(len(types), 3)
        endpoint = self.make_endpoint(state="active")
        self.make_subscription(endpoint, types)
        self.env.registry.clear_cache()
        self.rest.escalation_ids = [Command.create({"hours": 0})]
        partner = self.env["res.partner"].create({"name": "Bill 7"})
        case = self.raise_case(self.price("12.50", partner))
        self.env.cr.flush()
        self.late(case, 1)
        self.env["integration.exception"]._cron_escalate()
        self.env.cr.flush()
        case.with_user(self.handler).action_ignore("harmless")
        self.env.cr.flush()
        events = self.env["integration.event"].search(
            [("type_id", "in", types.ids), ("res_id", "=", case.id)], order="id"
        )
        self.assertEqual(
            [code.rpartition(".")[2] for code in events.mapped("type_id.code")],
            list(CODES),
        )
        self.assertFalse(any(events.mapped("error")))
        for event in events:
            data = event._data()
            self.assertEqual(event.type_id._validate(data), [])
            self.assertEqual(data["amount"], "12.50")
            self.assertEqual(data["document"], "Bill 7")
