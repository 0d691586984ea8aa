# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo.tests import tagged

from .common import SupplyCase

TRIGGERED = "supply.replenishment.triggered"


@tagged("post_install", "-at_install")
class TestReplenishmentEvents(SupplyCase):
    def setUp(self):
        super().setUp()
        self.subscribe(TRIGGERED)
        self.env["product.supplierinfo"].create(
            {
                "partner_id": self.supplier.id,
                "product_tmpl_id": self.gloves.product_tmpl_id.id,
                "price": 2,
            }
        )

    def make_rule(self, product, minimum=10, maximum=40):
        return self.env["stock.warehouse.orderpoint"].create(
            {
                "product_id": product.id,
                "location_id": self.stock.id,
                "warehouse_id": self.warehouse.id,
                "product_min_qty": minimum,
                "product_max_qty": maximum,
                "route_id": self.env.ref("purchase_stock.route_warehouse0_buy").id,
            }
        )

    def test_manual(self):
        rule = self.make_rule(self.gloves)
        rule.action_replenish()
        data = self.data_of(TRIGGERED, rule)
        self.assertEqual(data["quantity"], "40")
        self.assertEqual(data["unit"]["code"], "C62")
        self.assertEqual(data["replenishment"]["rule"], rule.name)
        self.assertEqual(data["replenishment"]["warehouse"], self.warehouse.code)

    def test_enough_on_hand(self):
        self.put_in_stock(self.gloves, 100)
        rule = self.make_rule(self.gloves)
        rule._procure_orderpoint_confirm(company_id=self.company)
        self.assertNotPublished(TRIGGERED)

    def test_rule_that_fails_is_not_published_its_neighbour_is(self):
        good, bad = self.make_rule(self.gloves), self.make_rule(self.serum)
        (good | bad)._procure_orderpoint_confirm(
            company_id=self.company, raise_user_error=False
        )
        self.assertPublished(TRIGGERED, good)
