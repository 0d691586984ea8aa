# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Partners ask whether a number is right before they use it."""

from odoo.tests import tagged

from .api_case import ApiCase


@tagged("post_install", "-at_install")
class TestApiValidations(ApiCase):
    def ask(self, *items, key=None):
        content = {"items": [{"kind": kind, "value": value} for kind, value in items]}
        response = self.post("validations", content, key=key)
        self.assertEqual(response.status_code, 200, response.text)
        return response.json()["items"]

    def result(self, kind, value, key=None):
        [answer] = self.ask((kind, value), key=key)
        self.assertEqual((answer["kind"], answer["value"]), (kind, value))
        return answer

    def test_results_come_in_the_order_of_the_questions(self):
        answers = self.ask(
            ("item", "GLV-1"),
            ("account", "601100"),
            ("cost_center", "ICU"),
            ("item", "no"),
        )
        self.assertEqual(
            [answer["result"] for answer in answers],
            ["valid", "valid", "valid", "invalid"],
        )
        self.assertEqual(answers[0]["id"], str(self.gloves.id))
        self.assertIn("reason", answers[3])

    def test_a_gtin_is_an_item_with_or_without_leading_zeros(self):
        for value in ("2990000000019", "02990000000019"):
            answer = self.result("item", value)
            self.assertEqual((answer["result"], answer["number"]), ("valid", "GLV-1"))

    def test_what_is_archived_says_so(self):
        self.gloves.action_archive()
        self.cost_center.active = False
        self.assertEqual(self.result("item", "GLV-1")["result"], "archived")
        self.assertEqual(self.result("cost_center", "ICU")["result"], "archived")

    def test_a_number_of_two_records_is_ambiguous(self):
        self.make_product(name="Twin", default_code="GLV-1")
        answer = self.result("item", "GLV-1")
        self.assertEqual(answer["result"], "ambiguous")
        self.assertNotIn("id", answer)

    def test_a_partner_learns_of_what_it_supplies_only(self):
        self.make_product(name="Not theirs", default_code="NOT-1")
        client = self.make_api_client("Supplier", record_scope="partner")
        key = client.sudo()._generate_key("test")
        self.assertEqual(self.result("item", "GLV-1", key)["result"], "valid")
        self.assertEqual(self.result("item", "NOT-1", key)["result"], "invalid")

    def test_a_partner_may_ask_by_its_own_codes(self):
        self.env["product.supplierinfo"].search(
            [("product_tmpl_id", "=", self.gloves.product_tmpl_id.id)]
        ).product_code = "MED-77"
        self.env["integration.crosswalk"].create(
            {
                "system_id": self.system.id,
                "domain": "item",
                "external_value": "old 5",
                "internal_value": "GLV-1",
            }
        )
        for value in ("MED-77", "old 5"):
            answer = self.result("item", value)
            self.assertEqual((answer["result"], answer["number"]), ("valid", "GLV-1"))

    def test_own_codes_tell_nothing_of_what_others_supply(self):
        hidden = self.make_product(name="Not theirs", default_code="NOT-1")
        self.env["integration.crosswalk"].create(
            {
                "system_id": self.system.id,
                "domain": "item",
                "external_value": "old 6",
                "internal_value": f"product.product,{hidden.id}",
            }
        )
        client = self.make_api_client("Supplier", record_scope="partner")
        key = client.sudo()._generate_key("test")
        self.assertEqual(self.result("item", "old 6", key)["result"], "invalid")

    def test_accounts_of_another_company_are_not_there(self):
        company = self.env["res.company"].create({"name": "Hospital Two"})
        theirs = self.env["account.account"].with_company(company)
        theirs.create({"code": "987650", "name": "Theirs", "account_type": "expense"})
        self.assertEqual(self.result("account", "987650")["result"], "invalid")

    def test_it_needs_its_scope_and_the_rights_of_the_user(self):
        client = self.make_api_client("Reader", ("*:read",), record_scope="company")
        key = client.sudo()._generate_key("test")
        question = {"items": [{"kind": "item", "value": "x"}]}
        self.assert_problem(
            self.post("validations", question, key=key), 403, "scope_missing"
        )
        guest = self.make_reader("api_guest", self.company, ("base.group_portal",))
        client = self.make_api_client("Guest", user_id=guest.id, record_scope="company")
        key = client.sudo()._generate_key("test")
        question = {"items": [{"kind": "account", "value": "601100"}]}
        self.assert_problem(
            self.post("validations", question, key=key), 403, "forbidden"
        )

    def test_questions_of_another_form_are_refused_with_the_place(self):
        for content, path in (
            ({}, "/items"),
            ({"items": []}, "/items"),
            ({"items": "x"}, "/items"),
            ({"items": [{"kind": "item", "value": "x"}] * 501}, "/items"),
            ({"items": [{"kind": "item", "value": "x"}], "more": 1}, ""),
            ({"items": [7]}, "/items/0"),
            ({"items": [{"kind": "item"}]}, "/items/0"),
            ({"items": [{"kind": "person", "value": "x"}]}, "/items/0/kind"),
            ({"items": [{"kind": ["item"], "value": "x"}]}, "/items/0/kind"),
            ({"items": [{"kind": "item", "value": ""}]}, "/items/0/value"),
            ({"items": [{"kind": "item", "value": 5}]}, "/items/0/value"),
            ({"items": [{"kind": "item", "value": "x" * 256}]}, "/items/0/value"),
        ):
            problem = self.assert_problem(self.post("validations", content), 422)
            self.assertEqual(problem["errors"][0]["path"], path, content)

    def test_what_is_no_json_is_refused(self):
        for body in (b"", b"{", b"[]", b"\xff", b'{"items": NaN}', b"[" * 5000):
            response = self.post("validations", body)
            self.assert_problem(response, 400)
        nul = self.post(
            "validations", b'{"items": [{"kind": "item", "value": "a\\u0000"}]}'
        )
        self.assertIn(nul.status_code, (400, 422))
        self.assert_problem(
            self.post("validations", b"{}", **{"Content-Type": "text/plain"}),
            415,
            "unsupported_media_type",
        )
