# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import tagged

from odoo.addons.healthcare_integration_base.protocol.errors import Filtered, Rejected

from .common import SupplyCase, in_days

CONTROLLER = "healthcare_supply_connector.group_quality_controller"


@tagged("post_install", "-at_install")
class TestQualityHold(SupplyCase):
    """A lot on hold is neither reserved nor delivered."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.controller = cls.make_buyer(CONTROLLER)
        cls.serum.categ_id = cls.env["product.category"].create(
            {
                "name": "Sera",
                "removal_strategy_id": cls.env.ref("product_expiry.removal_fefo").id,
            }
        )
        cls.first = cls.make_lot("L-FIRST", 30)
        cls.second = cls.make_lot("L-SECOND", 300)
        cls.put_in_stock(cls, cls.serum, 5, cls.first)
        cls.put_in_stock(cls, cls.serum, 5, cls.second)

    @classmethod
    def make_lot(cls, name, days):
        return cls.env["stock.lot"].create(
            {
                "product_id": cls.serum.id,
                "name": name,
                "company_id": cls.company.id,
                "expiration_date": f"{in_days(days)} 12:00:00",
            }
        )

    def hold(self, lot=None, reason="particles seen"):
        lot = (lot or self.first).with_user(self.controller)
        lot._place_hold(reason)
        self.env.invalidate_all()

    def reserved_lots(self, picking):
        return picking.move_line_ids.lot_id.mapped("name")

    def move_to(self, location, quantity=2, lot=None, source=None):
        """Return a confirmed internal move with a line of the lot."""
        move = self.env["stock.move"].create(
            {
                "product_id": self.serum.id,
                "product_uom_qty": quantity,
                "location_id": (source or self.stock).id,
                "location_dest_id": location.id,
                "picking_type_id": self.warehouse.int_type_id.id,
            }
        )
        move._action_confirm()
        return self.env["stock.move.line"].create(
            {
                **move._prepare_move_line_vals(quantity=quantity),
                "lot_id": (lot or self.first).id,
                "picked": True,
            }
        )

    # -- who and why -------------------------------------------------------------------

    def test_hold_says_who_when_and_why(self):
        self.hold()
        self.assertTrue(self.first.on_hold)
        self.assertEqual(self.first.hold_reason, "particles seen")
        self.assertEqual(self.first.hold_user_id, self.controller)
        self.assertTrue(self.first.hold_since)
        history = self.first.hold_ids
        self.assertEqual((history.action, history.user_id), ("placed", self.controller))

    def test_release_leaves_the_history(self):
        self.hold()
        self.first.with_user(self.controller)._release_hold("test passed")
        self.assertFalse(self.first.on_hold)
        self.assertFalse(self.first.hold_reason)
        self.assertEqual(
            self.first.hold_ids.mapped("reason"), ["test passed", "particles seen"]
        )

    def test_reason_is_needed(self):
        with self.assertRaises(UserError):
            self.first.with_user(self.controller)._place_hold("  ")

    def test_dialogue(self):
        action = self.first.with_user(self.controller).action_hold()
        wizard = (
            self.env["stock.lot.hold.wizard"]
            .with_user(self.controller)
            .with_context(**action["context"])
            .create({"reason": "odd colour", "reference": "CAPA-1"})
        )
        wizard.action_confirm()
        self.assertTrue(self.first.on_hold)
        self.assertEqual(self.first.hold_ids.reference, "CAPA-1")

    def test_stock_user_may_neither_hold_nor_release(self):
        clerk = self.make_buyer()
        with self.assertRaises(AccessError):
            self.first.with_user(clerk).action_hold()
        with self.assertRaises(AccessError):
            self.first.with_user(clerk)._place_hold("x")
        self.hold()
        with self.assertRaises(AccessError):
            self.first.with_user(clerk)._release_hold("x")
        with self.assertRaises(AccessError):
            self.first.with_user(clerk).write({"on_hold": False})
        with self.assertRaises(AccessError):
            self.first.with_user(self.controller).write({"on_hold": False})

    def test_inventory_administrator_may(self):
        manager = self.make_buyer("stock.group_stock_manager")
        self.first.with_user(manager)._place_hold("recall")
        self.assertTrue(self.first.on_hold)

    def test_history_is_closed(self):
        self.hold()
        history = self.first.hold_ids
        with self.assertRaises(AccessError):
            history.with_user(self.controller).write({"reason": "other"})
        with self.assertRaises(AccessError):
            history.with_user(self.controller).unlink()
        with self.assertRaises(AccessError):
            history.write({"reason": "other"})

    def test_new_lot_cannot_be_made_as_held(self):
        with self.assertRaises(AccessError):
            self.env["stock.lot"].with_user(self.controller).create(
                {"product_id": self.serum.id, "name": "X", "on_hold": True}
            )

    # -- reservation -------------------------------------------------------------------

    def test_first_expiring_lot_is_reserved_without_hold(self):
        picking = self.make_delivery(self.serum, 5)
        self.assertEqual(self.reserved_lots(picking), ["L-FIRST"])

    def test_held_lot_is_passed_over_by_fefo(self):
        self.hold()
        picking = self.make_delivery(self.serum, 5)
        self.assertEqual(self.reserved_lots(picking), ["L-SECOND"])

    def test_held_quantity_is_not_available(self):
        self.hold()
        picking = self.make_delivery(self.serum, 8)
        self.assertEqual(self.reserved_lots(picking), ["L-SECOND"])
        self.assertEqual(picking.move_ids.quantity, 5)
        self.assertEqual(picking.move_ids.state, "partially_available")

    def test_released_lot_is_reserved_again(self):
        self.hold()
        self.first.with_user(self.controller)._release_hold("test passed")
        picking = self.make_delivery(self.serum, 5)
        self.assertEqual(self.reserved_lots(picking), ["L-FIRST"])

    def test_reservations_are_given_back_and_filled_from_another_lot(self):
        picking = self.make_delivery(self.serum, 5)
        picking.user_id = self.controller
        self.hold()
        self.assertEqual(self.reserved_lots(picking), ["L-SECOND"])
        quant = self.env["stock.quant"].search(
            [("lot_id", "=", self.first.id), ("location_id", "=", self.stock.id)]
        )
        self.assertEqual((quant.quantity, quant.reserved_quantity), (5, 0))
        self.assertIn("L-FIRST", picking.activity_ids.note)
        self.assertIn("L-FIRST", str(picking.message_ids.mapped("body")))

    def test_reservation_is_given_back_though_nothing_replaces_it(self):
        picking = self.make_delivery(self.serum, 10)
        self.hold()
        self.hold(self.second)
        self.assertFalse(picking.move_line_ids)
        self.assertEqual(picking.state, "confirmed")

    def test_setting_the_quantity_passes_the_held_lot_over(self):
        picking = self.make_delivery(self.serum, 3)
        picking.do_unreserve()
        self.hold()
        picking.move_ids.quantity = 3
        self.assertEqual(self.reserved_lots(picking), ["L-SECOND"])

    # -- detailed operations and validation ----------------------------------------------

    def test_detailed_operation_by_hand(self):
        self.hold()
        picking = self.make_delivery(self.serum, 3)
        line = picking.move_line_ids
        with self.assertRaises(ValidationError) as caught:
            line.lot_id = self.first
        self.assertIn("L-FIRST", str(caught.exception))
        self.assertIn("particles seen", str(caught.exception))

    def test_new_detailed_operation(self):
        picking = self.make_delivery(self.serum, 3)
        self.hold()
        with self.assertRaises(ValidationError):
            self.env["stock.move.line"].create(
                {
                    **picking.move_ids._prepare_move_line_vals(quantity=1),
                    "lot_id": self.first.id,
                }
            )

    def test_validation_of_what_slipped_in(self):
        picking = self.make_delivery(self.serum, 3)
        picking.move_line_ids.picked = True
        self.env.flush_all()
        # as if the hold came between the reservation and this transaction's snapshot
        self.env.cr.execute(
            "UPDATE stock_lot SET on_hold = true, hold_reason = 'recall' WHERE id = %s",
            [self.first.id],
        )
        self.env.invalidate_all()
        with self.assertRaises(UserError) as caught:
            picking.with_context(skip_backorder=True)._action_done()
        self.assertIn("recall", str(caught.exception))

    def test_other_lots_are_delivered(self):
        self.hold()
        picking = self.make_delivery(self.serum, 3)
        picking.move_line_ids.picked = True
        picking.with_context(skip_backorder=True)._action_done()
        self.assertEqual(picking.state, "done")

    def delivered(self):
        """Return the line of a delivery of 3 of the second lot that is done."""
        self.hold()
        picking = self.make_delivery(self.serum, 3)
        picking.move_line_ids.picked = True
        picking.with_context(skip_backorder=True)._action_done()
        return picking.move_line_ids

    def test_what_is_done_is_not_edited_into_a_delivery_of_a_held_lot(self):
        line = self.delivered()
        self.assertEqual((line.state, line.lot_id), ("done", self.second))
        with self.assertRaisesRegex(UserError, "L-FIRST"):
            line.lot_id = self.first
        with self.assertRaisesRegex(UserError, "L-FIRST"):
            self.env["stock.move.line"].create(
                {
                    **line.move_id._prepare_move_line_vals(quantity=1),
                    "lot_id": self.first.id,
                }
            )

    def test_no_more_of_a_lot_held_later_is_delivered_but_less_may_be_noted(self):
        line = self.delivered()
        self.hold(self.second)
        with self.assertRaisesRegex(UserError, "L-SECOND"):
            line.quantity = 4
        self.env.invalidate_all()
        line.quantity = 2
        self.assertEqual(line.state, "done")

    def test_held_lot_is_not_delivered_from_anywhere(self):
        self.hold()
        customers = self.env.ref("stock.stock_location_customers")
        lost = self.env["stock.location"].search(
            [("usage", "=", "inventory"), ("company_id", "=", self.company.id)], limit=1
        )
        line = self.move_to(lost)
        line.move_id._action_done()
        suppliers = self.env.ref("stock.stock_location_suppliers")
        for source in (lost, suppliers):
            with self.subTest(source.name), self.assertRaises(ValidationError):
                self.move_to(customers, source=source)
        line = self.move_to(self.stock, source=lost)
        line.move_id._action_done()
        self.assertEqual(line.state, "done")

    # -- what stays possible ---------------------------------------------------------------

    def test_move_to_quarantine(self):
        quarantine = self.env["stock.location"].create(
            {
                "name": "Quarantine",
                "location_id": self.stock.id,
                "quality_quarantine": True,
            }
        )
        self.hold()
        line = self.move_to(quarantine)
        line.move_id._action_done()
        self.assertEqual(line.state, "done")
        with self.assertRaises(ValidationError):
            self.move_to(self.stock, source=quarantine)

    def test_reservation_for_quarantine_takes_the_held_lot(self):
        quarantine = self.env["stock.location"].create(
            {
                "name": "Quarantine",
                "location_id": self.warehouse.view_location_id.id,
                "quality_quarantine": True,
            }
        )
        self.hold()
        move = self.env["stock.move"].create(
            {
                "product_id": self.serum.id,
                "product_uom_qty": 5,
                "location_id": self.stock.id,
                "location_dest_id": quarantine.id,
                "picking_type_id": self.warehouse.int_type_id.id,
            }
        )
        move._action_confirm()
        move._action_assign()
        self.assertEqual(move.move_line_ids.lot_id, self.first)

    def test_other_internal_moves_are_refused(self):
        shelf = self.env["stock.location"].create(
            {"name": "Shelf", "location_id": self.stock.id}
        )
        self.hold()
        with self.assertRaises(ValidationError):
            self.move_to(shelf)

    def test_scrap(self):
        self.hold()
        scrap = self.env["stock.scrap"].create(
            {
                "product_id": self.serum.id,
                "lot_id": self.first.id,
                "scrap_qty": 2,
                "location_id": self.stock.id,
            }
        )
        scrap.action_validate()
        self.assertEqual(scrap.state, "done")

    def test_return_to_the_supplier(self):
        self.hold()
        suppliers = self.env.ref("stock.stock_location_suppliers")
        line = self.move_to(suppliers)
        line.move_id._action_done()
        self.assertEqual(line.state, "done")

    def test_counting(self):
        self.hold()
        quant = self.env["stock.quant"].search(
            [("lot_id", "=", self.first.id), ("location_id", "=", self.stock.id)]
        )
        quant = quant.with_context(inventory_mode=True)
        quant.inventory_quantity = 4
        quant._apply_inventory()
        self.assertEqual(self.first.product_qty, 4)

    def test_more_of_a_held_lot_can_be_received(self):
        order = self.confirmed_order((self.serum, 2, 31))
        move = order.picking_ids.move_ids
        move.move_line_ids.unlink()
        self.hold()
        self.env["stock.move.line"].create(
            {
                **move._prepare_move_line_vals(quantity=2),
                "lot_name": "L-FIRST",
                "picked": True,
            }
        )
        order.picking_ids.with_context(skip_backorder=True)._action_done()
        self.assertEqual(self.first.product_qty, 7)

    # -- messages --------------------------------------------------------------------------

    def request(self, verb="hold", message=None, user=None, at="10:00", **vals):
        data = {
            "lot": "L-FIRST",
            "item": {"code": "SER-1"},
            "reason": "recall 2026-7",
            "reference": "R-7",
            "requested_at": f"2026-11-20T{at}:00Z",
            **vals,
        }
        event_type = self.env.ref(
            f"healthcare_supply_connector.event_type_supply_quality_{verb}_requested"
        )
        self.assertEqual(event_type._validate(data), [])
        self.message = message or self.make_message(
            state="done", company_id=self.company.id
        )
        lots = self.env["stock.lot"].with_user(user or self.controller)
        return getattr(lots, event_type.handler_method)(data, self.message)

    def assertRefused(self, error, code, *args, **kwargs):
        with self.assertRaises(error) as caught:
            self.request(*args, **kwargs)
        self.assertEqual(caught.exception.code, code)

    def test_hold_and_release_requested(self):
        self.assertEqual(self.request(), self.first)
        self.assertEqual(self.first.hold_ids.reference, "R-7")
        self.assertEqual(
            self.first.hold_ids.system_id, self.message.endpoint_id.system_id
        )
        self.request("release", self.message, at="11:00", reason="tested")
        self.assertFalse(self.first.on_hold)

    def test_repeated_request_is_filtered(self):
        self.request()
        self.assertRefused(Filtered, "lot_on_hold", message=self.message)

    def test_release_of_what_is_not_held_is_filtered(self):
        self.assertRefused(Filtered, "lot_not_on_hold", "release")

    def test_stale_release_does_not_lift_a_newer_hold(self):
        self.request(at="11:00")
        self.assertRefused(
            Filtered, "stale", "release", message=self.message, at="10:30"
        )
        self.assertTrue(self.first.on_hold)

    def test_unknown_lot(self):
        self.assertRefused(Rejected, "lot_unknown", lot="NONE")

    def test_unknown_item(self):
        self.assertRefused(Rejected, "item_unknown", item={"code": "NONE"})

    def test_lot_of_another_company_is_unknown(self):
        company = self.env["res.company"].create({"name": "Other Hospital"})
        self.env["stock.lot"].create(
            {
                "product_id": self.serum.id,
                "name": "L-ELSE",
                "company_id": company.id,
            }
        )
        self.assertRefused(Rejected, "lot_unknown", lot="L-ELSE")

    def test_machine_user_without_the_group(self):
        self.assertRefused(Rejected, "hold_not_permitted", user=self.make_buyer())

    def test_request_from_the_future(self):
        self.assertRefused(
            Rejected, "time_in_future", requested_at="2099-01-01T00:00:00Z"
        )

    def test_events(self):
        codes = ("supply.quality.hold_placed", "supply.quality.released")
        self.subscribe(*codes)
        self.hold()
        data = self.data_of(codes[0], self.first)
        self.assertEqual(data["lot"]["number"], "L-FIRST")
        self.assertEqual(data["hold"]["reason"], "particles seen")
        self.first.with_user(self.controller)._release_hold("fine")
        self.assertEqual(
            self.data_of(codes[1], self.first)["hold"]["action"], "released"
        )
