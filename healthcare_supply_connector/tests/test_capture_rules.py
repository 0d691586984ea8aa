# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).

from odoo.tests import tagged

from .common import CODES, SupplyCase

RELEASED = "supply.purchase_order.released"


class Undo(Exception):
    """Rolls a savepoint back."""


@tagged("post_install", "-at_install")
class TestCaptureRules(SupplyCase):
    def test_nothing_without_subscription(self):
        self.forget_plans()
        order = self.confirmed_order()
        self.receive(order.picking_ids, {self.gloves: 6})
        self.supplier.city = "Ghent"
        self.gloves.default_code = "GLV-9"
        for code in CODES:
            self.assertNotPublished(code)

    def test_only_what_is_subscribed(self):
        self.subscribe("supply.goods.received")
        order = self.confirmed_order()
        self.receive(order.picking_ids, {self.gloves: 10, self.serum: 4})
        self.assertPublished("supply.goods.received", order.picking_ids)
        for code in set(CODES) - {"supply.goods.received"}:
            self.assertNotPublished(code)

    def test_rolled_back(self):
        self.subscribe(RELEASED)
        order = self.make_order()
        with self.assertRaises(Undo), self.env.cr.savepoint():
            order.button_confirm()
            raise Undo
        self.assertEqual(order.state, "draft")
        self.assertNotPublished(RELEASED)

    def test_rolled_back_after_an_inner_flush(self):
        self.subscribe(RELEASED)
        order = self.make_order()
        with self.assertRaises(Undo), self.env.cr.savepoint():
            order.button_confirm()
            self.env.cr.flush()
            raise Undo
        self.assertNotPublished(RELEASED)

    def test_filter_of_the_subscription(self):
        self.subscribe(RELEASED, domain="[('amount_total', '>', 1000)]")
        small, large = self.make_order(), self.make_order((self.serum, 400, 31.2))
        (small | large).button_confirm()
        messages = self.published(RELEASED).message_ids
        self.assertEqual(messages.mapped("res_id"), large.ids)

    def test_company_of_the_document(self):
        other = self.env["res.company"].create({"name": "Other"})
        self.subscribe(
            RELEASED,
            endpoint=self.make_endpoint(
                system_id=self.make_system(company_id=self.company.id).id
            ),
        )
        warehouse = self.env["stock.warehouse"].search(
            [("company_id", "=", other.id)], limit=1
        )
        ours = self.make_order()
        theirs = (
            self.env["purchase.order"]
            .with_company(other)
            .create(
                {
                    "partner_id": self.supplier.id,
                    "company_id": other.id,
                    "picking_type_id": warehouse.in_type_id.id,
                    "order_line": [
                        (0, 0, {"product_id": self.gloves.id, "product_qty": 1})
                    ],
                }
            )
        )
        ours.button_confirm()
        theirs.button_confirm()
        events = self.published(RELEASED)
        self.assertEqual(
            {event.res_id: event.company_id for event in events},
            {ours.id: self.company, theirs.id: other},
        )
        self.assertEqual(events.message_ids.mapped("res_id"), ours.ids)
        self.assertEqual(self.data_of(RELEASED, theirs)["buyer"]["name"], "Other")

    def test_user_with_few_rights_publishes_the_whole_document(self):
        self.subscribe(RELEASED)
        buyer = self.make_buyer()
        order = self.make_order().with_user(buyer)
        order.button_confirm()
        self.assertEqual(len(self.data_of(RELEASED, order)["lines"]), 2)
        self.assertEqual(self.published(RELEASED, order).user_id, buyer)

    def test_language_of_the_user_does_not_matter(self):
        self.env["res.lang"]._activate_lang("fr_FR")
        self.gloves.with_context(lang="fr_FR").name = "Gants"
        self.subscribe(RELEASED)
        order = self.make_order()
        order.with_context(lang="fr_FR").button_confirm()
        data = self.data_of(RELEASED, order)
        self.assertEqual(data["lines"][0]["item"]["name"], "Gloves")
