# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo import Command
from odoo.tests import new_test_user, tagged

from .common import SupplyCase

REQUESTED = "supply.purchase_order.approval_requested"
APPROVED = "supply.purchase_order.approved"
RELEASED = "supply.purchase_order.released"
CHANGED = "supply.purchase_order.changed"
CANCELLED = "supply.purchase_order.cancelled"


@tagged("post_install", "-at_install")
class TestPurchaseOrderEvents(SupplyCase):
    def setUp(self):
        super().setUp()
        self.subscribe(REQUESTED, APPROVED, RELEASED, CHANGED, CANCELLED)

    def two_steps(self):
        """Ask for a second approval, and return a buyer who cannot give it."""
        self.company.write(
            {"po_double_validation": "two_step", "po_double_validation_amount": 1.0}
        )
        return new_test_user(
            self.env, "buyer_two_steps", groups="purchase.group_purchase_user"
        )

    def test_confirmation_releases_each_order_once(self):
        orders = self.make_order() | self.make_order()
        orders.button_confirm()
        self.assertPublished(RELEASED, orders)
        self.assertNotPublished(REQUESTED)
        self.assertNotPublished(APPROVED)
        self.assertNotPublished(CHANGED)

    def test_draft_publishes_nothing(self):
        self.make_order()
        self.assertNotPublished(RELEASED)

    def test_document_holds_what_the_supplier_needs(self):
        self.env["product.supplierinfo"].create(
            {
                "partner_id": self.supplier.id,
                "product_tmpl_id": self.gloves.product_tmpl_id.id,
                "product_code": "SC-77",
                "price": 2.5,
                "delay": 12,
            }
        )
        order = self.make_order()
        order.button_confirm()
        data = self.data_of(RELEASED, order)
        self.assertEqual(data["order"]["number"], order.name)
        self.assertEqual(data["order"]["status"], "released")
        self.assertEqual(data["order"]["currency"], order.currency_id.name)
        self.assertEqual(data["order"]["untaxed_amount"], "149.80")
        self.assertRegex(
            data["order"]["ordered_at"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$"
        )
        self.assertEqual(data["supplier"]["vat"], "BE0477472701")
        self.assertEqual(data["supplier"]["address"]["country"], "BE")
        gloves, serum = data["lines"]
        self.assertEqual((gloves["line_ref"], serum["line_ref"]), ("1", "2"))
        self.assertEqual(gloves["quantity"], "10")
        self.assertEqual(gloves["unit"], {"code": "C62", "name": "Units"})
        self.assertEqual(gloves["unit_price"], "2.5")
        self.assertEqual(gloves["net_amount"], "25.00")
        self.assertEqual(gloves["item"]["gtin"], "02990000000019")
        self.assertEqual(gloves["item"]["supplier_code"], "SC-77")
        self.assertEqual(gloves["lead_time_days"], 12)
        self.assertEqual(serum["net_amount"], "124.80")

    def test_identifiers_of_both_parties(self):
        system = self.make_system()
        rows = (
            (self.supplier, "4012345000009"),
            (self.company.partner_id, "5412345000013"),
        )
        for partner, gln in rows:
            self.env["integration.identifier"].create(
                {
                    "system_id": system.id,
                    "kind": "gln",
                    "value": gln,
                    "res_model": "res.partner",
                    "res_id": partner.id,
                }
            )
        order = self.confirmed_order()
        data = self.data_of(RELEASED, order)
        self.assertEqual(data["supplier"]["gln"], "4012345000009")
        self.assertEqual(data["buyer"]["gln"], "5412345000013")
        self.assertEqual(
            data["supplier"]["identifiers"],
            [{"system": system.code, "kind": "gln", "value": "4012345000009"}],
        )

    def test_sections_are_no_lines(self):
        order = self.make_order()
        order.write(
            {
                "order_line": [
                    Command.create(
                        {
                            "display_type": "line_section",
                            "name": "Theatre",
                            "product_qty": 0,
                        }
                    )
                ]
            }
        )
        order.button_confirm()
        self.assertEqual(self.data_of(RELEASED, order)["line_count"], 2)

    def test_second_approval(self):
        buyer = self.two_steps()
        order = self.make_order().with_user(buyer)
        order.button_confirm()
        self.assertPublished(REQUESTED, order)
        self.assertNotPublished(RELEASED)
        self.assertEqual(
            self.data_of(REQUESTED, order)["order"]["status"], "approval_requested"
        )
        order.with_user(self.env.user).button_approve()
        self.assertPublished(APPROVED, order)
        self.assertPublished(RELEASED, order)
        self.data_of(APPROVED, order)

    def test_approval_that_is_not_allowed_publishes_nothing(self):
        buyer = self.two_steps()
        order = self.make_order().with_user(buyer)
        order.button_confirm()
        order.button_approve()
        self.assertEqual(order.state, "to approve")
        self.assertNotPublished(RELEASED)

    def test_change_of_quantity(self):
        order = self.confirmed_order()
        self.next_transaction()
        order.order_line[0].product_qty = 12
        data = self.data_of(CHANGED, order)
        self.assertEqual(data["lines"][0]["quantity"], "12")
        self.assertEqual(data["lines"][0]["line_ref"], "1")

    def test_change_of_date_price_and_new_line_is_one_event(self):
        order = self.confirmed_order()
        order.order_line[0].price_unit = 3
        order.order_line[1].date_planned = "2027-01-05 12:00:00"
        order.write(
            {
                "order_line": [
                    Command.create({"product_id": self.gloves.id, "product_qty": 1})
                ]
            }
        )
        data = self.data_of(CHANGED, order)
        self.assertEqual([line["line_ref"] for line in data["lines"]], ["1", "2", "3"])
        self.assertEqual(data["lines"][1]["requested_date"], "2027-01-05")

    def test_change_of_the_head(self):
        order = self.confirmed_order()
        order.priority = "1"
        self.assertEqual(self.data_of(CHANGED, order)["order"]["priority"], "urgent")

    def test_same_values_are_no_change(self):
        order = self.confirmed_order()
        line = order.order_line[0]
        line.write({"product_qty": line.product_qty, "price_unit": line.price_unit})
        order.write({"priority": order.priority, "origin": "anything"})
        self.assertNotPublished(CHANGED)

    def test_change_of_a_draft_is_none(self):
        order = self.make_order()
        order.order_line[0].product_qty = 3
        self.assertNotPublished(CHANGED)

    def test_cancellation(self):
        order = self.confirmed_order()
        order.button_cancel()
        self.assertEqual(self.data_of(CANCELLED, order)["order"]["status"], "cancelled")

    def test_cancelled_quotation_was_never_known(self):
        order = self.make_order()
        order.button_cancel()
        self.assertNotPublished(CANCELLED)

    def test_events_of_one_order_are_correlated(self):
        order = self.confirmed_order()
        order.button_cancel()
        events = self.published(RELEASED, order) | self.published(CANCELLED, order)
        self.assertEqual(
            set(events.mapped("correlation_uid")), {f"purchase.order/{order.name}"}
        )


@tagged("post_install", "-at_install")
class TestLineReferences(SupplyCase):
    def refs(self, order):
        return order.order_line.mapped("integration_line_ref")

    def test_numbered_per_order(self):
        self.assertEqual(self.refs(self.make_order()), ["1", "2"])
        self.assertEqual(self.refs(self.make_order()), ["1", "2"])

    def test_moving_lines_keeps_them(self):
        order = self.make_order()
        order.order_line[0].sequence = 99
        order.invalidate_recordset()
        self.assertEqual(self.refs(order), ["2", "1"])

    def test_never_used_again(self):
        order = self.make_order()
        order.order_line[1].unlink()
        order.write(
            {
                "order_line": [
                    Command.create({"product_id": self.gloves.id, "product_qty": 1})
                ]
            }
        )
        self.assertEqual(self.refs(order), ["1", "3"])

    def test_copy_starts_anew(self):
        order = self.make_order()
        order.order_line[0].unlink()
        self.assertEqual(self.refs(order), ["2"])
        self.assertEqual(self.refs(order.copy()), ["1"])

    def test_sections_have_none(self):
        order = self.make_order()
        section = self.env["purchase.order.line"].create(
            {
                "order_id": order.id,
                "display_type": "line_note",
                "name": "Keep cold",
                "product_qty": 0,
            }
        )
        self.assertFalse(section.integration_line_ref)
