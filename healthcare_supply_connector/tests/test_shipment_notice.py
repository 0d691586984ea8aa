# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo.tests import tagged

from odoo.addons.healthcare_integration_base.protocol.errors import Filtered, Rejected

from .common import SupplyCase, in_days


@tagged("post_install", "-at_install")
class TestShipmentNotice(SupplyCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.clerk = cls.make_buyer()
        cls.order = cls.confirmed_order()
        cls.picking = cls.order.picking_ids
        cls.gloves_move, cls.serum_move = cls.picking.move_ids.sorted("id")

    def notice(self, *lines, **vals):
        return {
            "shipment_number": "ASN-1",
            "purchase_order": self.order.name,
            "shipped_at": "2026-11-20T08:00:00Z",
            "lines": list(lines) or [self.line("1", "10"), self.serum_line()],
            **vals,
        }

    def line(self, ref, quantity, **vals):
        return {"line_ref": ref, "quantity": quantity, **vals}

    def serum_line(self, *lots):
        lots = lots or (("L1", "3"), ("L2", "1"))
        rows = [
            {"lot": lot, "expiry_date": in_days(200), "quantity": quantity}
            for lot, quantity in lots
        ]
        return self.line(
            "2", str(sum(int(quantity) for _lot, quantity in lots)), lots=rows
        )

    def apply(self, *lines, partner=None, **vals):
        data = self.notice(*lines, **vals)
        event_type = self.env.ref(
            "healthcare_supply_connector.event_type_supply_shipment_notified"
        )
        self.assertEqual(event_type._validate(data), [])
        pickings = self.env["stock.picking"].with_user(self.clerk)
        return getattr(pickings, event_type.handler_method)(
            data, self.make_message(partner)
        )

    def assertRejected(self, code, *lines, path=None, **vals):
        before = self.proposals()
        with self.assertRaises(Rejected) as caught:
            self.apply(*lines, **vals)
        self.assertEqual(caught.exception.code, code)
        if path:
            self.assertEqual(caught.exception.details[0]["path"], path)
        self.assertEqual(
            self.proposals(), before, "a refused notice must change nothing"
        )

    def proposals(self):
        """Return what is proposed, as (product, lot, quantity, picked)."""
        rows = self.picking.move_line_ids.sorted("id")
        return [
            (row.product_id, row.lot_name, row.quantity, row.picked) for row in rows
        ]

    def test_lots_and_expiry_are_proposed_and_nothing_is_received(self):
        result = self.apply()
        self.assertEqual(result, self.picking)
        self.assertEqual(
            self.proposals(),
            [
                (self.gloves, False, 10.0, False),
                (self.serum, "L1", 3.0, False),
                (self.serum, "L2", 1.0, False),
            ],
        )
        self.assertEqual(
            {str(row.expiration_date.date()) for row in self.serum_move.move_line_ids},
            {in_days(200)},
        )
        self.assertEqual(self.picking.state, "assigned")
        self.assertFalse(
            self.env["stock.lot"].search([("product_id", "=", self.serum.id)])
        )
        self.assertEqual(self.serum.qty_available, 0)

    def test_notice_is_kept_with_carrier(self):
        self.apply(
            carrier="ACME Freight",
            tracking_number="1Z9",
            expected_at="2026-12-01T06:30:00+01:00",
        )
        notice = self.picking.shipment_notice_ids
        self.assertRecordValues(
            notice,
            [
                {
                    "name": "ASN-1",
                    "partner_id": self.supplier.id,
                    "purchase_id": self.order.id,
                    "carrier": "ACME Freight",
                    "tracking_number": "1Z9",
                }
            ],
        )
        self.assertEqual(str(self.picking.scheduled_date), "2026-12-01 05:30:00")
        self.assertEqual(len(notice.line_ids), 3)

    def test_receiving_what_was_proposed(self):
        self.apply(self.serum_line(("L1", "4")))
        self.picking.move_ids.filtered("quantity").picked = True
        self.picking._action_done()
        lot = self.serum_move.move_line_ids.lot_id
        self.assertEqual(lot.name, "L1")
        self.assertEqual(str(lot.expiration_date.date()), in_days(200))
        self.assertEqual(self.order.order_line.mapped("qty_received"), [0, 4])

    def test_what_is_not_in_the_shipment_is_not_proposed(self):
        self.apply(self.line("1", "6"))
        self.assertEqual(self.proposals(), [(self.gloves, False, 6.0, False)])
        self.picking.action_assign()
        self.assertEqual(self.proposals(), [(self.gloves, False, 6.0, False)])

    def test_thrown_away_proposals_can_be_made_anew_by_odoo(self):
        self.apply(self.line("1", "6"))
        self.picking.move_line_ids.unlink()
        self.picking.action_assign()
        self.assertEqual(self.gloves_move.quantity, 10)

    def test_second_shipment_adds_to_the_first(self):
        self.apply(self.line("1", "6"))
        self.apply(self.line("1", "4"), shipment_number="ASN-2")
        self.assertEqual(self.gloves_move.quantity, 10)
        self.assertEqual(len(self.picking.shipment_notice_ids), 2)
        self.assertRejected(
            "quantity_over_open", self.line("1", "1"), shipment_number="ASN-3"
        )

    def test_backorder_gets_the_next_shipment(self):
        self.apply(self.line("1", "6"))
        self.gloves_move.picked = True
        self.picking._action_done()
        backorder = self.order.picking_ids - self.picking
        self.assertEqual(
            self.apply(self.line("1", "4"), shipment_number="ASN-2"), backorder
        )
        move = backorder.move_ids.filtered(lambda row: row.product_id == self.gloves)
        self.assertEqual(move.quantity, 4)

    def test_unit_of_the_item(self):
        dozen = self.env.ref("uom.product_uom_dozen")
        dozen.active = True
        self.gloves.uom_ids = dozen
        order = self.confirmed_order((self.gloves, 24, 1))
        self.order, self.picking = order, order.picking_ids
        self.apply(self.line("1", "2", unit="DZN"))
        self.assertEqual(self.picking.move_ids.quantity, 24)

    def test_order_in_another_unit(self):
        order = self.make_order((self.gloves, 2, 30))
        order.order_line.product_uom_id = self.env.ref("uom.product_uom_dozen")
        order.button_confirm()
        self.order, self.picking = order, order.picking_ids
        self.apply(self.line("1", "1"))
        line = self.picking.move_line_ids
        self.assertEqual(line.quantity_product_uom, 12)

    def test_serial_numbers(self):
        pump = self.make_product(name="Pump", tracking="serial")
        order = self.confirmed_order((pump, 2, 900))
        self.order, self.picking = order, order.picking_ids
        lots = [{"lot": "SN1", "quantity": "1"}, {"lot": "SN2", "quantity": "1"}]
        self.apply(self.line("1", "2", lots=lots))
        self.assertEqual(self.picking.move_line_ids.mapped("lot_name"), ["SN1", "SN2"])

    def test_serial_number_of_two_pieces(self):
        pump = self.make_product(name="Pump", tracking="serial")
        order = self.confirmed_order((pump, 2, 900))
        self.order, self.picking = order, order.picking_ids
        self.assertRejected(
            "serial_quantity",
            self.line("1", "2", lots=[{"lot": "SN1", "quantity": "2"}]),
        )

    def test_lots_of_goods_without_lots_are_left_out(self):
        self.apply(self.line("1", "5", lots=[{"lot": "X", "quantity": "5"}]))
        self.assertEqual(self.proposals(), [(self.gloves, False, 5.0, False)])

    def test_repeated_is_applied_once(self):
        self.apply()
        before = self.proposals()
        with self.assertRaises(Filtered) as caught:
            self.apply()
        self.assertEqual(caught.exception.code, "shipment_repeated")
        self.assertEqual(self.proposals(), before)

    def test_number_used_for_something_else(self):
        self.apply(self.line("1", "6"))
        self.assertRejected("shipment_number_reused", self.line("1", "4"))

    def test_same_number_of_another_supplier(self):
        self.apply()
        other = self.env["res.partner"].create({"name": "Rival", "is_company": True})
        order = self.confirmed_order((self.gloves, 1, 1), supplier=other)
        self.order, self.picking = order, order.picking_ids
        self.apply(self.line("1", "1"), partner=other)
        self.assertEqual(len(self.picking.shipment_notice_ids), 1)

    def test_unknown_order(self):
        self.assertRejected("purchase_order_unknown", purchase_order="P-NONE")

    def test_order_of_another_supplier_is_unknown(self):
        other = self.env["res.partner"].create({"name": "Rival", "is_company": True})
        self.assertRejected("purchase_order_unknown", partner=other)

    def test_item_that_is_not_on_the_order(self):
        self.assertRejected(
            "line_unknown",
            self.line("1", "1"),
            self.line("7", "1"),
            path="/lines/1/line_ref",
        )

    def test_more_than_open(self):
        self.assertRejected(
            "quantity_over_open", self.line("1", "11"), path="/lines/0/quantity"
        )

    def test_one_line_in_two_parts_over_open(self):
        self.assertRejected(
            "quantity_over_open",
            self.line("1", "6"),
            self.line("1", "5"),
            path="/lines/1/quantity",
        )

    def test_lots_that_do_not_add_up(self):
        line = self.serum_line()
        line["quantity"] = "3"
        self.assertRejected("lot_quantity_mismatch", line, path="/lines/0/lots")

    def test_unknown_unit(self):
        self.assertRejected(
            "unit_unknown", self.line("1", "1", unit="KGM"), path="/lines/0/unit"
        )

    def test_everything_received_already(self):
        self.receive(self.picking, {self.gloves: 10, self.serum: 4})
        self.assertRejected("no_open_receipt")

    def test_receipt_that_is_being_counted(self):
        self.gloves_move.move_line_ids.write({"quantity": 2, "picked": True})
        self.assertRejected("receipt_in_progress", self.line("1", "5"))
