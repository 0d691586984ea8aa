# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo.tests import tagged

from odoo.addons.healthcare_integration_base.protocol.errors import Filtered, Rejected

from .common import SupplyCase, in_days


@tagged("post_install", "-at_install")
class TestAcknowledgement(SupplyCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.tolerate(delay_days=60)
        cls.buyer = cls.make_buyer()
        cls.order = cls.confirmed_order(user_id=cls.buyer.id)

    def answer(self, **vals):
        return {
            "purchase_order": self.order.name,
            "supplier_reference": "SO-77",
            "status": "accepted",
            "acknowledged_at": "2024-11-20T10:00:00Z",
            "lines": [],
            **vals,
        }

    def line(self, ref="1", status="accepted", **vals):
        return {"line_ref": ref, "status": status, **vals}

    def apply(self, partner=None, **vals):
        data = self.answer(**vals)
        event_type = self.env.ref(
            "healthcare_supply_connector.event_type_supply_purchase_order_acknowledged"
        )
        self.assertEqual(event_type._validate(data), [])
        orders = self.env["purchase.order"].with_user(self.buyer)
        method = getattr(orders, event_type.handler_method)
        return method(data, self.make_message(partner))

    def assertRejected(self, code, path=None, **vals):
        with self.assertRaises(Rejected) as caught:
            self.apply(**vals)
        self.assertEqual(caught.exception.code, code)
        if path:
            self.assertEqual(caught.exception.details[0]["path"], path)

    def activities(self):
        return self.order.activity_ids.filtered(lambda row: row.user_id == self.buyer)

    def test_accepted(self):
        result = self.apply(lines=[self.line("1", quantity="10"), self.line("2")])
        self.assertEqual(result, self.order)
        self.assertTrue(self.order.acknowledged)
        self.assertEqual(self.order.partner_ref, "SO-77")
        self.assertRecordValues(
            self.order.acknowledgement_ids.line_ids.sorted("line_ref"),
            [
                {"line_ref": "1", "ordered_quantity": 10.0, "quantity": 10.0},
                {"line_ref": "2", "ordered_quantity": 4.0, "quantity": 4.0},
            ],
        )
        self.assertFalse(self.activities())

    def test_promised_date_moves_line_and_receipt(self):
        date = in_days(30)
        self.apply(
            status="accepted_with_changes",
            lines=[self.line("2", "changed", promised_date=date)],
        )
        first, second = self.order.order_line
        self.assertEqual(str(second.date_planned.date()), date)
        self.assertNotEqual(str(first.date_planned.date()), date)
        self.assertEqual(str(second.move_ids.date_deadline.date()), date)
        self.assertIn("Date Updated", self.activities().mapped("summary"))

    def test_split_line_is_complete_at_its_last_date(self):
        self.apply(
            status="accepted_with_changes",
            lines=[
                self.line("1", quantity="6", promised_date=in_days(3)),
                self.line("1", "backordered", quantity="4", promised_date=in_days(20)),
            ],
        )
        self.assertEqual(str(self.order.order_line[0].date_planned.date()), in_days(20))
        self.assertEqual(
            sum(self.order.acknowledgement_ids.line_ids.mapped("quantity")), 10
        )
        self.assertNotIn(
            "Supplier confirms less", str(self.activities().mapped("summary"))
        )

    def test_smaller_quantity_is_told_not_cut(self):
        self.apply(
            status="accepted_with_changes",
            lines=[self.line("1", "changed", quantity="7", reason="short crop <b>")],
        )
        self.assertEqual(self.order.order_line[0].product_qty, 10)
        self.assertTrue(self.order.acknowledged)
        activity = self.activities()
        self.assertEqual(activity.summary, "Supplier confirms less than ordered")
        self.assertIn("7.0 of 10.0", activity.note)

    def test_rejected_line(self):
        self.apply(
            status="accepted_with_changes",
            lines=[self.line("2", "rejected", reason="recalled")],
        )
        self.assertEqual(self.order.acknowledgement_ids.line_ids.quantity, 0)
        self.assertIn("Serum", self.activities().note)

    def test_rejected_order(self):
        self.apply(status="rejected", reason="<script>no</script>", lines=[])
        self.assertEqual(self.order.acknowledgement_ids.status, "rejected")
        self.assertFalse(self.order.acknowledged)
        self.assertEqual(self.order.state, "purchase")
        self.assertEqual(self.activities().summary, "Order rejected by the supplier")
        self.assertNotIn("<script>", self.activities().note)

    def test_unknown_order(self):
        self.assertRejected("purchase_order_unknown", purchase_order="P-NONE")

    def test_order_of_another_supplier_is_unknown(self):
        other = self.env["res.partner"].create({"name": "Rival", "is_company": True})
        self.assertRejected("purchase_order_unknown", partner=other)
        self.assertFalse(self.order.acknowledgement_ids)

    def test_system_without_partner(self):
        message = self.make_message()
        message.endpoint_id.system_id.partner_id = False
        with self.assertRaises(Rejected) as caught:
            self.env["purchase.order"]._integration_apply_purchase_order_acknowledged(
                self.answer(), message
            )
        self.assertEqual(caught.exception.code, "supplier_not_set")

    def test_contact_of_the_supplier(self):
        contact = self.env["res.partner"].create(
            {"name": "Ann", "parent_id": self.supplier.id, "type": "contact"}
        )
        self.order = self.confirmed_order(supplier=contact)
        self.apply()
        self.assertTrue(self.order.acknowledged)

    def test_quotation_is_unknown(self):
        self.order = self.make_order()
        self.assertRejected("purchase_order_unknown")

    def test_order_of_another_company_is_unknown(self):
        other = self.env["res.company"].create({"name": "Other"})
        user = self.make_buyer(company=other)
        with self.assertRaises(Rejected) as caught:
            self.env["purchase.order"].with_user(user).with_company(
                other
            )._integration_apply_purchase_order_acknowledged(
                self.answer(), self.make_message()
            )
        self.assertEqual(caught.exception.code, "purchase_order_unknown")

    def test_cancelled_order(self):
        self.order.button_cancel()
        self.assertRejected("purchase_order_not_open")

    def test_unknown_line(self):
        self.assertRejected(
            "line_unknown", "/lines/1/line_ref", lines=[self.line("1"), self.line("9")]
        )

    def test_more_than_ordered(self):
        self.assertRejected(
            "quantity_over_ordered",
            "/lines/1/quantity",
            lines=[self.line("1", quantity="6"), self.line("1", quantity="5")],
        )

    def test_repeated_is_applied_once(self):
        self.apply(lines=[self.line("1")])
        with self.assertRaises(Filtered) as caught:
            self.apply(lines=[self.line("1")])
        self.assertEqual(caught.exception.code, "acknowledgement_repeated")
        self.assertEqual(len(self.order.acknowledgement_ids), 1)

    def test_older_one_comes_late(self):
        self.apply(supplier_reference="NEW")
        with self.assertRaises(Filtered) as caught:
            self.apply(
                supplier_reference="OLD", acknowledged_at="2024-11-20T09:59:59+00:00"
            )
        self.assertEqual(caught.exception.code, "acknowledgement_outdated")
        self.assertEqual(self.order.partner_ref, "NEW")

    def test_times_that_cannot_be_are_refused(self):
        future = in_days(3) + "T10:00:00Z"
        path = "/acknowledged_at"
        self.assertRejected("time_in_future", path, acknowledged_at=future)
        for text in ("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"):
            self.assertRejected("time_out_of_range", acknowledged_at=text)
        for date in ("0001-01-01", "9999-12-31"):
            lines = [self.line(), self.line("2", "changed", promised_date=date)]
            path = "/lines/1/promised_date"
            self.assertRejected("date_out_of_range", path, lines=lines)

    def test_zone_of_the_partner_counts(self):
        self.apply(acknowledged_at="2024-11-20T12:00:00+02:00")
        self.assertEqual(
            str(self.order.acknowledgement_ids.acknowledged_at), "2024-11-20 10:00:00"
        )

    def test_change_is_published_to_others_but_not_echoed(self):
        changed = "supply.purchase_order.changed"
        message = self.make_message()
        system = message.endpoint_id.system_id
        own = self.subscribe(changed, endpoint=self.make_endpoint(system_id=system.id))
        other = self.subscribe(changed)
        orders = self.env["purchase.order"].with_context(integration_origin=system.id)
        orders._integration_apply_purchase_order_acknowledged(
            self.answer(lines=[self.line("1", "changed", promised_date=in_days(9))]),
            message,
        )
        event = self.published(changed, self.order)
        receivers = event.message_ids.subscription_id
        self.assertIn(other, receivers)
        self.assertNotIn(own, receivers)
