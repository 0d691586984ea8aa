# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo import fields
from odoo.exceptions import AccessError
from odoo.tests import tagged

from .common import SupplyCase

MODULES = ("healthcare_integration_base", "healthcare_supply_connector")
MODELS = (
    "purchase.order.acknowledgement",
    "purchase.order.acknowledgement.line",
    "stock.shipment.notice",
    "stock.shipment.notice.line",
)


@tagged("post_install", "-at_install")
class TestAccessRights(SupplyCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.order = cls.confirmed_order()
        cls.acknowledgement = cls.env["purchase.order.acknowledgement"].create(
            {
                "order_id": cls.order.id,
                "status": "accepted",
                "acknowledged_at": fields.Datetime.now(),
                "digest": "x",
                "line_ids": [
                    (
                        0,
                        0,
                        {
                            "order_line_id": cls.order.order_line[0].id,
                            "status": "accepted",
                        },
                    )
                ],
            }
        )
        cls.notice = cls.env["stock.shipment.notice"].create(
            {
                "name": "ASN",
                "partner_id": cls.supplier.id,
                "purchase_id": cls.order.id,
                "company_id": cls.company.id,
                "shipped_at": fields.Datetime.now(),
                "digest": "x",
                "line_ids": [
                    (
                        0,
                        0,
                        {
                            "purchase_line_id": cls.order.order_line[0].id,
                            "product_id": cls.gloves.id,
                            "product_uom_id": cls.gloves.uom_id.id,
                            "quantity": 1,
                        },
                    )
                ],
            }
        )
        cls.records = [
            cls.acknowledgement,
            cls.acknowledgement.line_ids,
            cls.notice,
            cls.notice.line_ids,
        ]

    def test_buyers_read_what_partners_said_and_nobody_writes_it(self):
        buyer = self.make_buyer(
            "purchase.group_purchase_manager", "stock.group_stock_manager"
        )
        for record in self.records:
            self.assertTrue(record.with_user(buyer).has_access("read"), record._name)
            for right in ("write", "create", "unlink"):
                self.assertFalse(
                    record.with_user(buyer).has_access(right), record._name
                )

    def test_others_do_not_read_it(self):
        user = self.make_user()
        for record in self.records:
            self.assertFalse(record.with_user(user).has_access("read"), record._name)

    def test_other_companies_do_not_see_it(self):
        other = self.env["res.company"].create({"name": "Other"})
        stranger = self.make_buyer(company=other)
        for name in MODELS:
            self.assertFalse(self.env[name].with_user(stranger).search([]), name)

    def own_models(self):
        """Return the stored models the addons bring, without those of tests."""
        return [
            model
            for model in self.env.values()
            if model._original_module in MODULES
            and model._auto
            and not model._abstract
            and not model._name.startswith("test.")
        ]

    def test_every_model_has_rights_of_groups_only(self):
        for model in self.own_models():
            rights = self.env["ir.model.access"].search(
                [("model_id.model", "=", model._name)]
            )
            self.assertTrue(rights, model._name)
            self.assertTrue(all(right.group_id for right in rights), model._name)

    def test_every_model_of_a_company_has_a_rule_for_all(self):
        for model in self.own_models():
            if model._transient or not model._fields.get("company_id"):
                continue
            rules = self.env["ir.rule"].search(
                [("model_id.model", "=", model._name), ("groups", "=", False)]
            )
            self.assertIn("compan", str(rules.mapped("domain_force")), model._name)

    def test_messages_are_for_viewers(self):
        viewer, clerk = (
            self.make_buyer("healthcare_integration_base.group_viewer"),
            self.make_buyer(),
        )
        self.assertEqual(self.order.with_user(viewer).integration_message_count, 0)
        with self.assertRaises(AccessError):
            self.order.with_user(clerk).read(["integration_message_count"])
