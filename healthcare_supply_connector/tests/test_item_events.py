# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo.tests import tagged

from .common import SupplyCase

CREATED = "supply.item.created"
UPDATED = "supply.item.updated"
PRICE = "supply.price.updated"


@tagged("post_install", "-at_install")
class TestItemEvents(SupplyCase):
    def setUp(self):
        super().setUp()
        self.subscribe(CREATED, UPDATED, PRICE)
        self.age(self.gloves | self.serum)

    def test_template_creates_one_item(self):
        template = self.env["product.template"].create(
            {
                "name": "Mask",
                "default_code": "MSK",
                "barcode": "2990000000026",
                "weight": 0.2,
            }
        )
        self.assertPublished(CREATED, template.product_variant_ids)
        self.assertNotPublished(UPDATED)
        data = self.data_of(CREATED, template.product_variant_ids)
        self.assertEqual(data["item"]["gtin"], "02990000000026")
        self.assertEqual(data["item"]["code"], "MSK")
        self.assertEqual(data["weight"], "0.2")
        self.assertEqual(data["weight_unit"]["code"], "KGM")

    def test_each_variant_is_an_item(self):
        attribute = self.env["product.attribute"].create(
            {
                "name": "Size",
                "value_ids": [(0, 0, {"name": "S"}), (0, 0, {"name": "L"})],
            }
        )
        template = self.env["product.template"].create(
            {
                "name": "Gown",
                "attribute_line_ids": [
                    (
                        0,
                        0,
                        {
                            "attribute_id": attribute.id,
                            "value_ids": [(6, 0, attribute.value_ids.ids)],
                        },
                    )
                ],
            }
        )
        self.assertEqual(len(template.product_variant_ids), 2)
        self.assertPublished(CREATED, template.product_variant_ids)

    def test_name_of_the_template(self):
        self.gloves.product_tmpl_id.name = "Gloves, nitrile"
        self.assertPublished(UPDATED, self.gloves)
        self.assertEqual(
            self.data_of(UPDATED, self.gloves)["item"]["name"], "Gloves, nitrile"
        )

    def test_barcode_by_the_template_is_one_event(self):
        self.gloves.product_tmpl_id.write({"barcode": "2990000000026", "name": "New"})
        data = self.data_of(UPDATED, self.gloves)
        self.assertEqual(data["item"]["barcode"], "2990000000026")

    def test_same_value_and_unwatched_field(self):
        self.gloves.write({"default_code": "GLV-1", "standard_price": 9.0})
        self.gloves.product_tmpl_id.write({"name": "Gloves", "list_price": 12.0})
        self.assertNotPublished(UPDATED)

    def test_archived(self):
        self.gloves.action_archive()
        self.assertFalse(self.data_of(UPDATED, self.gloves)["active"])

    def test_cost_never_leaves(self):
        self.gloves.standard_price = 4.321
        self.gloves.default_code = "GLV-2"
        event = self.published(UPDATED, self.gloves)
        self.assertNotIn("4.321", event.sudo().data)

    def test_pack_with_its_own_gtin(self):
        dozen = self.env.ref("uom.product_uom_dozen")
        self.gloves.product_tmpl_id.uom_ids = dozen
        self.env["product.uom"].create(
            {
                "product_id": self.gloves.id,
                "uom_id": dozen.id,
                "barcode": "12990000000016",
            }
        )
        self.gloves.default_code = "GLV-3"
        package = self.data_of(UPDATED, self.gloves)["packages"][0]
        self.assertEqual(package["gtin"], "12990000000016")
        self.assertEqual(package["contained_quantity"], "12")
        self.assertEqual(package["unit"]["code"], "DZN")

    def test_price_entered_and_changed(self):
        seller = self.env["product.supplierinfo"].create(
            {
                "partner_id": self.supplier.id,
                "product_tmpl_id": self.gloves.product_tmpl_id.id,
                "price": 2.125,
                "min_qty": 100,
                "delay": 7,
                "date_start": "2026-01-01",
            }
        )
        data = self.data_of(PRICE, seller)
        self.assertEqual(data["price"]["unit_price"], "2.125")
        self.assertEqual(data["price"]["minimum_quantity"], "100")
        self.assertEqual(data["price"]["lead_time_days"], 7)
        self.assertEqual(data["price"]["valid_from"], "2026-01-01")
        self.assertEqual(data["items"][0]["id"], str(self.gloves.id))
        self.next_transaction()
        seller.price = 2
        self.assertEqual(len(self.published(PRICE, seller)), 2)
        self.next_transaction()
        seller.sequence = 5
        self.assertEqual(len(self.published(PRICE, seller)), 2)
