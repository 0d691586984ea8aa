# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo import Command
from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from odoo.addons.healthcare_integration_base.protocol.errors import Filtered, Rejected

from .common import SupplyCase

HANDLER = "healthcare_integration_base.group_exception_handler"


@tagged("post_install", "-at_install")
class TestStockLevels(SupplyCase):
    """Operators report what they have; stock changes only by a person's hand."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.operator = cls.env["res.partner"].create(
            {"name": "Depot 3PL", "is_company": True}
        )
        cls.depot = cls.env["stock.warehouse"].create(
            {"name": "Depot", "code": "DEP", "operator_id": cls.operator.id}
        )
        cls.stock = cls.depot.lot_stock_id
        cls.machine = cls.make_user()
        cls.machine.group_ids = [Command.link(cls.env.ref("stock.group_stock_user").id)]
        cls.manager = cls.make_buyer(HANDLER, "stock.group_stock_manager")
        cls.gloves.standard_price = 2
        cls.lot = cls.env["stock.lot"].create(
            {
                "product_id": cls.serum.id,
                "name": "L1",
                "company_id": cls.company.id,
            }
        )
        cls.put_in_stock(cls, cls.gloves, 10)
        cls.put_in_stock(cls, cls.serum, 4, cls.lot)
        cls.serial_number = 0

    def gloves_line(self, quantity="10", **vals):
        return {"item": {"code": "GLV-1"}, "quantity": quantity, **vals}

    def serum_line(self, quantity="4", lot="L1", **vals):
        return {"item": {"code": "SER-1"}, "lot": lot, "quantity": quantity, **vals}

    def report(self, *lines, message=None, partner=None, **vals):
        type(self).serial_number += 1
        data = {
            "report": f"R-{self.serial_number}",
            "location": "DEP",
            "counted_at": f"2026-11-20T00:{self.serial_number:02}:00Z",
            "lines": list(lines),
            **vals,
        }
        event_type = self.env.ref(
            "healthcare_supply_connector.event_type_supply_stock_levels_reported"
        )
        self.assertEqual(event_type._validate(data), [])
        self.message = message or self.make_message(
            partner or self.operator, state="done", company_id=self.company.id
        )
        reports = self.env["stock.level.report"].with_user(self.machine)
        result = getattr(reports, event_type.handler_method)(data, self.message)
        return result.with_user(self.manager)

    def again(self, *lines, **vals):
        return self.report(*lines, message=self.message, **vals)

    def assertRefused(self, error, code, *lines, path=None, **vals):
        with self.assertRaises(error) as caught:
            self.report(*lines, **vals)
        self.assertEqual(caught.exception.code, code)
        if path:
            self.assertEqual(caught.exception.details[0]["path"], path)

    def on_hand(self, product):
        quants = self.env["stock.quant"].search(
            [
                ("product_id", "=", product.id),
                ("location_id", "child_of", self.stock.id),
            ]
        )
        return sum(quants.mapped("quantity"))

    # -- compared --------------------------------------------------------------------

    def test_equal_levels(self):
        report = self.report(self.gloves_line(), self.serum_line())
        self.assertEqual((report.state, report.difference_count), ("equal", 0))
        self.assertFalse(self.case("stock_discrepancy"))

    def test_difference_is_a_case_and_stock_stays(self):
        report = self.report(self.gloves_line("7"), self.serum_line())
        line = report.line_ids.filtered("is_different")
        self.assertEqual(
            (line.product_id, line.ours, line.theirs, line.difference, line.value),
            (self.gloves, 10, 7, -3, -6),
        )
        self.assertEqual(self.on_hand(self.gloves), 10)
        case = self.case("stock_discrepancy")
        self.assertEqual(case.name, "Stock at DEP differs: 1 item or lot")
        self.assertEqual(case.amount, 6)
        self.assertEqual(
            (case.res_model, case.res_id), ("stock.level.report", report.id)
        )

    def test_lots_are_compared_each(self):
        report = self.report(self.serum_line("3"), self.serum_line("1", "L9"))
        self.assertEqual(
            {line.lot_name: line.difference for line in report.line_ids},
            {"L1": -1, "L9": 1},
        )

    def test_lot_of_a_reported_item_that_is_not_listed_is_gone(self):
        report = self.report(self.serum_line("4", "L9"))
        self.assertEqual(
            {line.lot_name: line.difference for line in report.line_ids},
            {"L1": -4, "L9": 4},
        )

    def test_tracked_item_without_lots_is_compared_as_a_whole(self):
        line = self.serum_line("4")
        del line["lot"]
        self.assertEqual(self.report(line).state, "equal")

    def test_what_is_not_listed_is_left_alone(self):
        self.assertEqual(self.report(self.gloves_line()).state, "equal")

    def test_complete_report_says_the_rest_is_not_there(self):
        report = self.report(self.gloves_line(), complete=True)
        line = report.line_ids.filtered("is_different")
        self.assertEqual((line.product_id, line.theirs), (self.serum, 0))

    def test_units(self):
        dozen = self.env.ref("uom.product_uom_dozen")
        dozen.write({"active": True, "unece_code": "DZN"})
        self.gloves.uom_ids = dozen
        report = self.report(self.gloves_line("1", unit="DZN"))
        self.assertEqual(report.line_ids.theirs, 12)

    def test_goods_below_the_location_count(self):
        shelf = self.env["stock.location"].create(
            {"name": "Shelf", "location_id": self.stock.id}
        )
        self.env["stock.quant"]._update_available_quantity(self.gloves, shelf, 2)
        self.assertEqual(self.report(self.gloves_line("12")).state, "equal")

    # -- the next report ----------------------------------------------------------------

    def test_next_report_continues_the_case(self):
        self.report(self.gloves_line("7"))
        case = self.case("stock_discrepancy")
        report = self.again(self.gloves_line("6"))
        self.assertEqual(self.case("stock_discrepancy"), case)
        self.assertEqual(case.res_id, report.id)
        self.assertEqual(
            self.env["stock.level.report"].search([]).mapped("state"),
            ["different", "superseded"],
        )

    def test_equal_report_settles_the_case(self):
        self.report(self.gloves_line("7"))
        self.again(self.gloves_line("10"))
        self.assertFalse(self.case("stock_discrepancy"))

    def test_older_report_is_filtered(self):
        self.report(self.gloves_line("10"))
        self.assertRefused(
            Filtered,
            "stale",
            self.gloves_line("1"),
            message=self.message,
            counted_at="2026-11-19T00:00:00Z",
        )
        self.assertFalse(self.case("stock_discrepancy"))

    def test_repeated_report_is_filtered(self):
        vals = {"report": "SAME", "counted_at": "2026-11-20T06:00:00Z"}
        self.report(self.gloves_line(), **vals)
        self.assertRefused(
            Filtered,
            "report_repeated",
            self.gloves_line(),
            message=self.message,
            **vals,
        )
        self.assertRefused(
            Rejected,
            "report_number_reused",
            self.gloves_line("9"),
            message=self.message,
            **vals,
        )

    # -- adjusted -------------------------------------------------------------------------

    def test_adjusting_everything_from_the_case(self):
        report = self.report(self.gloves_line("7"), self.serum_line("6"))
        case = self.case("stock_discrepancy").with_user(self.manager)
        case.action_adjust_stock()
        self.assertEqual(self.on_hand(self.gloves), 7)
        self.assertEqual(self.lot.product_qty, 6)
        self.assertEqual((report.state, case.state), ("adjusted", "resolved"))
        self.assertEqual(case.resolved_by_id, self.manager)

    def test_adjusting_some_lines_leaves_the_case_open(self):
        report = self.report(self.gloves_line("7"), self.serum_line("6"))
        lines = report.line_ids
        lines.filtered(lambda line: line.product_id == self.gloves).action_adjust()
        self.assertEqual(self.on_hand(self.gloves), 7)
        self.assertEqual(self.lot.product_qty, 4)
        self.assertEqual(report.state, "different")
        self.assertTrue(self.case("stock_discrepancy"))
        report.action_adjust_all()
        self.assertEqual(self.lot.product_qty, 6)
        self.assertFalse(self.case("stock_discrepancy"))

    def test_adjustment_makes_the_lot_that_was_unknown(self):
        report = self.report(self.serum_line("4"), self.serum_line("2", "L9"))
        report.action_adjust_all()
        lot = self.env["stock.lot"].search([("name", "=", "L9")])
        self.assertEqual(lot.product_qty, 2)

    def test_adjustment_is_an_inventory_move_that_tells_the_report(self):
        report = self.report(self.gloves_line("7"))
        report.action_adjust_all()
        move = self.env["stock.move"].search(
            [("product_id", "=", self.gloves.id), ("is_inventory", "=", True)]
        )
        self.assertIn(report.name, move.reference)

    def test_stock_that_moved_since_is_not_adjusted(self):
        report = self.report(self.gloves_line("7"))
        self.put_in_stock(self.gloves, 5)
        with self.assertRaises(UserError):
            report.action_adjust_all()
        self.assertEqual(self.on_hand(self.gloves), 15)

    def test_superseded_report_is_not_adjusted(self):
        report = self.report(self.gloves_line("7"))
        self.again(self.gloves_line("8"))
        with self.assertRaises(UserError):
            report.action_adjust_all()

    def test_nothing_is_adjusted_twice(self):
        report = self.report(self.gloves_line("7"))
        report.action_adjust_all()
        with self.assertRaises(UserError):
            report.line_ids.action_adjust()
        self.assertEqual(self.on_hand(self.gloves), 7)

    def test_tracked_item_reported_without_lot_cannot_be_adjusted(self):
        line = self.serum_line("3")
        del line["lot"]
        with self.assertRaises(UserError):
            self.report(line).action_adjust_all()

    def test_clerk_may_not_adjust(self):
        report = self.report(self.gloves_line("7"))
        clerk = self.make_buyer(HANDLER)
        for records, name in (
            (report, "action_adjust_all"),
            (report.line_ids, "action_adjust"),
            (self.case("stock_discrepancy"), "action_adjust_stock"),
        ):
            with self.assertRaises(AccessError):
                getattr(records.with_user(clerk), name)()
        self.assertEqual(self.on_hand(self.gloves), 10)

    def test_manager_of_another_company_does_not_see_it(self):
        report = self.report(self.gloves_line("7"))
        company = self.env["res.company"].create({"name": "Other Hospital"})
        stranger = self.make_buyer("stock.group_stock_manager", company=company)
        with self.assertRaises(AccessError):
            report.with_user(stranger).action_adjust_all()

    # -- refused ----------------------------------------------------------------------------

    def test_location_of_somebody_else(self):
        self.assertRefused(
            Rejected,
            "location_not_operated",
            self.gloves_line(),
            location=self.warehouse.code,
            path="/location",
        )

    def test_operator_of_nothing(self):
        self.assertRefused(
            Rejected,
            "warehouse_not_operated",
            self.gloves_line(),
            partner=self.supplier,
        )

    def test_unknown_location(self):
        self.assertRefused(
            Rejected, "location_unknown", self.gloves_line(), location="NOWHERE"
        )

    def test_unknown_item(self):
        self.assertRefused(
            Rejected,
            "item_unknown",
            {"item": {"code": "NONE"}, "quantity": "1"},
        )

    def test_item_listed_twice(self):
        self.assertRefused(
            Rejected,
            "line_repeated",
            self.gloves_line(),
            self.gloves_line("3"),
            path="/lines/1",
        )

    def test_time_in_the_future(self):
        self.assertRefused(
            Rejected,
            "time_in_future",
            self.gloves_line(),
            counted_at="2099-01-01T00:00:00Z",
        )
