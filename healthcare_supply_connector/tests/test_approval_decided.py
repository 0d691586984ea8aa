# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo import Command
from odoo.tests import tagged

from odoo.addons.healthcare_integration_base.protocol.errors import Filtered, Rejected

from .common import SupplyCase


@tagged("post_install", "-at_install")
class TestApprovalDecided(SupplyCase):
    """An approval system decides on orders that wait for it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company.write(
            {"po_double_validation": "two_step", "po_double_validation_amount": 100}
        )
        cls.buyer = cls.make_buyer()
        # what an approval system needs: it approves orders above the limit
        cls.machine = cls.make_user()
        cls.machine.group_ids = [
            Command.link(cls.env.ref("purchase.group_purchase_manager").id)
        ]
        cls.order = cls.make_order((cls.gloves, 100, 2.5), user_id=cls.buyer.id)
        cls.order.order_line.tax_ids = False
        cls.order.with_user(cls.buyer).button_confirm()
        system = cls.make_system()
        endpoint = cls.make_endpoint(system_id=system.id, direction="in")
        cls.message = cls.env["integration.message"].create(
            {"uid": "approval", "direction": "in", "endpoint_id": endpoint.id}
        )

    def decide(self, decision="approved", message=None, **vals):
        data = {
            "purchase_order": self.order.name,
            "decision": decision,
            "decided_at": "2026-11-20T08:00:00Z",
            "approver": "P-4711",
            "amount": "250.00",
            "currency": self.order.currency_id.name,
            **vals,
        }
        event_type = self.env.ref(
            "healthcare_supply_connector.event_type_supply_purchase_order_approval_decided"
        )
        self.assertEqual(event_type._validate(data), [])
        orders = self.env["purchase.order"].with_user(self.machine)
        return getattr(orders, event_type.handler_method)(data, message or self.message)

    def assertRefused(self, error, code, *args, **vals):
        state = self.order.state
        with self.assertRaises(error) as caught:
            self.decide(*args, **vals)
        self.assertEqual(caught.exception.code, code)
        self.assertEqual(self.order.state, state)

    def test_order_waits(self):
        self.assertEqual(self.order.state, "to approve")

    def test_approved(self):
        self.subscribe(
            "supply.purchase_order.approved", "supply.purchase_order.released"
        )
        result = self.decide(limit="1000", reference="WF-9")
        self.assertEqual(result, self.order)
        self.assertEqual(self.order.state, "purchase")
        self.assertPublished("supply.purchase_order.approved", self.order)
        self.assertPublished("supply.purchase_order.released", self.order)
        self.assertIn("P-4711", str(self.order.message_ids.mapped("body")))

    def test_rejected_tells_the_buyer(self):
        self.decide("rejected", reason="budget <b>spent</b>")
        self.assertEqual(self.order.state, "to approve")
        activity = self.order.activity_ids
        self.assertEqual(
            (activity.user_id, activity.summary), (self.buyer, "Approval rejected")
        )
        self.assertIn("budget &lt;b&gt;spent", activity.note)

    def test_rejected_cancels_by_policy(self):
        self.company.approval_rejection_policy = "cancel"
        self.subscribe("supply.purchase_order.cancelled")
        self.decide("rejected", reason="budget spent")
        self.assertEqual(self.order.state, "cancel")
        self.assertPublished("supply.purchase_order.cancelled", self.order)

    def test_repeated(self):
        self.decide()
        self.assertRefused(Filtered, "approval_repeated")

    def test_rejection_of_what_is_approved(self):
        self.decide()
        self.assertRefused(Rejected, "purchase_order_not_waiting", "rejected")

    def test_order_that_changed_since(self):
        self.order.order_line.price_unit = 3
        self.assertRefused(Rejected, "amount_changed")

    def test_other_currency(self):
        self.assertRefused(Rejected, "amount_changed", currency="CHF")

    def test_amount_over_the_approvers_limit(self):
        self.assertRefused(Rejected, "limit_exceeded", limit="249.99")

    def test_limit_does_not_matter_for_a_rejection(self):
        self.decide("rejected", limit="1")
        self.assertTrue(self.order.activity_ids)

    def test_draft_and_unknown_orders_are_unknown(self):
        draft = self.make_order()
        self.assertRefused(
            Rejected, "purchase_order_unknown", purchase_order=draft.name
        )
        self.assertRefused(Rejected, "purchase_order_unknown", purchase_order="NONE")

    def test_order_of_another_company_is_unknown(self):
        company = self.env["res.company"].create({"name": "Other Hospital"})
        self.machine = self.make_user(company=company)
        self.machine.group_ids = [
            Command.link(self.env.ref("purchase.group_purchase_manager").id)
        ]
        self.assertRefused(Rejected, "purchase_order_unknown")

    def test_supplier_cannot_approve_his_own_order(self):
        self.assertRefused(
            Rejected, "approval_not_allowed", message=self.make_message()
        )

    def test_machine_user_who_may_not_approve(self):
        self.machine = self.make_buyer()
        self.assertRefused(Rejected, "approval_not_permitted")

    def test_time_in_the_future(self):
        self.assertRefused(
            Rejected, "time_in_future", decided_at="2099-01-01T00:00:00Z"
        )

    def test_broken_contract(self):
        event_type = self.env.ref(
            "healthcare_supply_connector.event_type_supply_purchase_order_approval_decided"
        )
        self.assertTrue(event_type._validate({"purchase_order": "P1"}))
