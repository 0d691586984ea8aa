# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Pages, filters, chosen fields, entity tags: what all resources have alike."""

from datetime import datetime, timedelta
from unittest.mock import patch

from odoo.tests import tagged

from odoo.addons.healthcare_integration_base.engine import reading
from odoo.addons.healthcare_integration_base.protocol.instants import format_instant

from .api_case import ApiCase

LONG_AGO = datetime(2020, 1, 1)


@tagged("post_install", "-at_install")
class TestApiCollections(ApiCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.five = cls.env["product.product"].browse()
        for number in range(5):
            cls.five += cls.make_product(
                name=f"Row {number}", default_code=f"ROW-{number}"
            )

    def setUp(self):
        super().setUp()
        for index, product in enumerate(self.five):
            self.touch(product, LONG_AGO + timedelta(days=index))
        self.only = ",".join(map(str, self.five.ids))

    def rows(self, **query):
        return self.numbers("products", ids=self.only, **query)

    def walk(self, **query):
        """Return the numbers of all pages, following next."""
        numbers, cursor = [], None
        for _page in range(20):
            more = {"cursor": cursor} if cursor else {}
            answer = self.get("products", ids=self.only, **query, **more).json()
            numbers += [item["number"] for item in answer["items"]]
            cursor = answer["next"]
            if not cursor:
                return numbers
        raise AssertionError("There is no end of pages")

    def test_pages_are_in_the_order_of_change_without_gaps(self):
        expected = [f"ROW-{number}" for number in range(5)]
        for limit in (1, 2, 3, 5, 500):
            self.assertEqual(self.walk(limit=limit), expected)

    def test_records_of_the_same_moment_come_once_each(self):
        for product in self.five:
            self.touch(product, LONG_AGO)
        self.assertEqual(sorted(self.walk(limit=2)), [f"ROW-{n}" for n in range(5)])

    def test_the_link_leads_to_the_next_page(self):
        response = self.get("products", ids=self.only, limit=2)
        link, _semicolon, rel = response.headers["Link"].partition("; ")
        self.assertEqual(rel, 'rel="next"')
        path = link.strip("<>").removeprefix("/integration/v1/")
        following = self.get(path).json()["items"]
        self.assertEqual([item["number"] for item in following], ["ROW-2", "ROW-3"])
        last = self.get("products", ids=self.only)
        self.assertNotIn("Link", last.headers)
        self.assertIsNone(last.json()["next"])

    def test_a_record_that_changes_while_it_is_paged_comes_again_at_the_end(self):
        first = self.get("products", ids=self.only, limit=2).json()
        self.touch(self.five[0], LONG_AGO + timedelta(days=90))
        rest = self.get("products", ids=self.only, limit=9, cursor=first["next"]).json()
        self.assertEqual(
            [item["number"] for item in rest["items"]],
            ["ROW-2", "ROW-3", "ROW-4", "ROW-0"],
        )

    def test_updated_since_takes_what_was_changed_then_or_later(self):
        moment = LONG_AGO + timedelta(days=3)
        self.assertEqual(
            self.rows(updated_since=format_instant(moment)), ["ROW-3", "ROW-4"]
        )
        later = format_instant(moment + timedelta(microseconds=1))
        self.assertEqual(self.rows(updated_since=later), ["ROW-4"])
        self.assertEqual(
            self.rows(updated_since="2020-01-05T01:00:00+01:00"), ["ROW-4"]
        )

    def test_the_last_updated_at_is_good_for_the_next_visit(self):
        last = self.items("products", ids=self.only)[-1]
        again = self.rows(updated_since=last["updated_at"])
        self.assertEqual(again, ["ROW-4"])
        self.touch(self.five[1], LONG_AGO + timedelta(days=30))
        self.assertEqual(
            self.rows(updated_since=last["updated_at"]), ["ROW-4", "ROW-1"]
        )

    def test_what_a_running_transaction_may_still_add_is_held_back(self):
        """Beyond the oldest running transaction the past is not finished."""
        moment = LONG_AGO + timedelta(days=2)
        with patch.object(reading, "horizon", lambda cr: moment):
            self.assertEqual(self.rows(), ["ROW-0", "ROW-1"])
        self.assertEqual(len(self.rows()), 5)

    def test_a_change_of_a_line_is_a_change_of_the_order(self):
        self.touch(self.order, LONG_AGO)
        for line in self.order.order_line:
            self.touch(line, LONG_AGO)
        since = format_instant(LONG_AGO + timedelta(days=1))
        found = self.items(
            "purchase-orders", updated_since=since, ids=str(self.order.id)
        )
        self.assertEqual(found, [])
        self.touch(self.order.order_line[0], LONG_AGO + timedelta(days=2))
        [item] = self.items(
            "purchase-orders", updated_since=since, ids=str(self.order.id)
        )
        self.assertEqual(item["updated_at"], "2020-01-03T00:00:00.000000Z")

    def test_chosen_fields(self):
        [item] = self.items(
            "purchase-orders", ids=str(self.order.id), fields="number,lines.item.code"
        )
        self.assertEqual(item["number"], self.order.name)
        self.assertEqual(set(item), {"number", "lines"})
        self.assertEqual(item["lines"][0], {"item": {"code": "GLV-1"}})
        single = self.get("products/GLV-1", fields="id")
        self.assertEqual(single.json(), {"id": str(self.gloves.id)})

    def test_an_etag_spares_what_has_not_changed(self):
        for path in ("products/GLV-1", "products", "lots/LOT/7/trace"):
            first = self.get(path)
            tag = first.headers["ETag"]
            self.assertRegex(tag, r'^"[0-9a-f]{32}"$')
            for header in (tag, f"W/{tag}", f'"x", {tag}', "*"):
                again = self.get(path, headers={"If-None-Match": header})
                self.assertEqual((again.status_code, again.content), (304, b""), path)
                self.assertEqual(again.headers["ETag"], tag)
            other = self.get(path, headers={"If-None-Match": '"x"'})
            self.assertEqual(other.status_code, 200)
        before = self.get("products/GLV-1").headers["ETag"]
        self.gloves.name = "Gloves, new"
        changed = self.get("products/GLV-1", headers={"If-None-Match": before})
        self.assertEqual(changed.status_code, 200)

    def test_identifiers_find_records(self):
        identifier = {
            "system_id": self.system.id,
            "kind": "sku",
            "value": "X:1",
            "res_model": "product.product",
            "res_id": self.gloves.id,
        }
        self.env["integration.identifier"].create(identifier)
        item = self.get("products/identifier:sku:X:1")
        self.assertEqual(item.json()["number"], "GLV-1")
        self.assertEqual(self.numbers("products", identifier="sku:X:1"), ["GLV-1"])
        code = self.system.code
        found = self.get("products/identifier:sku:X:1", system=code)
        self.assertEqual(found.status_code, 200)
        self.assert_problem(
            self.get("products/identifier:sku:X:1", system="other"),
            404,
            "unknown_record",
        )
        second = self.make_system(company_id=self.company.id)
        self.env["integration.identifier"].create(
            {**identifier, "system_id": second.id, "res_id": self.serum.id}
        )
        self.assert_problem(
            self.get("products/identifier:sku:X:1"), 409, "ambiguous_number"
        )

    def test_numbers_that_nobody_has(self):
        for number in (
            "nothing",
            "id:0",
            "id:99999999999",
            "id:x",
            "identifier:",
            "%25",
        ):
            self.assert_problem(self.get(f"products/{number}"), 404, "unknown_record")
        self.assert_problem(self.get("stock-levels/5"), 404, "unknown_record")

    def test_parameters_that_cannot_be(self):
        for query in (
            {"limit": "0"},
            {"limit": "501"},
            {"limit": "-1"},
            {"limit": "1e2"},
            {"limit": "٣"},
            {"limit": ""},
            {"limit": "9" * 5000},
            {"updated_since": "yesterday"},
            {"updated_since": "2026-11-20"},
            {"updated_since": "2026-11-20T10:00:00"},
            {"updated_since": ""},
            {"ids": "1,x"},
            {"ids": ""},
            {"ids": ",".join(["1"] * 501)},
            {"ids": "99999999999"},
            {"identifier": "nocolon"},
            {"active": "maybe"},
            {"supplier": "a\0b"},
            {"supplier": "x" * 2001},
            {"limit": ["1", "2"]},
        ):
            self.assert_problem(self.get("products", **query), 400, "invalid_parameter")
        self.assert_problem(
            self.get("purchase-orders", state="lost"), 400, "invalid_parameter"
        )
        self.assert_problem(
            self.get("receipts/" + "x" * 3000), 400, "invalid_parameter"
        )
        self.assert_problem(self.get("receipts/a%00b"), 400, "invalid_parameter")

    def test_unknown_parameters_and_fields(self):
        for query in ({"updated_sinse": "x"}, {"a b": "1"}, {"x" * 100: "1"}):
            self.assert_problem(self.get("products", **query), 400, "unknown_parameter")
        self.assert_problem(
            self.get("products/GLV-1", limit="1"), 400, "unknown_parameter"
        )
        self.assert_problem(
            self.get("products", fields="nothing"), 400, "unknown_field"
        )
        self.assert_problem(self.get("products", fields="a..b"), 400, "invalid_fields")
        many = {f"p{number}": "1" for number in range(40)}
        self.assert_problem(self.get("products", **many), 400, "invalid_parameter")

    def test_a_wrong_cursor(self):
        right = self.get("products", ids=self.only, limit=1).json()["next"]
        for cursor in ("x", "", right[:-3], right + "x", "%00", "ä"):
            self.assert_problem(self.get("products", ids=self.only, cursor=cursor), 400)
        # of another query, another resource
        self.assert_problem(self.get("products", cursor=right), 400, "invalid_cursor")
        self.assert_problem(self.get("services", cursor=right), 400, "invalid_cursor")

    def test_other_routes_are_not_taken_for_resources(self):
        post_only = self.get("validations")
        self.assert_problem(post_only, 405, "method_not_allowed")
        self.assertIn("POST", post_only.headers["Allow"])
        self.assert_problem(self.get("nonsense"), 404, "unknown_route")
        self.assert_problem(self.get("nonsense/1"), 404, "unknown_route")
        self.assert_problem(self.post("products", {}), 405, "method_not_allowed")
