# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo.tests import tagged

from .common import SupplyCase

RELEASED = "supply.purchase_order.released"
LIMIT = 20


class Undo(Exception):
    """Rolls a savepoint back."""


@tagged("post_install", "-at_install")
class TestCaptureCost(SupplyCase):
    """Statements of a confirmation, always of the same orders in the same state."""

    def make_orders(self, count):
        return self.env["purchase.order"].union(
            *(self.make_order() for _index in range(count))
        )

    def cost(self, orders):
        """Return the statements of confirming, up to the commit; it is undone."""
        self.confirm_and_undo(orders)  # fills the caches that outlive a transaction
        return self.confirm_and_undo(orders)

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
        orders = self.make_orders(10)
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
