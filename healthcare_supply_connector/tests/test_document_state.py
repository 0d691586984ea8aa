# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""A document shows what became of its newest messages: delivered, acknowledged, posted."""

from odoo.exceptions import AccessError
from odoo.tests import tagged

from .common import SupplyCase

RELEASED = "supply.purchase_order.released"


@tagged("post_install", "-at_install")
class TestDocumentState(SupplyCase):
    def setUp(self):
        super().setUp()
        self.subscribe(RELEASED)
        self.order = self.confirmed_order()
        self.env.cr.flush()
        self.env.invalidate_all()
        self.message = self.env["integration.message"].search(
            [("res_model", "=", "purchase.order"), ("res_id", "=", self.order.id)]
        )

    def say(self, status, **kwargs):
        self.message.sudo().write({"attempt_count": 1})
        self.env["integration.acknowledgement"]._acknowledge_document(
            self.message.endpoint_id.system_id, self.order, status, **kwargs
        )
        self.env.invalidate_all()
        return self.order.integration_state

    def test_from_sending_to_posted(self):
        self.assertEqual(self.order.integration_state, "sending")
        self.message.sudo().write({"state": "delivered"})
        self.env.invalidate_all()
        self.assertEqual(self.order.integration_state, "delivered")
        self.assertEqual(
            self.order.integration_detail,
            "1 of 1 delivered, 0 acknowledged, 0 posted",
        )
        self.assertEqual(self.say("accepted", reference="SO-7"), "accepted")
        self.assertEqual(self.say("posted"), "posted")
        self.assertEqual(
            self.order.integration_detail,
            "1 of 1 delivered, 1 acknowledged, 1 posted",
        )

    def test_a_rejection_shows_and_names_the_amount(self):
        self.message.sudo().write({"state": "delivered"})
        self.assertEqual(self.say("rejected", reason="No contract"), "rejected")
        case = self.env["integration.exception"].search(
            [("code", "=", "partner_rejected")]
        )
        self.assertIn(self.order.name, case.name)
        self.assertIn("Purchase Order", case.name)
        self.assertEqual(case.amount, self.order.amount_total)
        self.assertEqual(case.currency_id, self.order.currency_id)
        self.assertEqual(case.res_id, self.order.id)

    def test_what_needs_somebody_most_wins(self):
        self.message.sudo().write({"state": "dead"})
        self.env.invalidate_all()
        self.assertEqual(self.order.integration_state, "failed")
        self.message.sudo().write(
            {"state": "delivered", "acknowledgement_overdue": True}
        )
        self.env.invalidate_all()
        self.assertEqual(self.order.integration_state, "overdue")

    def test_without_messages_there_is_nothing(self):
        other = self.confirmed_order()
        self.env["integration.message"].search(
            [("res_id", "=", other.id)]
        ).sudo().write({"state": "cancelled"})
        self.env.invalidate_all()
        self.assertFalse(other.integration_state or other.integration_detail)

    def test_the_newest_event_counts(self):
        self.message.sudo().write({"state": "delivered"})
        self.say("rejected")
        event = self.make_event(self.message.event_type_id, {"number": "again"})
        self.env["integration.message"].sudo().create(
            {
                "uid": self.next_code("uid"),
                "direction": "out",
                "endpoint_id": self.message.endpoint_id.id,
                "event_id": event.id,
                "res_model": "purchase.order",
                "res_id": self.order.id,
                "state": "delivered",
            }
        )
        self.env.invalidate_all()
        self.assertEqual(self.order.integration_state, "delivered")

    def test_only_viewers_of_the_integration_read_it(self):
        buyer = self.env["res.users"].create(
            {
                "name": "Buyer",
                "login": "buyer_without_integration",
                "group_ids": [(6, 0, self.env.ref("purchase.group_purchase_user").ids)],
                "company_id": self.order.company_id.id,
                "company_ids": [(6, 0, self.order.company_id.ids)],
            }
        )
        order = self.order.with_user(buyer)
        self.assertTrue(order.name)
        with self.assertRaises(AccessError):
            order.read(["integration_state"])

    def test_lists_and_forms_have_it(self):
        views = {
            "purchase.order": "purchase.purchase_order_view_tree",
            "stock.picking": "stock.vpicktree",
            "account.move": "account.view_in_invoice_bill_tree",
        }
        for model, view in views.items():
            arch = self.env[model].get_view(self.env.ref(view).id, "list")["arch"]
            self.assertIn("integration_state", arch, model)
            arch = self.env[model].get_view(view_type="form")["arch"]
            self.assertIn("integration_detail", arch, model)
