# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo import Command
from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from odoo.addons.healthcare_integration_base.protocol.errors import Rejected

from .common import SupplyCase, in_days

HANDLER = "healthcare_integration_base.group_exception_handler"


@tagged("post_install", "-at_install")
class TestAcknowledgementCases(SupplyCase):
    """What a supplier changes: taken over within the tolerances, a case beyond them."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.buyer = cls.make_buyer(HANDLER)
        cls.order = cls.confirmed_order(
            (cls.gloves, 10, 4.8), (cls.serum, 4, 31.2), user_id=cls.buyer.id
        )
        cls.gloves_line, cls.serum_line = cls.order.order_line
        cls.serial_number = 0

    def apply(self, *lines, message=None, **vals):
        type(self).serial_number += 1
        data = {
            "purchase_order": self.order.name,
            "supplier_reference": f"SO-{self.serial_number}",
            "status": "accepted_with_changes",
            "acknowledged_at": f"2024-11-20T10:{self.serial_number:02}:00Z",
            "lines": list(lines),
            **vals,
        }
        event_type = self.env.ref(
            "healthcare_supply_connector.event_type_supply_purchase_order_acknowledged"
        )
        self.assertEqual(event_type._validate(data), [])
        self.message = message or self.make_message(
            company_id=self.company.id, state="done"
        )
        orders = self.env["purchase.order"].with_user(self.buyer)
        return getattr(orders, event_type.handler_method)(data, self.message)

    def again(self, *lines, **vals):
        """Apply another answer of the same system."""
        return self.apply(*lines, message=self.message, **vals)

    def priced(self, price, ref="1", **vals):
        return {"line_ref": ref, "status": "changed", "unit_price": price, **vals}

    def dated(self, days, ref="1", **vals):
        return {
            "line_ref": ref,
            "status": "changed",
            "promised_date": in_days(days),
            **vals,
        }

    # -- price --------------------------------------------------------------------

    def test_price_beyond_tolerance_is_a_case_with_the_amount_at_stake(self):
        self.tolerate(price_percent=5, price_policy="auto")
        self.apply(self.priced("5.10"))
        self.assertEqual(self.gloves_line.price_unit, 4.8)
        case = self.case("price_over_order", f"{self.order.name}/1")
        self.assertEqual(case.name, f"Price 5.10 against 4.80 on {self.order.name}")
        self.assertEqual(case.amount, 3.0)
        self.assertEqual(case.currency_id, self.order.currency_id)
        self.assertEqual(
            (case.res_model, case.res_id), ("purchase.order", self.order.id)
        )
        row = self.order.acknowledgement_ids.line_ids
        self.assertEqual((row.unit_price, row.ordered_price), (5.1, 4.8))

    def test_price_within_percent_is_taken_over_and_noted(self):
        self.tolerate(price_percent=10, price_policy="auto")
        self.apply(self.priced("5.10"))
        self.assertEqual(self.gloves_line.price_unit, 5.1)
        self.assertFalse(self.case("price_over_order"))
        self.assertIn(
            "5.10 instead of 4.80", str(self.order.message_ids.mapped("body"))
        )

    def test_price_within_amount_is_taken_over(self):
        self.tolerate(price_amount=0.3, price_policy="auto")
        self.apply(self.priced("5.10"))
        self.assertEqual(self.gloves_line.price_unit, 5.1)

    def test_price_within_tolerance_stays_without_the_policy(self):
        self.tolerate(price_percent=10)
        self.apply(self.priced("5.10"))
        self.assertEqual(self.gloves_line.price_unit, 4.8)
        self.assertFalse(self.case("price_over_order"))

    def test_supplier_has_tolerances_of_his_own(self):
        self.tolerate(price_percent=10, price_policy="auto")
        self.tolerate(supplier=self.supplier, price_percent=1, price_policy="auto")
        self.apply(self.priced("5.10"))
        self.assertEqual(self.gloves_line.price_unit, 4.8)
        self.assertTrue(self.case("price_over_order"))

    def test_tolerances_of_another_company_do_not_count(self):
        other = self.env["res.company"].create({"name": "Other Hospital"})
        self.tolerate(company=other, price_percent=50, price_policy="auto")
        self.apply(self.priced("5.10"))
        self.assertEqual(self.gloves_line.price_unit, 4.8)

    def test_lower_price_never_needs_a_decision(self):
        self.apply(self.priced("4.00"))
        self.assertEqual(self.gloves_line.price_unit, 4.8)
        self.assertFalse(self.case("price_over_order"))

    def test_two_prices_for_one_line(self):
        with self.assertRaises(Rejected) as caught:
            self.apply(self.priced("5", quantity="4"), self.priced("5.1", quantity="6"))
        self.assertEqual(caught.exception.code, "price_ambiguous")
        self.assertEqual(caught.exception.details[0]["path"], "/lines/1/unit_price")

    def test_prices_in_another_currency(self):
        with self.assertRaises(Rejected) as caught:
            self.apply(self.priced("5"), currency="CHF")
        self.assertEqual(caught.exception.code, "currency_mismatch")

    # -- date ----------------------------------------------------------------------

    def test_date_within_tolerance_is_taken_over(self):
        self.apply(self.dated(5))
        self.assertEqual(str(self.gloves_line.date_planned.date()), in_days(5))
        self.assertFalse(self.case("delivery_delayed"))

    def test_date_beyond_tolerance_waits_for_the_buyer(self):
        self.apply(self.dated(20))
        self.assertEqual(str(self.gloves_line.date_planned.date()), in_days(0))
        case = self.case("delivery_delayed", f"{self.order.name}/1")
        self.assertIn(in_days(20), case.name)

    def test_delays_do_not_add_up_behind_the_tolerance(self):
        self.apply(self.dated(5))
        self.again(self.dated(10))
        self.assertEqual(str(self.gloves_line.date_planned.date()), in_days(5))
        self.assertTrue(self.case("delivery_delayed"))

    def test_accepting_the_date(self):
        self.apply(self.dated(20))
        case = self.case("delivery_delayed").with_user(self.buyer)
        case.action_accept_date()
        self.assertEqual(str(self.gloves_line.date_planned.date()), in_days(20))
        self.assertEqual(case.state, "resolved")

    # -- quantity, substitute, rejection ----------------------------------------------

    def test_quantity_within_tolerance(self):
        self.tolerate(quantity_percent=30)
        self.apply({"line_ref": "1", "status": "changed", "quantity": "7"})
        self.assertFalse(self.case("quantity_under_order"))

    def test_quantity_beyond_tolerance_is_a_case_and_never_cut(self):
        self.tolerate(quantity_percent=20)
        self.apply({"line_ref": "1", "status": "changed", "quantity": "7"})
        case = self.case("quantity_under_order")
        self.assertEqual(case.name, f"7 of 10 GLV-1 confirmed on {self.order.name}")
        self.assertAlmostEqual(case.amount, 14.4)
        self.assertEqual(self.gloves_line.product_qty, 10)

    def test_split_into_schedule_rows_is_no_shortfall(self):
        self.tolerate(delay_days=30)
        self.apply(
            self.dated(2, quantity="6"),
            self.dated(9, status="backordered", quantity="4"),
        )
        rows = self.order.acknowledgement_ids.line_ids
        self.assertEqual(rows.mapped("quantity"), [6, 4])
        self.assertEqual(
            [str(row.promised_date) for row in rows], [in_days(2), in_days(9)]
        )
        self.assertFalse(self.case("quantity_under_order"))
        self.assertEqual(str(self.gloves_line.date_planned.date()), in_days(9))

    def test_known_substitute(self):
        other = self.make_product(name="Gloves XL", default_code="GLV-9")
        self.apply(
            {
                "line_ref": "1",
                "status": "substituted",
                "quantity": "10",
                "substitute": {"code": "GLV-9"},
            }
        )
        case = self.case("substitution_offered")
        self.assertEqual(case.name, f"Substitute GLV-9 for GLV-1 on {self.order.name}")
        self.assertEqual(self.order.acknowledgement_ids.line_ids.substitute_id, other)
        self.assertEqual(self.gloves_line.product_id, self.gloves)
        self.assertEqual(self.gloves_line.product_qty, 10)

    def test_unknown_substitute_is_still_an_offer(self):
        self.apply(
            {
                "line_ref": "1",
                "status": "substituted",
                "substitute": {"supplier_code": "ZZ", "description": "Nitrile"},
            }
        )
        self.assertIn("Substitute ZZ: Nitrile", self.case("substitution_offered").name)

    def test_substitute_without_saying_which(self):
        event_type = self.env.ref(
            "healthcare_supply_connector.event_type_supply_purchase_order_acknowledged"
        )
        data = {
            "purchase_order": "P1",
            "status": "accepted",
            "acknowledged_at": "2024-11-20T10:00:00Z",
            "lines": [{"line_ref": "1", "status": "substituted"}],
        }
        self.assertTrue(event_type._validate(data))

    def test_rejected_line(self):
        self.apply({"line_ref": "2", "status": "rejected", "reason": "recalled"})
        case = self.case("line_rejected", f"{self.order.name}/2")
        self.assertAlmostEqual(case.amount, 124.8)
        self.assertFalse(self.case("quantity_under_order"))

    def test_rejected_order(self):
        self.apply(status="rejected", reason="out of business")
        self.assertEqual(
            self.case("order_rejected").name,
            f"{self.order.name} rejected by the supplier",
        )

    # -- settled --------------------------------------------------------------------

    def test_later_answer_settles_the_line_only(self):
        self.apply(self.priced("5.10"), self.priced("40", "2"))
        self.assertEqual(len(self.case("price_over_order")), 2)
        self.again(self.priced("4.80"))
        self.assertEqual(
            self.case("price_over_order").cause_key, f"{self.order.name}/2"
        )

    def test_acceptance_of_the_whole_order_settles_everything(self):
        self.apply(self.priced("5.10"), self.dated(40, "2"))
        self.again(status="accepted")
        self.assertFalse(self.case("price_over_order") | self.case("delivery_delayed"))

    def test_buyer_settles_by_changing_the_line(self):
        self.apply(self.priced("5.10", quantity="7"))
        self.gloves_line.with_user(self.buyer).price_unit = 5.1
        self.assertFalse(self.case("price_over_order"))
        self.assertTrue(self.case("quantity_under_order"))
        self.gloves_line.with_user(self.buyer).product_qty = 7
        self.assertFalse(self.case("quantity_under_order"))

    def test_cancelling_the_order_settles(self):
        self.apply(self.priced("5.10"))
        self.order.with_user(self.buyer).button_cancel()
        self.assertFalse(self.case("price_over_order"))

    def test_worse_answer_continues_the_case(self):
        self.apply(self.priced("5.10"))
        case = self.case("price_over_order")
        self.again(self.priced("6.00"))
        self.assertEqual(self.case("price_over_order"), case)
        case.with_user(self.buyer).action_accept_price()
        self.assertEqual(self.gloves_line.price_unit, 6.0)

    # -- buttons --------------------------------------------------------------------

    def test_accepting_the_price(self):
        self.apply(self.priced("5.10"))
        case = self.case("price_over_order").with_user(self.buyer)
        case.action_accept_price()
        self.assertEqual(self.gloves_line.price_unit, 5.1)
        self.assertEqual(case.state, "resolved")
        self.assertEqual(case.resolved_by_id, self.buyer)
        self.assertIn("5.1", case.resolution)

    def test_keeping_the_order(self):
        self.apply(self.priced("5.10"))
        case = self.case("price_over_order").with_user(self.buyer)
        case.action_keep_order()
        self.assertEqual(self.gloves_line.price_unit, 4.8)
        self.assertEqual(case.state, "resolved")
        self.assertIn("not agreed", str(self.order.message_ids.mapped("body")))

    def test_closed_case_is_not_finished_twice(self):
        self.apply(self.priced("5.10"))
        case = self.case("price_over_order").with_user(self.buyer)
        case.action_keep_order()
        with self.assertRaises(UserError):
            case.action_accept_price()
        self.assertEqual(self.gloves_line.price_unit, 4.8)

    def test_button_of_another_kind_of_case(self):
        self.apply(self.dated(20))
        with self.assertRaises(UserError):
            self.case("delivery_delayed").with_user(self.buyer).action_accept_price()

    def test_handler_who_is_no_buyer_may_not_write_prices(self):
        self.apply(self.priced("5.10"))
        clerk = self.make_user("exception_handler")
        with self.assertRaises(AccessError):
            self.case("price_over_order").with_user(clerk).action_accept_price()
        self.assertEqual(self.gloves_line.price_unit, 4.8)

    def test_buyer_of_another_company_does_not_reach_the_order(self):
        self.apply(self.priced("5.10"))
        other = self.env["res.company"].create({"name": "Other Hospital"})
        stranger = self.make_buyer(HANDLER, company=other)
        with self.assertRaises(AccessError):
            self.case("price_over_order").with_user(stranger).action_accept_price()

    def test_machine_user_needs_no_more_than_purchase_and_stock_user(self):
        machine = self.make_user()
        groups = ("purchase.group_purchase_user", "stock.group_stock_user")
        machine.group_ids = [Command.link(self.env.ref(name).id) for name in groups]
        self.buyer = machine
        self.tolerate(price_percent=10, price_policy="auto")
        self.apply(self.priced("5.10", promised_date=in_days(3)), self.dated(40, "2"))
        self.assertEqual(self.gloves_line.price_unit, 5.1)
        self.assertTrue(self.case("delivery_delayed"))
