# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""What the system APIs of the connector tell."""

from odoo.tests import tagged

from .api_case import ApiCase

NAMES = (
    "accounts",
    "cost-centers",
    "customers",
    "invoices",
    "lots",
    "payment-terms",
    "payments",
    "products",
    "purchase-orders",
    "receipts",
    "services",
    "stock-levels",
    "suppliers",
)


@tagged("post_install", "-at_install")
class TestApiResources(ApiCase):
    def found(self, name, record):
        """Return a record's item of the collection; it fits the schema and stands alone, too."""
        item = next(
            one
            for one in self.items(name, ids=str(record.id))
            if one["id"] == str(record.id)
        )
        self.assert_fits(self.resource(name), item)
        single = self.get(f"{name}/id:{record.id}")
        self.assertEqual(single.status_code, 200, single.text)
        self.assertEqual(single.json(), item)
        return item

    def test_the_connector_publishes_thirteen_resources(self):
        self.assertEqual(sorted(self.env["integration.api"]._resources()), list(NAMES))

    def test_every_item_of_every_resource_fits_its_schema(self):
        for name in NAMES:
            items = self.items(name)
            self.assertTrue(items, f"{name} has nothing to test")
            for item in items:
                self.assert_fits(self.resource(name), item)

    def test_a_product_is_found_by_its_code(self):
        item = self.get("products/GLV-1").json()
        self.assertEqual(item["number"], "GLV-1")
        self.assertEqual(item["item"]["name"], "Gloves")
        self.assertNotIn("SRV-1", self.numbers("products"))
        self.assertIn("SRV-1", self.numbers("services"))

    def test_products_of_a_supplier(self):
        self.make_product(name="From elsewhere", default_code="ELS-1")
        numbers = self.numbers("products", supplier="V-100")
        self.assertEqual(sorted(numbers), ["GLV-1", "SER-1"])
        self.assertEqual(self.numbers("products", supplier="nobody"), [])

    def test_a_supplier_with_the_state_of_approval(self):
        self.supplier.supplier_approval_state = "approved"
        item = self.found("suppliers", self.supplier)
        self.assertEqual(item["approval"]["state"], "approved")
        self.assertIn("V-100", self.numbers("suppliers", approval="approved"))
        self.assertNotIn("V-100", self.numbers("suppliers", approval="blocked"))

    def test_customers_are_organizations_never_persons(self):
        numbers = self.numbers("customers")
        self.assertIn("C-1", numbers)
        self.assertNotIn("P-1", numbers)
        self.assert_problem(
            self.get(f"customers/id:{self.patient.id}"), 404, "unknown_record"
        )

    def test_a_purchase_order_with_its_lines(self):
        item = self.found("purchase-orders", self.order)
        self.assertEqual(item["number"], self.order.name)
        self.assertEqual(item["order"]["status"], "released")
        self.assertEqual(len(item["lines"]), 2)
        self.assertIn(
            self.order.name,
            self.numbers("purchase-orders", product="SER-1", state="released"),
        )
        self.assertNotIn(
            self.order.name, self.numbers("purchase-orders", state="draft")
        )

    def test_a_receipt_tells_lots_and_what_is_to_come(self):
        item = self.found("receipts", self.receipt)
        self.assertEqual(item["state"], "done")
        self.assertEqual(item["expected_lines"], [])
        lots = [lot["lot"] for line in item["lines"] for lot in line.get("lots", [])]
        self.assertEqual(lots, ["LOT/7"])
        waiting = self.confirmed_order().picking_ids
        item = self.found("receipts", waiting)
        self.assertEqual((item["state"], item["lines"]), ("expected", []))
        self.assertEqual(len(item["expected_lines"]), 2)
        self.assertEqual(
            self.numbers("receipts", purchase_order=self.order.name),
            [self.receipt.name],
        )

    def test_a_number_with_slashes_needs_no_escaping(self):
        self.assertIn("/", self.receipt.name)
        plain = self.get(f"receipts/{self.receipt.name}")
        escaped = self.get(f"receipts/{self.receipt.name.replace('/', '%2F')}")
        self.assertEqual(plain.status_code, 200, plain.text)
        self.assertEqual(plain.json(), escaped.json())

    def test_stock_levels_by_product_lot_and_place(self):
        [level] = self.items("stock-levels", product="SER-1")
        self.assertEqual((level["lot"], level["quantity"]), ("LOT/7", "3"))
        self.assertEqual(level["free_quantity"], "3")
        self.assertEqual(len(self.items("stock-levels", lot="LOT/7")), 1)
        here = self.items("stock-levels", product="SER-1", location=self.warehouse.code)
        self.assertEqual(here, [level])
        self.assertEqual(self.items("stock-levels", location="nowhere"), [])

    def test_a_lot_and_its_trace(self):
        item = self.found("lots", self.lot)
        self.assertEqual(item["on_hand_quantity"], "3")
        trace = self.get("lots/LOT/7/trace")
        self.assertEqual(trace.status_code, 200, trace.text)
        trace = trace.json()
        self.assertEqual([row["quantity"] for row in trace["on_hand"]], ["3"])
        [received] = trace["received"]
        self.assertEqual(received["document"], self.receipt.name)
        self.assertEqual(received["purchase_order"], self.order.name)
        self.assertEqual(received["partner"]["name"], "Sutures & Co")
        [issued] = trace["issued"]
        self.assertEqual(issued["document"], self.delivery.name)
        self.assertTrue(trace["complete"])

    def test_a_trace_names_no_person(self):
        response = self.get("lots/LOT%2F7/trace")
        [issued] = response.json()["issued"]
        self.assertEqual(
            issued["partner"], {"id": str(self.patient.id), "kind": "person"}
        )
        self.assertNotIn("Somebody Private", response.text)

    def test_lots_of_the_same_number_have_to_be_told_apart(self):
        other = self.make_product(name="Other", default_code="OTH-1", tracking="lot")
        self.env["stock.lot"].create({"name": "LOT/7", "product_id": other.id})
        self.assert_problem(self.get("lots/LOT/7"), 409, "ambiguous_number")
        self.assertEqual(self.get("lots/LOT/7", product="SER-1").status_code, 200)
        trace = self.get("lots/LOT/7/trace", product="SER-1")
        self.assertEqual(trace.status_code, 200, trace.text)

    def test_a_bill_and_what_paid_it(self):
        item = self.found("invoices", self.bill)
        self.assertEqual(item["invoice"]["direction"], "received")
        self.assertIn(self.bill.name, self.numbers("invoices", type="vendor_bill"))
        self.assertNotIn(
            self.bill.name, self.numbers("invoices", type="customer_invoice")
        )
        self.assertEqual(
            self.numbers("invoices", supplier_reference="S-4711"), [self.bill.name]
        )
        status = self.get(f"invoices/{self.bill.name}/status").json()
        self.assertEqual(status["status"], "posted")
        self.assertEqual(status["payment_status"], self.bill.payment_state)
        self.assertEqual([row["amount"] for row in status["payments"]], ["10.00"])

    def test_a_bill_that_is_not_posted_is_a_draft(self):
        draft = self.bill.copy()
        item = self.found("invoices", draft)
        self.assertEqual(item["invoice"]["status"], "draft")
        status = self.get(f"invoices/id:{draft.id}/status").json()
        self.assertEqual(status["status"], "draft")

    def test_a_payment(self):
        item = self.found("payments", self.payment)
        self.assertEqual(item["payment"]["amount"], "10.00")
        self.assertIn(self.payment.name, self.numbers("payments", direction="sent"))
        self.assertNotIn(
            self.payment.name, self.numbers("payments", direction="received")
        )

    def test_an_account_and_its_balance_on_a_day(self):
        item = self.found("accounts", self.account)
        self.assertEqual(item["number"], "601100")
        balance = self.get("accounts/601100/balance").json()
        self.assertEqual(balance["balance"], "25.00")
        early = self.get("accounts/601100/balance", date="2001-01-01").json()
        self.assertEqual((early["date"], early["balance"]), ("2001-01-01", "0.00"))
        self.assert_problem(
            self.get("accounts/601100/balance", date="31.12.2026"),
            400,
            "invalid_parameter",
        )

    def test_a_cost_center_and_payment_terms(self):
        center = self.found("cost-centers", self.cost_center)
        self.assertEqual(center["cost_center"]["plan"], "Wards")
        term = self.found("payment-terms", self.term)
        self.assertEqual(len(term["instalments"]), 1)

    def test_an_archived_record_comes_as_inactive(self):
        self.gloves.action_archive()
        item = self.found("products", self.gloves)
        self.assertFalse(item["active"])
        self.assertNotIn("GLV-1", self.numbers("products", active="true"))
        self.assertIn("GLV-1", self.numbers("products", active="false"))
