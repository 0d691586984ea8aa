# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from datetime import timedelta

from odoo import fields
from odoo.tests import tagged

from .common import SupplyCase

CREATED = "supply.lot.created"
EXPIRING = "supply.lot.expiring"


@tagged("post_install", "-at_install")
class TestLotEvents(SupplyCase):
    def setUp(self):
        super().setUp()
        self.subscribe(CREATED, EXPIRING)

    def make_lot(self, days, quantity=5, **vals):
        """Return a lot on hand that expires in so many days."""
        lot = self.env["stock.lot"].create(
            {
                "name": self.next_code("LOT"),
                "product_id": self.serum.id,
                "expiration_date": fields.Datetime.now() + timedelta(days=days),
                **vals,
            }
        )
        if quantity:
            self.put_in_stock(self.serum, quantity, lot)
        return lot

    def run_cron(self):
        cron = self.env.ref("healthcare_supply_connector.cron_publish_expiring_lots")
        self.env.cr.flush()
        cron.method_direct_trigger()
        self.env.invalidate_all()

    def test_lot_created(self):
        lot = self.make_lot(400)
        data = self.data_of(CREATED, lot)
        self.assertEqual(data["lot"]["number"], lot.name)
        self.assertEqual(data["lot"]["expiry_date"], str(lot.expiration_date.date()))
        self.assertEqual(data["item"]["code"], "SER-1")

    def test_lots_within_the_horizon(self):
        soon, late = self.make_lot(30), self.make_lot(400)
        self.run_cron()
        self.assertPublished(EXPIRING, soon)
        self.assertIn(self.data_of(EXPIRING, soon)["days_left"], (29, 30))
        self.assertNotPublished(EXPIRING, late)

    def test_expired_lot_on_hand(self):
        lot = self.make_lot(-2)
        self.run_cron()
        self.assertLess(self.data_of(EXPIRING, lot)["days_left"], 0)

    def test_lot_that_is_used_up(self):
        self.make_lot(30, quantity=0)
        self.run_cron()
        self.assertNotPublished(EXPIRING)

    def test_once_per_horizon(self):
        lot = self.make_lot(30)
        self.run_cron()
        self.next_transaction()
        self.run_cron()
        self.assertEqual(len(self.published(EXPIRING, lot)), 1)
        self.company.lot_expiry_horizon_days = 60
        self.run_cron()
        self.assertEqual(len(self.published(EXPIRING, lot)), 2)

    def test_again_for_a_corrected_date(self):
        lot = self.make_lot(30)
        self.run_cron()
        self.next_transaction()
        lot.expiration_date = fields.Datetime.now() + timedelta(days=10)
        self.run_cron()
        self.assertEqual(len(self.published(EXPIRING, lot)), 2)

    def test_switched_off(self):
        self.company.lot_expiry_horizon_days = 0
        self.make_lot(3)
        self.run_cron()
        self.assertNotPublished(EXPIRING)

    def test_on_hand_only_for_lots_of_one_company(self):
        shared, own = self.make_lot(30), self.make_lot(30, company_id=self.company.id)
        shared.company_id = False
        self.run_cron()
        self.assertNotIn("on_hand_quantity", self.data_of(EXPIRING, shared))
        self.assertEqual(self.data_of(EXPIRING, own)["on_hand_quantity"], "5")

    def test_horizon_and_stock_are_the_companys(self):
        other = self.env["res.company"].create(
            {"name": "Other", "lot_expiry_horizon_days": 5}
        )
        lot = self.make_lot(30, quantity=0)
        warehouse = self.env["stock.warehouse"].search(
            [("company_id", "=", other.id)], limit=1
        )
        self.env["stock.quant"]._update_available_quantity(
            self.serum, warehouse.lot_stock_id, 5, lot_id=lot
        )
        self.run_cron()
        self.assertNotPublished(EXPIRING)
        other.lot_expiry_horizon_days = 45
        self.run_cron()
        self.assertPublished(EXPIRING, lot)
