# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""One case per business cause, with all its messages and what is at stake."""

from decimal import Decimal

from odoo.tests import tagged

from ..protocol.cause import Cause
from ..protocol.errors import Rejected
from .cases_common import CauseCase
from .reception_common import raising


@tagged("post_install", "-at_install")
class TestCasesByCause(CauseCase):
    # -- failures ------------------------------------------------------------------

    def test_messages_with_the_same_cause_share_a_case(self):
        messages = self.fail("ABC", "XYZ", "ABC")
        self.assertEqual(set(messages.mapped("state")), {"dead"})
        one, other = self.cases(cause_key="ABC"), self.cases(cause_key="XYZ")
        self.assertRecordValues(
            one | other,
            [
                {
                    "name": f"Unknown item {item} at Medline",
                    "code": "item_unknown",
                    "cause_key": item,
                    "cause_data": {"domain": "item", "external_value": item},
                    "category": "business",
                    "state": "open",
                    "partner_id": self.supplier.id,
                    "system_id": self.system.id,
                    "company_id": self.company.id,
                    "count": count,
                }
                for item, count in (("ABC", 2), ("XYZ", 1))
            ],
        )
        self.fail("ABC")
        self.assertEqual(one.count, 3)

    def test_cause_is_kept_on_the_message_until_it_gets_through(self):
        message = self.fail("ABC")
        self.assertEqual(message.cause["key"], "ABC")
        self.assertEqual(message.last_error_code, "item_unknown")
        self.known = {"ABC"}
        message.sudo().action_retry()
        self.apply_all()
        self.assertEqual(message.state, "done")
        self.assertFalse(message.cause)

    def test_message_that_fails_for_another_cause_moves(self):
        message = self.fail("ABC")
        former = message.exception_id
        other = Cause(code="unit_unknown", key="BX", title="Unknown unit BX")
        self.handle_with(raising(Rejected("Unknown unit", cause=other)))
        message.sudo().action_replay()
        self.apply_all()
        replay = self.replays(message)
        self.assertEqual(replay.exception_id.name, "Unknown unit BX")
        self.assertEqual(former.state, "resolved")

    def test_same_cause_at_another_system_is_another_case(self):
        self.fail("ABC")
        system = self.make_system(company_id=self.company.id)
        self.endpoint = self.make_inbox("other-in", system_id=system.id)
        self.client = self.make_client("Other", self.endpoint)
        self.fail("ABC")
        self.assertEqual(len(self.cases(cause_key="ABC")), 2)

    def test_cause_that_returns_opens_a_case_that_knows_the_former(self):
        first = self.fail("ABC").exception_id
        first.with_user(self.handler).action_ignore("not ours")
        second = self.fail("ABC").exception_id
        self.assertEqual(second.previous_id, first)
        self.assertEqual((first.state, second.state), ("ignored", "open"))

    def test_whatever_a_partner_sends_gets_its_case(self):
        """A NUL, a lone surrogate, an endless name, an absurd amount."""
        odd = "A\x00B\ud800\n" + "x" * 3000
        cause = Cause(
            code="item_unknown",
            key=odd,
            title=f"Unknown item {odd}",
            amount=Decimal("1e999999"),
            data={"value": odd, "number": float("nan")},
        )
        message = self.applied({"name": "A"}, raising(Rejected("No", cause=cause)))
        self.assertEqual(message.state, "dead")
        self.assertEqual(message.exception_id.code, "item_unknown")
        self.assertTrue(message.exception_id.name.startswith("Unknown item A B"))
        self.assertEqual(message.exception_id.amount, 0)

    def test_of_protected_health_information_the_case_tells_nothing(self):
        self.event_type.sensitivity = "phi"
        messages = self.fail("Anna Mueller", "Anna Mueller")
        case = messages.exception_id
        self.assertEqual((len(case), case.count), (1, 2))
        kept = f"{case.name} {case.cause_key} {case.cause_data} {messages[0].cause}"
        self.assertNotIn("Anna", kept)
        self.assertEqual(case.name, "Item unknown")

    # -- decisions -----------------------------------------------------------------

    def test_decision_outlives_its_message(self):
        """The message was applied; the case waits for a person all the same."""

        def handler(model, data, message):
            partner = model.create({"name": data["name"]})
            cause = self.price("3.00", partner)
            model.env["integration.exception"]._raise_case(cause, message=message)
            return partner

        message = self.applied({"name": "Bill"}, handler)
        case = message.exception_id
        self.assertEqual(message.state, "done")
        self.assertRecordValues(
            case,
            [
                {
                    "state": "open",
                    "decision": True,
                    "amount": 3.0,
                    "res_model": "res.partner",
                    "res_id": message.res_id,
                    "count": 1,
                    "unresolved_count": 0,
                }
            ],
        )
        case.with_user(self.handler)._finish("Accepted, the list price rose")
        self.assertRecordValues(
            case,
            [
                {
                    "state": "resolved",
                    "resolution": "Accepted, the list price rose",
                    "resolved_by_id": self.handler.id,
                }
            ],
        )

    def test_rolled_back_message_leaves_no_case(self):
        def handler(model, data, message):
            model.env["integration.exception"]._raise_case(
                self.price("3.00", None), message=message
            )
            raise Rejected("On second thoughts", code="second_thoughts")

        self.applied({"name": "Bill"}, handler)
        self.assertEqual(self.cases().mapped("code"), ["second_thoughts"])

    def test_amount_is_the_latest_of_each_document_added_up(self):
        one, other = self.env["res.partner"].create([{"name": "1"}, {"name": "2"}])
        case = self.raise_case(self.price("10.00", one))
        self.assertEqual(self.raise_case(self.price("5.50", other)), case)
        self.assertEqual((case.amount, case.currency_id.name), (15.5, "EUR"))
        self.raise_case(self.price("4.00", one))
        self.assertEqual(case.amount, 9.5)
        self.raise_case(self.price("1.00", other, currency="USD"))
        self.assertEqual(case.currency_id, self.company.currency_id)

    def test_settled_cause_resolves_its_case(self):
        self.raise_case(self.price("3", None))
        case = self.env["integration.exception"]._settle_case(
            "price_difference", "P00042/10", "Credit note", self.company, self.system
        )
        self.assertEqual((case.state, case.resolution), ("resolved", "Credit note"))
        self.assertFalse(
            self.env["integration.exception"]._settle_case(
                "price_difference", "P00042/10", "Again", self.company, self.system
            )
        )

    def test_settled_cause_replays_what_failed_for_it(self):
        message = self.fail("ABC")
        self.known = {"ABC"}
        case = self.env["integration.exception"]._settle_case(
            "item_unknown", "ABC", "Item made", self.company, self.system
        )
        self.assertEqual((case.state, case.waiting_for), ("in_progress", "replay"))
        self.apply_all()
        self.assertEqual((case.state, case.resolution), ("resolved", "Item made"))
        self.assertEqual(self.replays(message).state, "done")
