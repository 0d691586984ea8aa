# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, tagged

from .common import SupplyCase


@tagged("post_install", "-at_install")
class TestSupplierApproval(SupplyCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.buyer = cls.make_buyer()
        cls.approver = cls.make_buyer(
            "healthcare_supply_connector.group_supplier_approver"
        )

    def policy(self, value):
        self.company.supplier_approval_policy = value

    def test_buyer_asks_and_approver_decides(self):
        self.supplier.with_user(self.buyer).action_request_supplier_approval()
        self.assertEqual(self.supplier.supplier_approval_state, "pending")
        self.supplier.with_user(self.approver).action_approve_supplier()
        self.assertRecordValues(
            self.supplier,
            [
                {
                    "supplier_approval_state": "approved",
                    "supplier_approval_by_id": self.approver.id,
                }
            ],
        )
        self.assertTrue(self.supplier.supplier_approval_at)

    def test_buyer_cannot_decide(self):
        supplier = self.supplier.with_user(self.buyer)
        for method in (
            supplier.action_approve_supplier,
            supplier.action_block_supplier,
            supplier.action_reset_supplier_approval,
        ):
            with self.assertRaises(AccessError):
                method()

    def test_state_cannot_be_written_by_others(self):
        editor = self.make_buyer("base.group_partner_manager")
        with self.assertRaises(AccessError):
            self.supplier.with_user(editor).supplier_approval_state = "approved"
        with self.assertRaises(AccessError):
            self.env["res.partner"].with_user(editor).create(
                {"name": "X", "supplier_approval_state": "approved"}
            )

    def test_making_a_contact_does_not_approve_it(self):
        editor = self.make_buyer("base.group_partner_manager")
        partners = self.env["res.partner"].with_user(editor)
        forged = {
            "default_supplier_approval_state": "approved",
            "default_supplier_approval_by_id": self.approver.id,
        }
        partner = partners.with_context(**forged).create({"name": "X"})
        self.assertEqual(partner.supplier_approval_state, "draft")
        self.assertFalse(partner.supplier_approval_by_id)

    def test_who_and_when_cannot_be_forged(self):
        approver = self.make_buyer(
            "base.group_partner_manager",
            "healthcare_supply_connector.group_supplier_approver",
        )
        supplier = self.supplier.with_user(approver)
        with self.assertRaises(AccessError):
            supplier.supplier_approval_by_id = self.buyer
        supplier.supplier_approval_state = "approved"
        self.assertEqual(supplier.supplier_approval_by_id, approver)

    def test_user_without_purchase_rights_cannot_ask(self):
        with self.assertRaises(AccessError):
            self.supplier.with_user(self.make_user()).action_request_supplier_approval()

    def test_approved_is_not_asked_for_again(self):
        self.supplier.action_approve_supplier()
        with self.assertRaises(UserError):
            self.supplier.with_user(self.approver).action_request_supplier_approval()

    def test_copy_starts_unassessed(self):
        self.supplier.action_approve_supplier()
        self.assertEqual(self.supplier.copy().supplier_approval_state, "draft")

    def test_no_check_by_default(self):
        order = self.make_order()
        self.assertFalse(order.supplier_approval_warning)
        order.button_confirm()
        self.assertEqual(order.state, "purchase")

    def test_warning(self):
        self.policy("warning")
        order = self.make_order()
        self.assertIn("not an approved supplier", order.supplier_approval_warning)
        order.button_confirm()
        self.assertEqual(order.state, "purchase")
        self.assertIn("not an approved supplier", str(order.message_ids.mapped("body")))
        self.assertFalse(order.supplier_approval_warning)

    def test_warning_in_the_form(self):
        self.policy("warning")
        with Form(self.env["purchase.order"]) as form:
            form.partner_id = self.supplier
            self.assertIn("Sutures", form.supplier_approval_warning)

    def test_block(self):
        self.policy("block")
        order = self.make_order()
        with self.assertRaisesRegex(UserError, "not an approved supplier"):
            order.button_confirm()
        self.supplier.action_approve_supplier()
        order.button_confirm()
        self.assertEqual(order.state, "purchase")

    def test_block_at_the_second_approval(self):
        self.policy("block")
        self.supplier.action_approve_supplier()
        self.company.write(
            {"po_double_validation": "two_step", "po_double_validation_amount": 1.0}
        )
        order = self.make_order()
        order.with_user(self.buyer).button_confirm()
        self.assertEqual(order.state, "to approve")
        self.supplier.action_block_supplier()
        with self.assertRaisesRegex(UserError, "blocked supplier"):
            order.button_approve()

    def test_contact_of_an_approved_supplier(self):
        self.policy("block")
        self.supplier.action_approve_supplier()
        contact = self.env["res.partner"].create(
            {"name": "Ann", "parent_id": self.supplier.id, "type": "contact"}
        )
        order = self.make_order(supplier=contact)
        order.button_confirm()
        self.assertEqual(order.state, "purchase")

    def test_policy_is_the_companys(self):
        other = self.env["res.company"].create(
            {"name": "Other", "supplier_approval_policy": "block"}
        )
        self.assertFalse(self.make_order().supplier_approval_warning)
        order = (
            self.env["purchase.order"]
            .with_company(other)
            .create({"partner_id": self.supplier.id, "company_id": other.id})
        )
        self.assertTrue(order.supplier_approval_warning)
