# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo import Command
from odoo.exceptions import AccessError
from odoo.tests import tagged

from odoo.addons.healthcare_integration_base.protocol.errors import Filtered, Rejected

from .common import SupplyCase, in_days

HANDLER = "healthcare_integration_base.group_exception_handler"
SSCC = "106141412345678908"


@tagged("post_install", "-at_install")
class TestReceiptConfirmed(SupplyCase):
    """The operator of a warehouse confirms receipts."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.operator = cls.env["res.partner"].create(
            {"name": "Depot 3PL", "is_company": True}
        )
        cls.warehouse.operator_id = cls.operator
        # all that a machine user of an operator needs
        cls.machine = cls.make_user()
        cls.machine.group_ids = [Command.link(cls.env.ref("stock.group_stock_user").id)]
        cls.order = cls.confirmed_order()
        cls.picking = cls.order.picking_ids

    def data(self, *lines, **vals):
        return {
            "reference": "GR-1",
            "purchase_order": self.order.name,
            "received_at": "2026-11-20T08:00:00Z",
            "lines": list(lines) or [self.gloves_line(), self.serum_line()],
            **vals,
        }

    def gloves_line(self, quantity="10", **vals):
        return {"line_ref": "1", "quantity": quantity, **vals}

    def serum_line(self, *lots, **vals):
        lots = lots or (("L1", "3"), ("L2", "1"))
        rows = [
            {"lot": lot, "expiry_date": in_days(300), "quantity": quantity}
            for lot, quantity in lots
        ]
        total = sum(float(quantity) for _lot, quantity in lots)
        return {"line_ref": "2", "quantity": f"{total:g}", "lots": rows, **vals}

    def apply(self, *lines, partner=None, message=None, **vals):
        data = self.data(*lines, **vals)
        event_type = self.env.ref(
            "healthcare_supply_connector.event_type_supply_goods_receipt_confirmed"
        )
        self.assertEqual(event_type._validate(data), [])
        self.message = message or self.make_own_message(partner)
        pickings = self.env["stock.picking"].with_user(self.machine)
        return getattr(pickings, event_type.handler_method)(data, self.message)

    def make_own_message(self, partner=None):
        return self.make_message(
            partner or self.operator, state="done", company_id=self.company.id
        )

    def assertRejected(self, code, *lines, path=None, partner=None, **vals):
        message = self.make_own_message(partner)
        with self.assertRaises(Rejected) as caught:
            self.apply(*lines, message=message, **vals)
        self.assertEqual(caught.exception.code, code)
        if path:
            self.assertEqual(caught.exception.details[0]["path"], path)
        return caught.exception

    def by_hand(self, *, gloves=10, lots=(("L1", 3), ("L2", 1))):
        """Receive what a user counted, without any message."""
        gloves_move, serum_move = self.picking.move_ids.sorted("id")
        self.picking.move_line_ids.unlink()
        rows = [(gloves_move, gloves, False)]
        rows += [(serum_move, quantity, lot) for lot, quantity in lots]
        self.env["stock.move.line"].create(
            [
                {
                    **move._prepare_move_line_vals(quantity=quantity),
                    "lot_name": lot,
                    "picked": True,
                }
                for move, quantity, lot in rows
                if quantity
            ]
        )
        self.picking.with_context(skip_backorder=True)._action_done()

    # -- booked -------------------------------------------------------------------

    def test_receipt_is_validated_with_lots_and_expiry(self):
        result = self.apply()
        self.assertEqual(result, self.picking)
        self.assertEqual(self.picking.state, "done")
        self.assertEqual(self.gloves.qty_available, 10)
        lots = self.env["stock.lot"].search([("product_id", "=", self.serum.id)])
        self.assertEqual(
            {lot.name: lot.product_qty for lot in lots}, {"L1": 3, "L2": 1}
        )
        self.assertEqual(
            {str(lot.expiration_date.date()) for lot in lots}, {in_days(300)}
        )
        self.assertEqual(self.order.order_line.mapped("qty_received"), [10, 4])
        self.assertEqual(self.picking.receipt_confirmation_ids.outcome, "booked")

    def test_items_instead_of_line_references(self):
        line = {"item": {"gtin": "2990000000019"}, "quantity": "10"}
        self.apply(line)
        self.assertEqual(self.gloves.qty_available, 10)

    def test_ours_by_the_number_of_the_receipt(self):
        data = {"transfer": self.picking.name}
        values = self.data(self.gloves_line(), **data)
        del values["purchase_order"]
        self.assertEqual(self.apply(self.gloves_line(), **data), self.picking)

    def test_partial_receipt_leaves_a_backorder(self):
        self.apply(self.gloves_line("6"))
        self.assertEqual(self.gloves.qty_available, 6)
        backorder = self.order.picking_ids - self.picking
        self.assertEqual(backorder.state, "assigned")
        self.assertEqual(
            backorder.move_ids.mapped("product_uom_qty"), [4, 4], "gloves and serum"
        )

    def test_rest_is_cancelled_when_told(self):
        self.apply(self.gloves_line("6"), backorder=False)
        self.assertEqual(self.order.picking_ids, self.picking)
        self.assertEqual(self.gloves.qty_available, 6)

    def test_backorder_is_received_by_the_next_message(self):
        self.apply(self.gloves_line("6"))
        self.apply(
            self.gloves_line("4"),
            self.serum_line(),
            message=self.message,
            reference="GR-2",
        )
        self.assertEqual(self.gloves.qty_available, 10)
        self.assertEqual(set(self.order.picking_ids.mapped("state")), {"done"})

    def test_units_are_converted(self):
        dozen = self.env.ref("uom.product_uom_dozen")
        dozen.write({"active": True, "unece_code": "DZN"})
        self.gloves.uom_ids = dozen
        order = self.confirmed_order((self.gloves, 24, 2.5))
        self.order, self.picking = order, order.picking_ids
        self.apply(self.gloves_line("2", unit="DZN"))
        self.assertEqual(self.gloves.qty_available, 24)

    def test_packages_by_sscc(self):
        self.apply(self.gloves_line(sscc="00" + SSCC))
        package = self.env["stock.package"].search([("name", "=", SSCC)])
        self.assertEqual(package.quant_ids.quantity, 10)

    def test_notified_lots_are_replaced_by_what_was_counted(self):
        notice = {
            "shipment_number": "ASN-1",
            "purchase_order": self.order.name,
            "shipped_at": "2026-11-20T08:00:00Z",
            "lines": [
                {
                    "line_ref": "2",
                    "quantity": "4",
                    "lots": [{"lot": "L1", "quantity": "4"}],
                }
            ],
        }
        self.env["stock.picking"]._integration_apply_shipment_notified(
            notice, self.make_message(self.supplier)
        )
        self.apply(self.serum_line(("L1", "3")), shipment_number="ASN-1")
        line = self.picking.move_line_ids
        self.assertEqual((line.lot_id.name, line.quantity), ("L1", 3))
        self.assertEqual(line.shipment_notice_id.name, "ASN-1")

    # -- in bad condition ----------------------------------------------------------

    def test_damaged_goods_are_received_apart_and_a_case(self):
        damaged = self.env["stock.location"].create(
            {"name": "Damaged", "location_id": self.stock.id}
        )
        self.warehouse.damaged_location_id = damaged
        self.apply(self.gloves_line("8", damaged_quantity="2", reason="wet"))
        quants = self.env["stock.quant"].search([("location_id", "=", damaged.id)])
        self.assertEqual(quants.quantity, 2)
        case = self.case("goods_damaged", self.picking.name)
        self.assertEqual(case.name, f"2 GLV-1 damaged on {self.picking.name}")

    def test_damaged_goods_without_a_place_for_them_are_not_received(self):
        self.apply(self.gloves_line("8", damaged_quantity="2"))
        self.assertEqual(self.gloves.qty_available, 8)
        self.assertTrue(self.case("goods_damaged"))

    def test_rejected_goods_stay_open(self):
        self.apply(self.gloves_line("7", rejected_quantity="3", reason="torn"))
        backorder = self.order.picking_ids - self.picking
        gloves = backorder.move_ids.filtered(lambda m: m.product_id == self.gloves)
        self.assertEqual(gloves.product_uom_qty, 3)
        self.assertIn("3 GLV-1 rejected", self.case("goods_damaged").name)

    def test_everything_rejected_receives_nothing(self):
        self.apply(self.gloves_line("0", rejected_quantity="10"))
        self.assertEqual(self.gloves.qty_available, 0)
        self.assertNotEqual(self.picking.state, "done")
        self.assertTrue(self.case("goods_damaged"))

    # -- more than ordered -----------------------------------------------------------

    def test_over_receipt_within_tolerance(self):
        self.tolerate(over_receipt_percent=10)
        self.apply(self.gloves_line("11"))
        self.assertEqual(self.gloves.qty_available, 11)

    def test_over_receipt_beyond_tolerance_books_nothing(self):
        self.tolerate(over_receipt_percent=10)
        error = self.assertRejected(
            "over_receipt", self.gloves_line("12"), path="/lines/0/quantity"
        )
        self.assertEqual(error.cause.key, f"{self.picking.name}/GLV-1")
        self.assertIn("2 GLV-1 more than the 10", error.cause.title)
        self.assertEqual(self.gloves.qty_available, 0)

    def test_accepted_over_receipt(self):
        error = self.assertRejected("over_receipt", self.gloves_line("12"))
        case = self.env["integration.exception"]._raise_case(
            error.cause, message=self.message
        )
        manager = self.make_buyer(HANDLER, "stock.group_stock_manager")
        case.with_user(manager).action_accept_over_receipt()
        self.assertEqual(case.state, "resolved")
        self.apply(self.gloves_line("12"), message=self.message)
        self.assertEqual(self.gloves.qty_available, 12)

    def test_clerk_may_not_accept_over_receipt(self):
        error = self.assertRejected("over_receipt", self.gloves_line("12"))
        case = self.env["integration.exception"]._raise_case(
            error.cause, message=self.message
        )
        with self.assertRaises(AccessError):
            case.with_user(self.make_buyer(HANDLER)).action_accept_over_receipt()
        self.assertFalse(self.picking.over_receipt_accepted)

    # -- received by hand ---------------------------------------------------------------

    def test_receipt_done_by_hand_is_recognised(self):
        self.by_hand()
        result = self.apply()
        self.assertEqual(result, self.picking)
        self.assertEqual(self.gloves.qty_available, 10)
        self.assertEqual(self.serum.qty_available, 4)
        self.assertEqual(self.picking.receipt_confirmation_ids.outcome, "recognised")
        self.assertIn(
            "Already received by hand", str(self.picking.message_ids.mapped("body"))
        )

    def test_partial_receipt_by_hand_is_recognised_though_a_backorder_is_open(self):
        self.by_hand(gloves=6, lots=())
        self.assertEqual(self.apply(self.gloves_line("6")), self.picking)
        self.assertEqual(self.gloves.qty_available, 6)

    def test_other_quantity_by_hand_is_a_case_and_books_nothing(self):
        self.by_hand(gloves=8)
        error = self.assertRejected("receipt_differs")
        self.assertEqual(error.cause.key, self.picking.name)
        row = next(one for one in error.cause.data["rows"] if not one["lot"])
        self.assertEqual((row["ours"], row["theirs"]), ("8", "10"))
        self.assertEqual(self.gloves.qty_available, 8)

    def test_other_lot_by_hand_is_a_case(self):
        self.by_hand(lots=(("L1", 4),))
        self.assertRejected("receipt_differs")
        self.assertEqual(self.serum.qty_available, 4)

    def test_another_delivery_is_booked_after_a_person_said_so(self):
        self.by_hand(gloves=6, lots=())
        error = self.assertRejected(
            "receipt_differs", self.gloves_line("4"), self.serum_line()
        )
        case = self.env["integration.exception"]._raise_case(
            error.cause, message=self.message
        )
        self.assertIn("table-warning", str(case.comparison))
        manager = self.make_buyer(HANDLER, "stock.group_stock_manager")
        case.with_user(manager).action_book_receipt()
        self.apply(self.gloves_line("4"), self.serum_line(), message=self.message)
        self.assertEqual(self.gloves.qty_available, 10)

    def test_named_receipt_that_was_another_delivery_books_its_backorder(self):
        self.by_hand(gloves=6, lots=())
        vals = {"transfer": self.picking.name}
        error = self.assertRejected("receipt_differs", self.gloves_line("4"), **vals)
        case = self.env["integration.exception"]._raise_case(
            error.cause, message=self.message
        )
        case.action_book_receipt()
        self.apply(self.gloves_line("4"), message=self.message, **vals)
        self.assertEqual(self.gloves.qty_available, 10)

    # -- repeated ------------------------------------------------------------------------

    def test_repeated_is_booked_once(self):
        self.apply()
        with self.assertRaises(Filtered) as caught:
            self.apply(message=self.message)
        self.assertEqual(caught.exception.code, "receipt_repeated")
        self.assertEqual(self.gloves.qty_available, 10)

    def test_reference_used_for_something_else(self):
        self.apply(self.gloves_line("4"))
        with self.assertRaises(Rejected) as caught:
            self.apply(self.gloves_line("5"), message=self.message)
        self.assertEqual(caught.exception.code, "receipt_reference_reused")

    def test_receipt_confirmed_under_another_reference(self):
        self.apply(transfer=self.picking.name)
        with self.assertRaises(Rejected) as caught:
            self.apply(
                message=self.message, transfer=self.picking.name, reference="GR-2"
            )
        self.assertEqual(caught.exception.code, "receipt_confirmed_before")

    # -- refused ---------------------------------------------------------------------------

    def test_operator_of_no_warehouse(self):
        self.assertRejected("warehouse_not_operated", partner=self.supplier)

    def test_receipt_in_a_warehouse_of_somebody_else(self):
        other = self.env["res.partner"].create({"name": "Rival 3PL"})
        self.env["stock.warehouse"].create(
            {"name": "Rival", "code": "RIV", "operator_id": other.id}
        )
        self.assertRejected("purchase_order_unknown", partner=other)

    def test_order_of_another_company_is_unknown(self):
        company = self.env["res.company"].create({"name": "Other Hospital"})
        order = self.make_order(company_id=company.id)
        order.with_company(company).button_confirm()
        self.assertRejected("purchase_order_unknown", purchase_order=order.name + "X")
        self.env.cr.execute(
            "UPDATE purchase_order SET name = 'P-OTHER' WHERE id = %s", [order.id]
        )
        self.assertRejected("purchase_order_unknown", purchase_order="P-OTHER")

    def test_unknown_receipt(self):
        self.assertRejected("receipt_unknown", transfer="WH/IN/NONE")

    def test_unknown_line(self):
        self.assertRejected(
            "line_unknown",
            {"line_ref": "9", "quantity": "1"},
            path="/lines/0/line_ref",
        )

    def test_unknown_item(self):
        error = self.assertRejected(
            "item_unknown", {"item": {"supplier_code": "ABC"}, "quantity": "1"}
        )
        self.assertIn("ABC", error.cause.title)

    def test_item_that_was_not_ordered(self):
        other = self.make_product(name="Mask", default_code="MSK-1")
        self.assertRejected(
            "item_not_ordered",
            {"item": {"code": other.default_code}, "quantity": "1"},
            path="/lines/0/item",
        )

    def test_lots_are_needed_for_tracked_items(self):
        self.assertRejected(
            "lot_missing", {"line_ref": "2", "quantity": "4"}, path="/lines/0/lots"
        )

    def test_lots_that_do_not_add_up(self):
        line = self.serum_line()
        line["quantity"] = "5"
        self.assertRejected("lot_quantity_mismatch", line, path="/lines/0/lots")

    def test_wrong_check_digit_of_a_package(self):
        self.assertRejected(
            "sscc_invalid",
            self.gloves_line(sscc=SSCC[:-1] + "0"),
            path="/lines/0/sscc",
        )

    def test_nothing_received(self):
        self.assertRejected("quantity_missing", self.gloves_line("0"))

    def test_receipt_that_is_being_counted(self):
        self.picking.move_line_ids[0].write({"quantity": 2, "picked": True})
        self.assertRejected("receipt_in_progress")

    def test_time_in_the_future(self):
        self.assertRejected("time_in_future", received_at="2099-01-01T00:00:00Z")

    def test_cancelled_receipt(self):
        self.picking.action_cancel()
        self.assertRejected("receipt_not_open", transfer=self.picking.name)
        self.assertRejected("no_open_receipt")
