# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo.tests import tagged

from .common import SupplyCase

RECEIVED = "supply.goods.received"
BACKORDER = "supply.backorder.created"
DISPATCHED = "supply.shipment.dispatched"
MOVED = "supply.stock.moved"
ADJUSTED = "supply.stock.adjusted"
SHORTAGE = "supply.stock.shortage"


@tagged("post_install", "-at_install")
class TestGoodsEvents(SupplyCase):
    def setUp(self):
        super().setUp()
        self.subscribe(RECEIVED, BACKORDER, DISPATCHED, MOVED, ADJUSTED)

    def test_complete_receipt(self):
        order = self.confirmed_order()
        picking = self.receive(order.picking_ids, {self.gloves: 10, self.serum: 4})
        self.assertPublished(RECEIVED, picking)
        self.assertNotPublished(BACKORDER)
        self.assertNotPublished(DISPATCHED)
        data = self.data_of(RECEIVED, picking)
        self.assertEqual(data["receipt"]["number"], picking.name)
        self.assertEqual(data["receipt"]["kind"], "purchase_receipt")
        self.assertEqual(data["receipt"]["purchase_order"], order.name)
        self.assertEqual(
            data["receipt"]["received_at"][:10], str(picking.date_done.date())
        )
        self.assertEqual(data["sender"]["name"], "Sutures & Co")
        lines = {line["line_ref"]: line for line in data["lines"]}
        self.assertEqual(lines["1"]["quantity"], "10")
        self.assertNotIn("lots", lines["1"])
        lot = lines["2"]["lots"][0]
        self.assertEqual((lot["lot"], lot["quantity"]), (f"LOT-{self.serum.id}", "4"))
        self.assertRegex(lot["expiry_date"], r"^\d{4}-\d\d-\d\d$")

    def test_partial_receipt_makes_a_backorder(self):
        order = self.confirmed_order()
        picking = order.picking_ids
        self.receive(picking, {self.gloves: 6})
        backorder = order.picking_ids - picking
        self.assertPublished(RECEIVED, picking)
        self.assertPublished(BACKORDER, backorder)
        received = self.data_of(RECEIVED, picking)
        self.assertEqual([line["quantity"] for line in received["lines"]], ["6"])
        waiting = self.data_of(BACKORDER, backorder)
        self.assertEqual(waiting["backorder"]["backorder_of"], picking.name)
        rest = {line["line_ref"]: line["quantity"] for line in waiting["lines"]}
        self.assertEqual(rest, {"1": "4", "2": "4"})

    def test_receipt_in_another_unit(self):
        dozen = self.env.ref("uom.product_uom_dozen")
        order = self.make_order((self.gloves, 2, 30))
        order.order_line.product_uom_id = dozen
        order.button_confirm()
        move = order.picking_ids.move_ids
        move.picked = True
        order.picking_ids._action_done()
        line = self.data_of(RECEIVED, order.picking_ids)["lines"][0]
        unit = {"C62": "24", "DZN": "2"}[line["unit"]["code"]]
        self.assertEqual(line["quantity"], unit)

    def test_delivery(self):
        self.put_in_stock(self.gloves, 50)
        picking = self.make_delivery(self.gloves, 3)
        picking.move_ids.picked = True
        picking._action_done()
        self.assertPublished(DISPATCHED, picking)
        self.assertNotPublished(RECEIVED)
        data = self.data_of(DISPATCHED, picking)
        self.assertEqual(data["shipment"]["kind"], "customer_delivery")
        self.assertEqual(data["shipment"]["sales_order"], picking.sale_id.name)
        self.assertEqual(data["receiver"]["name"], "Ward 3")
        self.assertEqual(data["lines"][0]["quantity"], "3")

    def test_each_move_is_a_movement(self):
        order = self.confirmed_order()
        self.receive(order.picking_ids, {self.gloves: 10, self.serum: 4})
        moves = order.picking_ids.move_ids
        self.assertPublished(MOVED, moves)
        data = self.data_of(MOVED, moves[0])
        self.assertEqual(data["movement"]["kind"], "receipt")
        self.assertEqual(data["movement"]["to"]["warehouse"], self.warehouse.code)

    def test_internal_transfer_is_a_movement_only(self):
        self.put_in_stock(self.gloves, 5)
        shelf = self.env["stock.location"].create(
            {"name": "Shelf 9", "location_id": self.stock.id}
        )
        move = self.env["stock.move"].create(
            {
                "product_id": self.gloves.id,
                "product_uom_qty": 2,
                "product_uom": self.gloves.uom_id.id,
                "location_id": self.stock.id,
                "location_dest_id": shelf.id,
            }
        )
        move._action_confirm()
        move.write({"quantity": 2, "picked": True})
        move._action_done()
        self.assertEqual(
            self.data_of(MOVED, move)["movement"]["kind"], "internal_transfer"
        )
        self.assertNotPublished(RECEIVED)
        self.assertNotPublished(DISPATCHED)

    def count(self, quantity):
        quant = (
            self.env["stock.quant"]
            .with_context(inventory_mode=True)
            .create(
                {
                    "product_id": self.gloves.id,
                    "location_id": self.stock.id,
                    "inventory_quantity": quantity,
                }
            )
        )
        quant._apply_inventory()
        return self.env["stock.move"].search(
            [("product_id", "=", self.gloves.id), ("is_inventory", "=", True)], limit=1
        )

    def test_found_goods(self):
        move = self.count(7)
        data = self.data_of(ADJUSTED, move)
        self.assertEqual(data["quantity_change"], "7")
        self.assertEqual(
            data["adjustment"]["location"]["name"], self.stock.complete_name
        )
        self.assertNotPublished(MOVED)

    def test_lost_goods(self):
        self.put_in_stock(self.gloves, 10)
        move = self.count(4)
        self.assertEqual(self.data_of(ADJUSTED, move)["quantity_change"], "-6")

    def test_cancelled_transfer_publishes_nothing(self):
        order = self.confirmed_order()
        order.picking_ids.action_cancel()
        self.assertNotPublished(RECEIVED)


@tagged("post_install", "-at_install")
class TestShortage(SupplyCase):
    def setUp(self):
        super().setUp()
        self.subscribe(SHORTAGE)

    def test_demand_without_stock(self):
        self.put_in_stock(self.gloves, 2)
        move = self.make_delivery(self.gloves, 5).move_ids
        data = self.data_of(SHORTAGE, move)
        self.assertEqual(data["required_quantity"], "5")
        self.assertEqual(data["reserved_quantity"], "2")
        self.assertEqual(data["missing_quantity"], "3")

    def test_demand_with_stock(self):
        self.put_in_stock(self.gloves, 5)
        self.make_delivery(self.gloves, 5)
        self.assertNotPublished(SHORTAGE)

    def test_published_again_only_when_it_changes(self):
        move = self.make_delivery(self.gloves, 5).move_ids
        self.assertEqual(len(self.published(SHORTAGE, move)), 1)
        self.next_transaction()
        move._action_assign()
        self.assertEqual(len(self.published(SHORTAGE, move)), 1)
        self.put_in_stock(self.gloves, 1)
        move._action_assign()
        self.assertEqual(len(self.published(SHORTAGE, move)), 2)

    def test_published_again_after_it_was_covered(self):
        move = self.make_delivery(self.gloves, 5).move_ids
        self.put_in_stock(self.gloves, 5)
        move._action_assign()
        self.assertEqual(move.state, "assigned")
        self.next_transaction()
        move._do_unreserve()
        self.put_in_stock(self.gloves, -5)
        move._action_assign()
        self.assertEqual(len(self.published(SHORTAGE, move)), 2)
