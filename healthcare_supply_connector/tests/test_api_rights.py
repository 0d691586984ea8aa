# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""A client reads nothing of another client, company, scope or partner."""

from odoo import Command
from odoo.tests import tagged

from .api_case import ApiCase
from .test_api_resources import NAMES

NO_PARTNER = (
    "accounts",
    "cost-centers",
    "customers",
    "lots",
    "payment-terms",
    "stock-levels",
)


@tagged("post_install", "-at_install")
class TestApiRights(ApiCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        bound = cls.make_api_client("Supplier", record_scope="partner")
        cls.bound_key = bound._generate_key("test")

    def key_of(self, **vals):
        return self.make_api_client("One more", **vals).sudo()._generate_key("test")

    def test_each_resource_needs_its_scope(self):
        for name in NAMES:
            others = [f"{other}:read" for other in NAMES if other != name]
            key = self.key_of(scopes=others, record_scope="company")
            for path in (name, f"{name}/id:1"):
                self.assert_problem(self.get(path, key=key), 403, "scope_missing")
            key = self.key_of(scopes=[f"{name}:read"], record_scope="company")
            self.assertEqual(self.get(name, key=key).status_code, 200, name)

    def test_parts_need_the_scope_of_their_resource(self):
        key = self.key_of(scopes=["products:read"], record_scope="company")
        for path in (
            "lots/LOT/7/trace",
            "accounts/601100/balance",
            f"invoices/{self.bill.name}/status",
        ):
            self.assert_problem(self.get(path, key=key), 403, "scope_missing")
            self.assertEqual(self.get(path).status_code, 200)

    def test_without_a_key_nobody_reads(self):
        self.assert_problem(self.get("products", key="nonsense"), 401)
        for name in NAMES:
            answer = self.get(name, key="hik_00000000_" + "x" * 43)
            # 429 when it was tried too often
            self.assertIn(answer.status_code, (401, 429), name)
            self.assertNotIn("items", answer.json())

    def test_the_rights_of_the_user_are_the_limit(self):
        clerk = self.make_reader("api_clerk", self.company, ("base.group_user",))
        key = self.key_of(user_id=clerk.id, record_scope="company")
        for name in ("purchase-orders", "stock-levels", "lots", "invoices", "payments"):
            self.assert_problem(self.get(name, key=key), 403, "forbidden")
        self.assertEqual(self.get("products", key=key).status_code, 200)

    def test_another_company_sees_nothing_of_ours(self):
        company = self.env["res.company"].create({"name": "Hospital Two"})
        user = self.make_reader("api_other", company)
        system = self.make_system(company_id=company.id)
        key = self.key_of(user_id=user.id, system_id=system.id, record_scope="company")
        for record, name in (
            (self.order, "purchase-orders"),
            (self.receipt, "receipts"),
            (self.bill, "invoices"),
            (self.payment, "payments"),
            (self.account, "accounts"),
            (self.lot.quant_ids[:1], "stock-levels"),
            (self.lot, "lots"),
        ):
            self.assertEqual(self.items(name, key=key, ids=str(record.id)), [], name)
            self.assert_problem(
                self.get(f"{name}/id:{record.id}", key=key), 404, "unknown_record"
            )

    def test_a_user_of_two_companies_reads_in_the_one_of_the_client(self):
        company = self.env["res.company"].create({"name": "Hospital Two"})
        self.user.company_ids = [Command.link(company.id)]
        self.user.company_id = company
        product = self.make_product(
            name="Theirs", default_code="THEIRS", company_id=company.id
        )
        self.assertEqual(self.items("products", ids=str(product.id)), [])
        self.assertIn(self.order.name, self.numbers("purchase-orders"))

    def test_a_partner_sees_its_own_documents(self):
        stranger = self.env["res.partner"].create({"name": "Rival", "supplier_rank": 1})
        foreign = self.confirmed_order((self.gloves, 1, 1.0), supplier=stranger)
        bill = self.bill.copy({"partner_id": stranger.id})
        bill.invoice_date = self.bill.invoice_date
        bill.action_post()
        for name, own, other in (
            ("purchase-orders", self.order, foreign),
            ("receipts", self.receipt, foreign.picking_ids),
            ("invoices", self.bill, bill),
            ("suppliers", self.supplier, stranger),
        ):
            found = self.items(name, key=self.bound_key)
            self.assertIn(str(own.id), [item["id"] for item in found], name)
            self.assertNotIn(str(other.id), [item["id"] for item in found], name)
            self.assert_problem(
                self.get(f"{name}/id:{other.id}", key=self.bound_key),
                404,
                "unknown_record",
            )
        self.payment.copy()  # a draft is nobody's business yet
        payments = self.items("payments", key=self.bound_key)
        self.assertEqual([item["id"] for item in payments], [str(self.payment.id)])

    def test_a_contact_of_the_partner_is_the_partner(self):
        branch = self.env["res.partner"].create(
            {"name": "Branch", "parent_id": self.supplier.id}
        )
        order = self.confirmed_order((self.gloves, 1, 1.0), supplier=branch)
        self.assertIn(order.name, self.numbers("purchase-orders", key=self.bound_key))

    def test_a_partner_sees_products_that_it_supplies(self):
        other = self.make_product(name="Not theirs", default_code="NOT-1")
        numbers = self.numbers("products", key=self.bound_key)
        self.assertIn("GLV-1", numbers)
        self.assertNotIn("NOT-1", numbers)
        self.assert_problem(
            self.get(f"products/id:{other.id}", key=self.bound_key),
            404,
            "unknown_record",
        )

    def test_a_partner_sees_no_draft_of_an_order(self):
        draft = self.make_order()
        self.assertNotIn(
            draft.name, self.numbers("purchase-orders", key=self.bound_key)
        )
        self.assertIn(draft.name, self.numbers("purchase-orders"))

    def test_a_partner_sees_no_draft_of_an_invoice_but_what_it_sent(self):
        draft, sent = self.bill.copy(), self.bill.copy({"ref": "SENT-1"})
        sent.sudo().integration_match_state = "blocked"
        found = [item["id"] for item in self.items("invoices", key=self.bound_key)]
        self.assertNotIn(str(draft.id), found)
        self.assertIn(str(sent.id), found)
        self.assertIn(str(self.bill.id), found)
        everything = [item["id"] for item in self.items("invoices")]
        self.assertIn(str(draft.id), everything)

    def test_what_is_no_partners_is_refused(self):
        for name in NO_PARTNER:
            for path in (name, f"{name}/id:1"):
                self.assert_problem(
                    self.get(path, key=self.bound_key), 403, "forbidden"
                )
        for path in ("lots/LOT/7/trace", "accounts/601100/balance"):
            self.assert_problem(self.get(path, key=self.bound_key), 403, "forbidden")

    def test_a_client_bound_to_no_partner_sees_nothing(self):
        system = self.make_system(company_id=self.company.id)
        key = self.key_of(system_id=system.id, record_scope="partner")
        for name in NAMES:
            self.assert_problem(self.get(name, key=key), 403, "forbidden")

    def test_a_partner_reads_its_own_identifiers_only(self):
        rival = self.make_system(company_id=self.company.id)
        for system, value in ((self.system, "OURS"), (rival, "THEIRS")):
            self.env["integration.identifier"].create(
                {
                    "system_id": system.id,
                    "kind": "sku",
                    "value": value,
                    "res_model": "product.product",
                    "res_id": self.gloves.id,
                }
            )
        answer = self.get("products/GLV-1", key=self.bound_key)
        self.assertIn("OURS", answer.text)
        self.assertNotIn("THEIRS", answer.text)
        self.assertIn("THEIRS", self.get("products/GLV-1").text)
        self.assert_problem(
            self.get("products/identifier:sku:THEIRS", key=self.bound_key),
            404,
            "unknown_record",
        )

    def test_a_filter_tells_nothing_of_others(self):
        """A field of a record that the client may not see gives nothing away."""
        rival = self.env["res.partner"].create(
            {"name": "Rival", "ref": "RIVAL", "supplier_rank": 1}
        )
        self.confirmed_order((self.gloves, 1, 1.0), supplier=rival)
        for name in ("purchase-orders", "receipts"):
            found = self.items(name, key=self.bound_key, supplier="RIVAL")
            self.assertEqual(found, [], name)
