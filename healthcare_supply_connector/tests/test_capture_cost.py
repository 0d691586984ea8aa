# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo.tests import freeze_time, tagged

from .common import SupplyCase

RELEASED = "supply.purchase_order.released"
LIMIT = 20


class Undo(Exception):
    """Rolls a savepoint back."""


@tagged("post_install", "-at_install")
@freeze_time("2026-11-20 12:00:00")  # a second that passes may change what Odoo writes
class TestCaptureCost(SupplyCase):
    """Statements of a confirmation, always of the same orders in the same state."""

    def make_orders(self, count):
        """Return orders that have neither supplier nor goods in common."""
        orders = self.env["purchase.order"]
        for index in range(count):
            supplier = self.supplier.copy({"name": f"Supplier {index}"})
            goods = self.make_product(name=f"Goods {index}")
            tracked = self.make_product(tracking="lot", use_expiration_date=True)
            orders |= self.make_order(
                (goods, 10, 2.5), (tracked, 4, 31.2), supplier=supplier
            )
        return orders

    def cost(self, orders):
        """Return the statements of confirming, up to the commit; it is undone.

        The least of two: the first may fill caches that outlive a transaction.
        """
        return min(self.confirm_and_undo(orders), self.confirm_and_undo(orders))

    def confirm_and_undo(self, orders):
        self.env.cr.flush()
        self.env.invalidate_all()
        cr = self.env.cr
        try:
            with cr.savepoint():
                start = cr.sql_log_count
                orders.button_confirm()
                cr.flush()
                self.cost_of_last = cr.sql_log_count - start
                self.events = len(self.published(RELEASED))
                raise Undo
        except Undo:
            return self.cost_of_last

    def test_constant_for_ten_and_a_hundred_orders(self):
        few, many = self.make_orders(10), self.make_orders(100)
        self.forget_plans()
        alone = self.cost(few), self.cost(many)
        self.subscribe(RELEASED)
        added_few = self.cost(few) - alone[0]
        self.assertEqual(self.events, 10)
        added_many = self.cost(many) - alone[1]
        self.assertEqual(self.events, 100)
        self.assertGreater(added_few, 0)
        self.assertEqual(added_few, added_many)
        self.assertLessEqual(added_many, LIMIT)

    def test_several_subscribers_cost_the_same(self):
        orders = self.make_orders(3)
        self.subscribe(RELEASED)
        one = self.cost(orders)
        self.subscribe(RELEASED)
        self.subscribe(RELEASED)
        self.assertEqual(self.cost(orders), one)

    def test_nothing_where_nobody_subscribes(self):
        orders = self.make_orders(5)
        self.forget_plans()
        unheard = self.cost(orders)
        self.assertEqual(self.events, 0)
        silent = orders.with_context(integration_no_event=True)
        self.assertEqual(self.cost(silent), unheard)

    def test_overrides_run_no_statement_of_their_own(self):
        """What the connector adds to a confirmation without subscriber: nothing at all."""
        self.forget_plans()
        order = self.confirmed_order()
        codes = ("supply.goods.received", RELEASED, "finance.invoice.paid")
        order._integration_wanted(*codes)
        self.env.cr.flush()
        before = self.env.cr.sql_log_count
        self.assertFalse(order._integration_wanted(*codes))
        order._integration_emit(RELEASED)
        self.env.cr.flush()
        self.assertEqual(self.env.cr.sql_log_count, before)

    # -- other documents ------------------------------------------------------------

    def undone(self, function):
        """Return the statements of a function up to the commit, the least of three."""
        return min(self.run_and_undo(function) for _index in range(3))

    def run_and_undo(self, function):
        cr = self.env.cr
        cr.flush()
        self.env.invalidate_all()
        try:
            with cr.savepoint():
                start = cr.sql_log_count
                function()
                cr.flush()
                cost = cr.sql_log_count - start
                raise Undo
        except Undo:
            return cost

    def assertConstant(self, code, functions):
        """Publishing costs the same statements for few as for many documents."""
        self.forget_plans()
        alone = [self.undone(function) for function in functions]
        self.subscribe(code)
        few, many = (
            self.undone(function) - base
            for function, base in zip(functions, alone, strict=True)
        )
        self.assertGreater(few, 0)
        self.assertEqual(few, many)
        self.assertLessEqual(many, LIMIT)

    def test_receipts(self):
        def receive(orders):
            pickings = orders.picking_ids
            pickings.move_ids.picked = True
            for line in pickings.move_line_ids.filtered(
                lambda row: row.tracking != "none"
            ):
                line.lot_name = f"LOT-{line.id}"
            pickings._action_done()

        orders = [self.make_orders(3), self.make_orders(12)]
        for group in orders:
            group.button_confirm()
        self.assertConstant(
            "supply.goods.received", [lambda g=group: receive(g) for group in orders]
        )

    def make_deliveries(self, count):
        pickings = self.env["stock.picking"]
        for index in range(count):
            product = self.make_product(name=f"Goods {index}")
            self.put_in_stock(product, 10)
            pickings |= self.make_delivery(product, 2)
        pickings.move_ids.picked = True
        return pickings

    def test_movements(self):
        deliveries = [self.make_deliveries(3), self.make_deliveries(12)]
        self.assertConstant(
            "supply.stock.moved",
            [lambda g=group: g._action_done() for group in deliveries],
        )

    def test_dispatched_shipments(self):
        deliveries = [self.make_deliveries(3), self.make_deliveries(12)]
        self.assertConstant(
            "supply.shipment.dispatched",
            [lambda g=group: g._action_done() for group in deliveries],
        )

    def test_changed_items(self):
        products = [
            self.env["product.product"].union(*(self.make_product() for _i in range(n)))
            for n in (3, 12)
        ]
        self.age(products[0] | products[1])
        self.assertConstant(
            "supply.item.updated",
            [lambda g=group: g.write({"weight": 2.0}) for group in products],
        )
