# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""A page costs a fixed number of queries, however many records it has."""

from collections import Counter
from unittest.mock import patch

from odoo.fields import Domain
from odoo.tests import tagged

from odoo.addons.healthcare_integration_base.engine import reading

from .api_case import ApiRecords
from .test_api_resources import NAMES


@tagged("post_install", "-at_install")
class TestApiCost(ApiRecords):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for number in range(12):
            cls.env["account.analytic.account"].create(
                {
                    "name": f"Ward {number}",
                    "code": f"W{number}",
                    "plan_id": cls.cost_center.plan_id.id,
                }
            )
            cls.env["account.payment.term"].create({"name": f"Term {number}"})
            cls.make_product(name=f"G{number}", default_code=f"G{number}")
            cls.make_product(
                name=f"S{number}",
                type="service",
                is_storable=False,
                default_code=f"S{number}",
            )
            cls.env["stock.lot"].create(
                {"name": f"L{number}", "product_id": cls.serum.id}
            )
            for kind in ("customer_rank", "supplier_rank"):
                cls.env["res.partner"].create(
                    {"name": f"P{number}", "is_company": True, kind: 1}
                )
            cls._account(f"70000{number}", f"Account {number}", "income")
            order = cls.confirmed_order(
                (cls.make_product(name=f"O{number}"), 1, 1.0), (cls.gloves, 2, 1.0)
            )
            cls.put_in_stock(cls, order.order_line.product_id[0], 3)
            bill = cls.bill.copy({"invoice_date": cls.bill.invoice_date})
            bill.action_post()
            cls.env["account.payment.register"].with_context(
                active_model="account.move", active_ids=bill.ids
            ).create({})._create_payments()

    def queries(self, name, limit):
        """Return how many queries a page takes, and how many items it has."""
        client = self.api_client
        self.env.flush_all()
        self.env.invalidate_all()
        env = client._acting_env(self.env)
        window = reading.Window(domain=Domain.TRUE, limit=limit)
        statements = []
        execute = type(self.env.cr).execute

        def noting(cr, query, *args, **kwargs):
            statements.append(getattr(query, "code", query))
            return execute(cr, query, *args, **kwargs)

        with patch.object(type(self.env.cr), "execute", noting):
            page = reading.page(env, self.resource(name), client, window)
        return Counter(statements), len(page.items)

    def test_a_page_of_twelve_costs_what_a_page_of_four_does(self):
        for name in NAMES:
            self.queries(name, 12)  # fills the caches of the registry
            few, four = self.queries(name, 4)
            many, twelve = self.queries(name, 12)
            self.assertEqual((four, twelve), (4, 12), name)
            more = many - few
            self.assertLessEqual(
                many.total(), few.total() + 3, f"{name}: {more.most_common(5)}"
            )
