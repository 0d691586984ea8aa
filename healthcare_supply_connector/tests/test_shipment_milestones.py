# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo import Command, fields
from odoo.tests import tagged

from odoo.addons.healthcare_integration_base.protocol.errors import Filtered, Rejected

from .common import SupplyCase, in_days

DELAYED, ARRIVED = "supply.shipment.delayed", "supply.shipment.arrived"


@tagged("post_install", "-at_install")
class TestShipmentMilestones(SupplyCase):
    """Where shipments are, and what follows when they come too late."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.tolerate(delay_days=2)
        # all that the machine user of a carrier needs
        cls.machine = cls.make_user()
        cls.machine.group_ids = [Command.link(cls.env.ref("stock.group_stock_user").id)]
        cls.order = cls.confirmed_order()
        cls.picking = cls.order.picking_ids
        notice = {
            "shipment_number": "ASN-1",
            "purchase_order": cls.order.name,
            "shipped_at": "2026-11-19T08:00:00Z",
            "expected_at": f"{in_days(3)}T12:00:00Z",
            "carrier": "Van & Co",
            "lines": [{"line_ref": "1", "quantity": "10"}],
        }
        cls.env["stock.picking"]._integration_apply_shipment_notified(
            notice, cls.notified_by(cls.supplier)
        )
        cls.notice = cls.picking.shipment_notice_ids

    @classmethod
    def notified_by(cls, supplier):
        """Return a message of the supplier that told the shipment."""
        system = cls.make_system(partner_id=supplier.id, kind="supplier")
        endpoint = cls.make_endpoint(system_id=system.id, direction="in")
        return cls.env["integration.message"].create(
            {
                "uid": cls.next_code("uid"),
                "direction": "in",
                "endpoint_id": endpoint.id,
                "state": "done",
            }
        )

    def tell(self, status="in_transit", at="08:00", message=None, partner=None, **vals):
        data = {
            "shipment_number": "ASN-1",
            "status": status,
            "occurred_at": f"2026-11-20T{at}:00Z",
            **vals,
        }
        data = {name: value for name, value in data.items() if value is not None}
        event_type = self.env.ref(
            "healthcare_supply_connector.event_type_supply_shipment_status_updated"
        )
        self.assertEqual(event_type._validate(data), [])
        self.message = message or self.make_message(
            partner, state="done", company_id=self.company.id
        )
        pickings = self.env["stock.picking"].with_user(self.machine)
        return getattr(pickings, event_type.handler_method)(data, self.message)

    def again(self, *args, **vals):
        return self.tell(*args, message=self.message, **vals)

    def assertRefused(self, error, code, *args, **vals):
        with self.assertRaises(error) as caught:
            self.tell(*args, **vals)
        self.assertEqual(caught.exception.code, code)

    def eta(self, days):
        return f"{in_days(days)}T12:00:00Z"

    # -- told -------------------------------------------------------------------------

    def test_milestone_is_kept_on_notice_and_receipt(self):
        result = self.tell("picked_up", place="Ghent")
        self.assertEqual(result, self.picking)
        self.assertEqual(self.notice.status, "picked_up")
        milestone = self.picking.milestone_ids
        self.assertEqual((milestone.place, milestone.notice_id), ("Ghent", self.notice))
        self.assertFalse(self.case("shipment_delayed"))

    def test_new_arrival_moves_the_receipt(self):
        self.tell(expected_at=self.eta(4))
        self.assertEqual(str(self.picking.scheduled_date.date()), in_days(4))
        self.assertEqual(str(self.notice.expected_at.date()), in_days(4))
        self.assertEqual(str(self.notice.planned_at.date()), in_days(3))

    def test_transfer_without_notice(self):
        order = self.confirmed_order((self.gloves, 1, 1))
        result = self.tell(shipment_number=None, transfer=order.picking_ids.name)
        self.assertEqual(result, order.picking_ids)
        self.assertEqual(order.picking_ids.milestone_ids.status, "in_transit")

    def test_received_transfer_keeps_its_dates(self):
        self.receive(self.picking, {self.gloves: 10, self.serum: 4})
        before = self.picking.scheduled_date
        self.tell("arrived", expected_at=self.eta(9))
        self.assertEqual(self.picking.scheduled_date, before)

    # -- late -------------------------------------------------------------------------

    def test_delay_within_tolerance_is_no_case(self):
        self.tell(expected_at=self.eta(5))
        self.assertEqual(self.picking.milestone_ids.delay_days, 2)
        self.assertFalse(self.case("shipment_delayed"))

    def test_delay_beyond_tolerance_is_a_case_until_the_goods_are_needed(self):
        self.tell("customs", expected_at=self.eta(8), reason="papers missing")
        case = self.case("shipment_delayed", "ASN-1")
        self.assertEqual(
            case.name, f"Shipment ASN-1 is 5 days late, expected {in_days(8)}"
        )
        self.assertEqual(case.deadline, self.notice.planned_at)
        self.assertEqual(
            (case.res_model, case.res_id), ("stock.picking", self.picking.id)
        )

    def test_small_delays_add_up(self):
        self.tell(expected_at=self.eta(5))
        self.again(at="09:00", expected_at=self.eta(7))
        self.assertEqual(self.picking.milestone_ids[0].delay_days, 4)
        self.assertTrue(self.case("shipment_delayed"))

    def test_delay_without_a_new_date(self):
        self.tell("delayed")
        self.assertIn("no new date", self.case("shipment_delayed").name)

    def test_better_date_settles(self):
        self.tell(expected_at=self.eta(8))
        self.again(at="09:00", expected_at=self.eta(3))
        self.assertFalse(self.case("shipment_delayed"))

    def test_arrival_settles(self):
        self.tell("delayed", expected_at=self.eta(8))
        self.again("arrived", at="09:00")
        self.assertFalse(self.case("shipment_delayed"))
        self.assertEqual(self.notice.status, "arrived")
        self.assertNotEqual(self.picking.state, "done", "nothing is received by it")

    # -- published ----------------------------------------------------------------------

    def test_delay_is_published(self):
        self.subscribe(DELAYED, ARRIVED)
        self.tell("customs", expected_at=self.eta(8), place="Calais")
        data = self.data_of(DELAYED, self.picking)
        self.assertEqual(data["shipment"]["number"], "ASN-1")
        self.assertEqual(data["shipment"]["purchase_order"], self.order.name)
        self.assertEqual((data["status"], data["delay_days"]), ("customs", 5))
        self.assertEqual(data["place"], "Calais")
        self.assertNotPublished(ARRIVED)

    def test_same_delay_is_published_once(self):
        self.subscribe(DELAYED)
        self.tell(expected_at=self.eta(8))
        self.next_transaction()
        self.again(at="09:00", expected_at=self.eta(8))
        self.assertEqual(len(self.published(DELAYED)), 1)
        self.again(at="10:00", expected_at=self.eta(9))
        self.assertEqual(len(self.published(DELAYED)), 2)

    def test_delay_within_tolerance_is_not_published(self):
        self.subscribe(DELAYED)
        self.tell(expected_at=self.eta(4))
        self.assertNotPublished(DELAYED)

    def test_arrival_is_published(self):
        self.subscribe(DELAYED, ARRIVED)
        self.tell("arrived")
        data = self.data_of(ARRIVED, self.picking)
        self.assertEqual(data["occurred_at"], "2026-11-20T08:00:00Z")
        self.assertNotIn("delay_days", data)
        self.assertNotPublished(DELAYED)

    # -- refused ------------------------------------------------------------------------

    def test_repeated(self):
        self.tell()
        self.assertRefused(Filtered, "milestone_repeated", message=self.message)
        self.assertEqual(len(self.picking.milestone_ids), 1)

    def test_older_than_the_last(self):
        self.tell("arrived")
        self.assertRefused(Filtered, "stale", at="07:00", message=self.message)
        self.assertEqual(self.notice.status, "arrived")

    def test_unknown_shipment(self):
        self.assertRefused(Rejected, "shipment_unknown", shipment_number="NONE")
        self.assertRefused(
            Rejected, "shipment_unknown", shipment_number=None, transfer="NONE"
        )

    def test_shipment_of_somebody_else_is_unknown(self):
        other = self.env["res.partner"].create({"name": "Rival", "is_company": True})
        self.assertRefused(Rejected, "shipment_unknown", partner=other)

    def test_operator_of_the_warehouse_may_tell(self):
        other = self.env["res.partner"].create({"name": "Depot", "is_company": True})
        self.warehouse.operator_id = other
        self.tell("arrived", partner=other)
        self.assertEqual(self.notice.status, "arrived")

    def test_shipment_of_another_company_is_unknown(self):
        company = self.env["res.company"].create({"name": "Other Hospital"})
        self.machine = self.make_buyer(company=company)
        self.assertRefused(Rejected, "shipment_unknown")

    def test_same_number_of_two_suppliers_in_one_warehouse(self):
        operator = self.env["res.partner"].create({"name": "Depot", "is_company": True})
        self.warehouse.operator_id = operator
        rival = self.env["res.partner"].create({"name": "Rival", "is_company": True})
        order = self.confirmed_order((self.gloves, 1, 1), supplier=rival)
        notice = {
            "shipment_number": "ASN-1",
            "purchase_order": order.name,
            "shipped_at": "2026-11-19T08:00:00Z",
            "lines": [{"line_ref": "1", "quantity": "1"}],
        }
        self.env["stock.picking"]._integration_apply_shipment_notified(
            notice, self.make_message(rival)
        )
        self.assertRefused(Rejected, "shipment_ambiguous", partner=operator)
        result = self.tell(partner=operator, transfer=order.picking_ids.name)
        self.assertEqual(result, order.picking_ids)

    def test_time_in_the_future(self):
        later = fields.Datetime.add(fields.Datetime.now(), days=9)
        self.assertRefused(
            Rejected, "time_in_future", occurred_at=f"{later:%Y-%m-%d}T00:00:00Z"
        )

    def test_nothing_to_find_it_by(self):
        event_type = self.env.ref(
            "healthcare_supply_connector.event_type_supply_shipment_status_updated"
        )
        data = {"status": "arrived", "occurred_at": "2026-11-20T08:00:00Z"}
        self.assertTrue(event_type._validate(data))
        self.assertTrue(
            event_type._validate({**data, "transfer": "X", "status": "lost"})
        )
