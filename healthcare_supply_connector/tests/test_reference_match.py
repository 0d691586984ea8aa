# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from unittest.mock import patch

from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from ..inbound import identify
from .common import SupplyCase
from .inbound_common import InboundMixin

HANDLER = "healthcare_integration_base.group_exception_handler"


@tagged("post_install", "-at_install")
class TestReferenceMatch(InboundMixin, SupplyCase):
    """Staff without other rights say what a partner means; what waits for it goes on."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.system = cls.make_system(
            partner_id=cls.supplier.id, kind="supplier", company_id=cls.company.id
        )
        cls.clerk = cls.make_buyer(HANDLER)
        cls.startClassPatcher(
            patch.object(
                type(cls.env["res.partner"]),
                "_integration_apply_noted",
                cls.noted,
                create=True,
            )
        )
        cls.event_type = cls.make_event_type(
            direction="in",
            handler_model="res.partner",
            handler_method="_integration_apply_noted",
        )
        cls.endpoint = cls.make_inbox(cls.system, cls.event_type)
        cls.client = cls.connect(cls.system, cls.make_buyer(), cls.endpoint)

    @staticmethod
    def noted(partners, data, message):
        """Apply a message that refers to an item in a unit: resolve both, note nothing."""
        found = identify.item(partners.env, message, data["item"], "/lines/0/item")
        identify.unit(
            partners.env, message, data.get("unit"), found.product, "/lines/0/unit"
        )
        return partners.env.user.partner_id

    def send(self, *bodies):
        # each with a number of its own, else the second would be the first again
        bodies = [{**body, "number": self.next_code("n")} for body in bodies]
        return self.deliver(self.endpoint, self.client, *bodies)

    def open_wizard(self, case, user=None):
        action = case.with_user(user or self.clerk).action_match_reference()
        self.assertEqual(action["res_model"], "integration.reference.match")
        return (
            self.env[action["res_model"]]
            .with_user(user or self.clerk)
            .browse(action["res_id"])
        )

    def two_waiting(self):
        messages = self.send(
            {"item": {"supplier_code": "ABC", "description": "Gloves blue"}},
            {"item": {"supplier_code": "ABC", "description": "Gloves blue"}},
        )
        self.assertEqual(set(messages.mapped("state")), {"dead"})
        case = messages.exception_id
        self.assertEqual(len(case), 1)
        return messages, case

    def test_product_picked_once_replays_all_that_waits(self):
        messages, case = self.two_waiting()
        self.assertEqual(case.name, "Unknown item ABC at Sutures & Co")
        wizard = self.open_wizard(case)
        self.assertEqual(
            (wizard.kind, wizard.external_value, wizard.description),
            ("item", "ABC", "Gloves blue"),
        )
        self.assertEqual(wizard.waiting_count, 2)
        wizard.product_id = self.gloves
        wizard.action_apply()
        self.drain()
        replays = self.env["integration.message"].search(
            [("replay_of_id", "in", messages.ids)]
        )
        self.assertEqual(replays.mapped("state"), ["done", "done"])
        self.assertEqual(case.state, "resolved")
        self.assertEqual(case.resolved_by_id, self.clerk)
        row = self.env["integration.crosswalk"].search(
            [("system_id", "=", self.system.id)]
        )
        self.assertEqual(
            (row.domain, row.external_value, row.internal_value),
            ("item", "ABC", "GLV-1"),
        )
        self.assertEqual(self.audit_entries(row).user_id, self.clerk.id)
        self.assertEqual(self.send({"item": {"supplier_code": "ABC"}}).state, "done")

    def test_candidates_are_named_with_a_reason(self):
        _messages, case = self.two_waiting()
        wizard = self.open_wizard(case)
        self.assertIn(self.gloves.id, wizard.candidate_ids.mapped("res_id"))
        line = wizard.candidate_ids.filtered(lambda c: c.res_id == self.gloves.id)
        self.assertTrue(line.why)
        line.action_choose()
        self.assertEqual(wizard.product_id, self.gloves)

    def test_unit_of_one_item_is_learnt_for_this_item(self):
        box = self.env["uom.uom"].create(
            {
                "name": "Box of 20",
                "relative_factor": 20,
                "relative_uom_id": self.gloves.uom_id.id,
            }
        )
        message = self.send({"item": {"code": "GLV-1"}, "unit": "KAR"})
        self.assertEqual(message.last_error_code, "unit_unknown")
        wizard = self.open_wizard(message.exception_id)
        self.assertEqual(wizard.external_value, "KAR")
        wizard.uom_id = box
        wizard.action_apply()
        self.assertEqual(
            self.send({"item": {"code": "GLV-1"}, "unit": "KAR"}).state, "done"
        )
        other = self.send({"item": {"code": "SER-1"}, "unit": "KAR"})
        self.assertEqual(other.last_error_code, "unit_unknown")

    def test_unit_that_cannot_be_converted_is_refused(self):
        message = self.send({"item": {"code": "GLV-1"}, "unit": "KAR"})
        wizard = self.open_wizard(message.exception_id)
        wizard.uom_id = self.env.ref("uom.product_uom_kgm")
        with self.assertRaisesRegex(UserError, "cannot be converted"):
            wizard.action_apply()

    def test_as_supplier_code_needs_the_right_to_write_prices(self):
        _messages, case = self.two_waiting()
        wizard = self.open_wizard(case)
        wizard.write({"product_id": self.gloves.id, "remember": "supplier_code"})
        self.assertFalse(wizard.can_write_prices)
        with self.assertRaises(AccessError):
            wizard.action_apply()
        manager = self.make_buyer(HANDLER, "purchase.group_purchase_manager")
        wizard = self.open_wizard(case, manager)
        wizard.write({"product_id": self.gloves.id, "remember": "supplier_code"})
        wizard.action_apply()
        seller = self.gloves.seller_ids
        self.assertEqual(
            (seller.partner_id, seller.product_code), (self.supplier, "ABC")
        )
        self.assertFalse(
            self.env["integration.crosswalk"].search(
                [("system_id", "=", self.system.id)]
            )
        )

    def test_as_identifier(self):
        _messages, case = self.two_waiting()
        wizard = self.open_wizard(case)
        wizard.write({"product_id": self.gloves.id, "remember": "identifier"})
        wizard.action_apply()
        row = self.env["integration.identifier"].search(
            [("system_id", "=", self.system.id)]
        )
        self.assertEqual((row.value, row.res_id), ("ABC", self.gloves.id))
        message = self.send({"item": {"supplier_code": "ABC"}})
        self.assertEqual(message.state, "done", message.last_error)

    def test_who_may_not_decide(self):
        _messages, case = self.two_waiting()
        for user in (
            self.make_user("viewer"),
            self.make_user("exception_handler"),
            self.make_buyer("healthcare_integration_base.group_viewer"),
        ):
            with self.assertRaises(AccessError):
                case.with_user(user).action_match_reference()
        self.assertFalse(
            self.env["integration.crosswalk"].search_count(
                [("system_id", "=", self.system.id)]
            )
        )

    def test_clerk_writes_no_crosswalk_beside_the_wizard(self):
        with self.assertRaises(AccessError):
            self.env["integration.crosswalk"].with_user(self.clerk).create(
                {
                    "system_id": self.system.id,
                    "domain": "item",
                    "external_value": "X",
                    "internal_value": "Y",
                }
            )

    def test_handler_of_another_company_sees_no_such_case(self):
        _messages, case = self.two_waiting()
        company = self.env["res.company"].create({"name": "Elsewhere"})
        stranger = self.make_buyer(HANDLER, company=company)
        with self.assertRaises(AccessError):
            case.with_user(stranger).action_match_reference()

    def test_product_of_another_company_is_refused(self):
        _messages, case = self.two_waiting()
        company = self.env["res.company"].create({"name": "Elsewhere"})
        foreign = self.make_product(company_id=company.id)
        wizard = self.open_wizard(case)
        with self.assertRaises(UserError):
            wizard.product_id = foreign
            wizard.action_apply()

    def test_nothing_picked(self):
        _messages, case = self.two_waiting()
        with self.assertRaisesRegex(UserError, "Pick what"):
            self.open_wizard(case).action_apply()

    def test_wrong_crosswalk_is_corrected_not_doubled(self):
        self.env["integration.crosswalk"].create(
            {
                "system_id": self.system.id,
                "domain": "item",
                "external_value": "ABC",
                "internal_value": "GONE-1",
                "valid_from": "2020-01-01",
            }
        )
        _messages, case = self.two_waiting()
        wizard = self.open_wizard(case)
        wizard.product_id = self.serum
        wizard.action_apply()
        row = self.env["integration.crosswalk"].search(
            [("system_id", "=", self.system.id)]
        )
        self.assertEqual(row.mapped("internal_value"), ["SER-1"])

    def test_closed_case(self):
        _messages, case = self.two_waiting()
        case.with_user(self.clerk).action_ignore("no matter")
        with self.assertRaises(UserError):
            case.with_user(self.clerk).action_match_reference()
