# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from psycopg2.errors import UniqueViolation

from odoo import Command
from odoo.exceptions import AccessError
from odoo.tests import tagged
from odoo.tools import mute_logger

from .finance_common import FinanceCase

REQUESTED = "sales.order.requested"
SERVICE = "sales.service_order.requested"
ALL_DOCUMENTS = "sales_team.group_sale_salesman_all_leads"


@tagged("post_install", "-at_install")
class TestSalesOrders(FinanceCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.customer = cls.env["res.partner"].create(
            {"name": "City Hospital", "is_company": True, "ref": "C-1"}
        )
        cls.ward = cls.env["res.partner"].create(
            {
                "name": "Ward 3",
                "parent_id": cls.customer.id,
                "type": "delivery",
                "ref": "C-1-W3",
            }
        )
        cls.gloves.list_price = 8.0
        cls.training = cls.make_product(
            name="Training",
            default_code="TRN-1",
            type="service",
            is_storable=False,
            list_price=100.0,
        )
        cls.machine = cls.make_person(ALL_DOCUMENTS)
        cls.seller = cls.make_person(
            ALL_DOCUMENTS, "healthcare_integration_base.group_exception_handler"
        )

    def order(self, *lines, **vals):
        lines = lines or (self.line(),)
        return {"order_number": "PO-9", "lines": list(lines), **vals}

    def line(self, code="GLV-1", quantity="5", **vals):
        return {"item": {"code": code}, "quantity": quantity, **vals}

    def request(self, *lines, code=REQUESTED, user=None, partner=None, **vals):
        return self.apply_as(
            user or self.machine,
            code,
            self.order(*lines, **vals),
            partner=partner or self.customer,
        )

    def test_draft_order_at_our_price(self):
        order = self.request(
            self.line(unit_price="8.00"),
            requested_date="2026-12-24",
            delivery_address={"reference": "C-1-W3"},
            note="Ring twice",
        )
        self.assertRecordValues(
            order.sudo(),
            [
                {
                    "state": "draft",
                    "partner_id": self.customer.id,
                    "partner_shipping_id": self.ward.id,
                    "client_order_ref": "PO-9",
                    "amount_untaxed": 40.0,
                }
            ],
        )
        self.assertEqual(str(order.commitment_date.date()), "2026-12-24")
        self.assertFalse(self.open_cases("order_price_difference"))

    def test_other_price_is_a_case_and_ours_stays(self):
        order = self.request(self.line(unit_price="7.00"))
        self.assertEqual(order.order_line.price_unit, 8.0)
        case = self.open_cases("order_price_difference")
        self.assertIn("at 8.00, the customer expects 7.00", case.name)
        self.assertAlmostEqual(case.amount, 5.0)
        case.with_user(self.seller).action_take_customer_prices()
        self.assertEqual(order.order_line.price_unit, 7.0)
        self.assertEqual(case.state, "resolved")

    def test_price_within_tolerance_is_no_case(self):
        self.company.order_price_tolerance = 5.0
        self.request(self.line(unit_price="7.80"))
        self.assertFalse(self.open_cases("order_price_difference"))

    def test_confirming_settles_the_case(self):
        order = self.request(self.line(unit_price="7.00"))
        case = self.open_cases("order_price_difference")
        order.with_user(self.seller).action_confirm()
        self.assertEqual(case.state, "resolved")

    def test_same_order_again(self):
        order = self.request()
        self.assertFiltered("order_repeated", self.request)
        error = self.assertRefused(
            "order_number_reused", self.request, self.line(quantity="6")
        )
        self.assertEqual(error.cause.document, ("sale.order", order.id))

    def test_two_messages_at_once_make_one_order(self):
        order = self.request().sudo()
        # as if the other transaction had not seen the first one's order
        twin = order.copy({"client_order_ref": order.client_order_ref})
        self.env.flush_all()
        with (
            mute_logger("odoo.sql_db"),
            self.assertRaises(UniqueViolation),
            self.env.cr.savepoint(),
        ):
            twin.integration_order_digest = order.integration_order_digest
            twin.flush_recordset()

    def test_another_customer_may_use_the_number(self):
        self.request()
        other = self.env["res.partner"].create({"name": "Clinic", "is_company": True})
        self.assertTrue(self.request(partner=other))

    def test_a_customer_orders_for_himself_only(self):
        self.env["res.partner"].create(
            {"name": "Clinic", "is_company": True, "ref": "C-2"}
        )
        self.assertRefused(
            "customer_unknown", self.request, customer={"reference": "C-2"}
        )

    def test_addresses_of_others_are_refused(self):
        self.env["res.partner"].create(
            {"name": "Clinic", "is_company": True, "ref": "C-2"}
        )
        self.assertRefused(
            "delivery_address_unknown",
            self.request,
            delivery_address={"reference": "C-2"},
        )

    def test_unknown_item(self):
        self.assertRefused("item_unknown", self.request, self.line("NOPE"))

    def test_item_that_is_not_sold(self):
        self.gloves.sale_ok = False
        self.assertRefused("item_not_sold", self.request, path="/lines/0/item")

    def test_service_order(self):
        order = self.request(self.line("TRN-1", "2"), code=SERVICE)
        self.assertEqual(order.amount_untaxed, 200.0)
        self.assertRefused(
            "item_not_service", self.request, code=SERVICE, order_number="PO-10"
        )

    def test_least_rights(self):
        with self.assertRaises(AccessError):
            self.request(user=self.make_person())

    def test_other_company(self):
        other = self.env["res.company"].create({"name": "Other"})
        machine = self.make_person(ALL_DOCUMENTS, company=other)
        order = self.request(user=machine)
        self.assertEqual(order.company_id, other)
        self.assertFalse(
            self.env["sale.order"]
            .with_user(self.seller)
            .search([("id", "=", order.id)])
        )

    # -- events ----------------------------------------------------------------------

    def test_confirmed_changed_cancelled(self):
        self.subscribe(
            *(f"sales.order.{n}" for n in ("confirmed", "changed", "cancelled"))
        )
        order = self.request().sudo()
        self.assertNotPublished("sales.order.confirmed")
        order.action_confirm()
        data = self.data_of("sales.order.confirmed", order)
        self.assertEqual(data["order"]["customer_reference"], "PO-9")
        self.assertEqual(data["lines"][0]["quantity"], "5")
        self.assertNotPublished("sales.order.changed")
        order.order_line.product_uom_qty = 6
        self.assertEqual(
            self.data_of("sales.order.changed", order)["lines"][0]["quantity"], "6"
        )
        order._action_cancel()
        self.assertEqual(
            self.data_of("sales.order.cancelled", order)["order"]["status"],
            "cancelled",
        )

    def test_completed_once_delivered_and_invoiced(self):
        self.subscribe("sales.order.completed")
        self.gloves.invoice_policy = "delivery"
        self.put_in_stock(self.gloves, 10)
        order = self.request().sudo()
        order.action_confirm()
        picking = order.picking_ids
        picking.move_ids.write({"quantity": 5, "picked": True})
        stockman = self.make_person("stock.group_stock_user")
        picking.with_user(stockman)._action_done()
        self.assertNotPublished("sales.order.completed")
        order._create_invoices().action_post()
        data = self.data_of("sales.order.completed", order)
        self.assertEqual(data["order"]["status"], "completed")
        self.assertEqual(data["lines"][0]["delivered_quantity"], "5")

    def test_delivery_address_and_lines_of_a_confirmed_order(self):
        self.subscribe("sales.order.changed")
        order = self.request().sudo()
        order.partner_shipping_id = self.ward
        self.assertNotPublished("sales.order.changed")
        order.action_confirm()
        order.write({"order_line": [Command.create({"product_id": self.training.id})]})
        self.assertPublished("sales.order.changed", order)
