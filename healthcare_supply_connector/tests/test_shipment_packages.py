# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo.tests import tagged

from odoo.addons.healthcare_integration_base.protocol.errors import Rejected

from ..inbound import sscc
from .common import SupplyCase, in_days

CARTON, OTHER, PALLET = (
    "106141412345678908",
    "376104250021234569",
    "340123450000000017",
)


@tagged("post_install", "-at_install")
class TestShipmentPackages(SupplyCase):
    """Packages and shelf life of notified shipments."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.clerk = cls.make_buyer()
        cls.order = cls.confirmed_order()
        cls.picking = cls.order.picking_ids

    def apply(self, *lines, number="ASN-1", **vals):
        data = {
            "shipment_number": number,
            "purchase_order": self.order.name,
            "shipped_at": "2026-11-20T08:00:00Z",
            "lines": list(lines),
            **vals,
        }
        event_type = self.env.ref(
            "healthcare_supply_connector.event_type_supply_shipment_notified"
        )
        self.assertEqual(event_type._validate(data), [])
        self.message = self.make_message(state="done", company_id=self.company.id)
        pickings = self.env["stock.picking"].with_user(self.clerk)
        getattr(pickings, event_type.handler_method)(data, self.message)
        return self.picking.shipment_notice_ids.filtered(lambda n: n.name == number)

    def assertRejected(self, code, path, *lines, **vals):
        with self.assertRaises(Rejected) as caught:
            self.apply(*lines, **vals)
        self.assertEqual(caught.exception.code, code)
        self.assertEqual(caught.exception.details[0]["path"], path)

    def gloves_line(self, code=CARTON, quantity="10", **vals):
        return {"line_ref": "1", "quantity": quantity, "sscc": code, **vals}

    def serum_line(self, *lots, **vals):
        rows = [
            dict(zip(("lot", "quantity", "sscc"), lot, strict=True)) for lot in lots
        ]
        total = sum(int(lot[1]) for lot in lots)
        return {"line_ref": "2", "quantity": str(total), "lots": rows, **vals}

    def dated_line(self, days, quantity="4", lot="L1"):
        row = {"lot": lot, "quantity": quantity, "expiry_date": in_days(days)}
        return {"line_ref": "2", "quantity": quantity, "lots": [row]}

    # -- SSCC -----------------------------------------------------------------------

    def test_check_digit_of_the_standards_example(self):
        # GS1 General Specifications, 7.9.1: (00)376104250021234569
        self.assertEqual(sscc.check_digit("37610425002123456"), 9)
        self.assertEqual(sscc.normalised("00" + OTHER), OTHER)
        self.assertEqual(sscc.normalised(OTHER), OTHER)
        for text in (OTHER[:-1] + "8", OTHER[:-1], "x" + OTHER[1:], "11" + OTHER, ""):
            with self.assertRaises(ValueError, msg=text):
                sscc.normalised(text)

    def test_package_is_planned_on_the_receipt(self):
        notice = self.apply(self.gloves_line("00" + CARTON))
        line = self.picking.move_line_ids
        self.assertEqual(line.result_package_id.name, CARTON)
        self.assertEqual(notice.package_ids.sscc, CARTON)
        self.assertEqual(notice.line_ids.sscc, CARTON)

    def test_lots_of_a_line_in_several_packages(self):
        self.apply(self.serum_line(("L1", "3", CARTON), ("L2", "1", OTHER)))
        self.assertEqual(
            {
                line.lot_name: line.result_package_id.name
                for line in self.picking.move_line_ids
            },
            {"L1": CARTON, "L2": OTHER},
        )

    def test_nested_packages_come_into_stock_as_told(self):
        self.apply(
            self.gloves_line(),
            packages=[{"sscc": CARTON, "parent_sscc": PALLET}, {"sscc": PALLET}],
        )
        self.picking.move_line_ids.picked = True
        self.picking.with_context(skip_backorder=True)._action_done()
        carton = self.env["stock.package"].search([("name", "=", CARTON)])
        self.assertEqual(carton.parent_package_id.name, PALLET)
        self.assertEqual(carton.quant_ids.quantity, 10)

    def test_wrong_check_digit(self):
        self.assertRejected(
            "sscc_invalid", "/lines/0/sscc", self.gloves_line(CARTON[:-1] + "1")
        )

    def test_package_listed_twice(self):
        self.assertRejected(
            "sscc_repeated",
            "/packages/1/sscc",
            self.gloves_line(),
            packages=[{"sscc": CARTON}, {"sscc": "00" + CARTON}],
        )

    def test_package_in_itself(self):
        self.assertRejected(
            "package_cycle",
            "/packages/0/sscc",
            self.gloves_line(),
            packages=[
                {"sscc": CARTON, "parent_sscc": PALLET},
                {"sscc": PALLET, "parent_sscc": CARTON},
            ],
        )

    def test_code_of_an_earlier_shipment(self):
        self.apply(self.gloves_line(quantity="4"))
        self.assertRejected(
            "sscc_known",
            "/lines/0/sscc",
            self.gloves_line(quantity="4"),
            number="ASN-2",
        )

    def test_code_of_a_package_in_stock(self):
        package = self.env["stock.package"].create({"name": CARTON})
        self.env["stock.quant"]._update_available_quantity(
            self.gloves, self.stock, 1, package_id=package
        )
        self.assertRejected("sscc_known", "/lines/0/sscc", self.gloves_line())

    def test_same_code_in_another_company(self):
        self.apply(self.gloves_line(quantity="4"))
        company = self.env["res.company"].create({"name": "Other Hospital"})
        self.clerk = self.make_buyer(company=company)
        order = self.make_order(company_id=company.id)
        order.with_company(company).button_confirm()
        self.order, self.picking = order, order.picking_ids
        self.apply(self.gloves_line(quantity="4"))
        self.assertEqual(self.picking.move_line_ids.result_package_id.name, CARTON)

    # -- shelf life -----------------------------------------------------------------

    def test_short_shelf_life_is_flagged_and_a_case(self):
        self.tolerate(minimum_shelf_life_days=90)
        notice = self.apply(self.dated_line(20))
        self.assertTrue(notice.line_ids.shelf_life_short)
        self.assertTrue(notice.shelf_life_short)
        self.assertEqual(self.picking.move_line_ids.lot_name, "L1", "kept all the same")
        case = self.case("shelf_life_short", f"{self.order.name}/2/L1")
        self.assertIn("20 days left at arrival, 90 required", case.name)
        self.assertAlmostEqual(case.amount, 124.8)

    def test_product_has_its_own_minimum(self):
        self.tolerate(minimum_shelf_life_days=10)
        self.serum.minimum_shelf_life_days = 60
        self.apply(self.dated_line(20))
        self.assertTrue(self.case("shelf_life_short"))

    def test_days_count_from_the_expected_arrival(self):
        self.tolerate(minimum_shelf_life_days=90)
        notice = self.apply(
            self.dated_line(100), expected_at=f"{in_days(20)}T12:00:00Z"
        )
        self.assertEqual(notice.line_ids.remaining_days, 80)
        self.assertTrue(self.case("shelf_life_short"))

    def test_enough_shelf_life(self):
        self.tolerate(minimum_shelf_life_days=90)
        notice = self.apply(self.dated_line(200))
        self.assertFalse(notice.shelf_life_short)
        self.assertFalse(self.case("shelf_life_short"))

    def test_no_minimum_no_check(self):
        self.apply(self.dated_line(1))
        self.assertFalse(self.case("shelf_life_short"))

    def test_receiving_settles_the_case(self):
        self.tolerate(minimum_shelf_life_days=90)
        self.apply(self.dated_line(20))
        self.picking.move_line_ids.picked = True
        self.picking.with_context(skip_backorder=True)._action_done()
        self.assertFalse(self.case("shelf_life_short"))
