# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo.tests import tagged
from odoo.tools import SQL

from ..hooks import post_init_hook
from .common import SupplyCase


@tagged("post_install", "-at_install")
class TestInstallation(SupplyCase):
    def test_existing_order_lines_are_numbered(self):
        order = self.make_order()
        self.env.flush_all()
        self.env.cr.execute(
            SQL(
                "UPDATE purchase_order_line SET integration_line_ref = NULL WHERE order_id = %s",
                order.id,
            )
        )
        self.env.cr.execute("UPDATE purchase_order SET integration_line_count = NULL")
        self.env.invalidate_all()
        post_init_hook(self.env)
        self.assertEqual(order.order_line.mapped("integration_line_ref"), ["1", "2"])
        self.assertEqual(order.integration_line_count, 2)

    def test_units_have_their_codes_and_own_ones_are_kept(self):
        unit, dozen = (
            self.env.ref(f"uom.product_uom_{name}") for name in ("unit", "dozen")
        )
        self.assertEqual((unit.unece_code, dozen.unece_code), ("C62", "DZN"))
        unit.unece_code = "EA"
        dozen.unece_code = False
        post_init_hook(self.env)
        self.assertEqual((unit.unece_code, dozen.unece_code), ("EA", "DZN"))
