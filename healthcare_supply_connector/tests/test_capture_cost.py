# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo.tests import tagged

from .common import SupplyCase

RELEASED = "supply.purchase_order.released"
LIMIT = 20


@tagged("post_install", "-at_install")
class TestCaptureCost(SupplyCase):
    """Statements of a confirmation with subscribers, less those without."""

    def confirm(self, count):
        """Confirm so many orders from cold caches; return the statements it took."""
        orders = self.env["purchase.order"].union(*(self.make_order() for _index in range(count)))
        self.env.flush_all()
        self.env.cr.flush()
        self.env.invalidate_all()
        start = self.env.cr.sql_log_count
        orders.button_confirm()
        self.env.cr.flush()
        return self.env.cr.sql_log_count - start

    def warmed(self, count):
        """Confirm twice: the first fills the caches that outlive a transaction."""
        self.confirm(2)
        return self.confirm(count)

    def test_constant_for_ten_and_a_hundred_orders(self):
        without = {count: self.warmed(count) for count in (10, 100)}
        self.subscribe(RELEASED)
        added = {count: self.warmed(count) - without[count] for count in (10, 100)}
        self.assertEqual(len(self.published(RELEASED)), 2 + 10 + 2 + 100)
        self.assertLessEqual(added[10], LIMIT)
        self.assertLessEqual(added[100], LIMIT)
        self.assertEqual(added[10], added[100])

    def test_nothing_where_nobody_subscribes(self):
        """The connector's overrides alone cost no statement."""
        self.forget_plans()
        self.confirm(2)
        ours = self.confirm(5)
        silenced = self.env(context={**self.env.context, "integration_no_event": True})
        self.env = silenced
        self.assertEqual(self.confirm(5), ours)
        self.assertNotPublished(RELEASED)
