# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo.tests import tagged

from .common import SupplyCase

RELEASED = "supply.purchase_order.released"


@tagged("post_install", "-at_install")
class TestDocumentMessages(SupplyCase):
    def test_order_shows_its_own_messages(self):
        self.subscribe(RELEASED)
        order, other = self.confirmed_order(), self.confirmed_order()
        self.env.cr.flush()
        self.make_message(res_model="purchase.order", res_id=order.id)
        self.env.invalidate_all()
        self.assertEqual(order.integration_message_count, 2)
        self.assertEqual(other.integration_message_count, 1)
        self.assertEqual(order.picking_ids.integration_message_count, 0)
        action = order.action_open_integration_messages()
        messages = self.env[action["res_model"]].search(action["domain"])
        self.assertEqual(len(messages), 2)
        self.assertEqual(set(messages.mapped("res_id")), {order.id})

    def test_forms_load_with_the_button(self):
        for model in (
            "purchase.order",
            "stock.picking",
            "account.move",
            "account.payment",
            "stock.lot",
            "product.product",
            "res.partner",
        ):
            arch = self.env[model].get_view(view_type="form")["arch"]
            self.assertIn("action_open_integration_messages", arch, model)
