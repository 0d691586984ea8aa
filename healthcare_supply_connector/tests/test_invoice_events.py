# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo import Command
from odoo.tests import tagged

from .common import SupplyCase

POSTED = "supply.supplier_invoice.posted"
ISSUED = "finance.invoice.issued"
CREDITED = "finance.credit_note.issued"
CANCELLED = "finance.invoice.cancelled"
PAID = "finance.invoice.paid"
RECEIVED = "finance.payment.received"
SENT = "finance.payment.sent"


class InvoiceCase(SupplyCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        if not cls.company.chart_template:
            cls.env["account.chart.template"].try_loading(
                "generic_coa", cls.company, install_demo=False
            )
        cls.customer = cls.env["res.partner"].create({"name": "St. Anne's"})

    def make_invoice(self, move_type="out_invoice", price=100.0, **vals):
        """Return a draft invoice over one line."""
        purchase = move_type.startswith("in_")
        return self.env["account.move"].create(
            {
                "move_type": move_type,
                "partner_id": (self.supplier if purchase else self.customer).id,
                "invoice_date": "2026-11-02",
                "invoice_line_ids": [
                    Command.create(
                        {
                            "product_id": self.gloves.id,
                            "quantity": 2,
                            "price_unit": price,
                            "tax_ids": [Command.clear()],
                        }
                    )
                ],
                **vals,
            }
        )

    def posted(self, *args, **vals):
        invoice = self.make_invoice(*args, **vals)
        invoice.action_post()
        return invoice

    def pay(self, invoices, **vals):
        """Pay with the wizard, as a user does."""
        wizard = self.env["account.payment.register"].with_context(
            active_model="account.move", active_ids=invoices.ids
        )
        return wizard.create(vals)._create_payments()


@tagged("post_install", "-at_install")
class TestInvoiceEvents(InvoiceCase):
    def setUp(self):
        super().setUp()
        self.subscribe(POSTED, ISSUED, CREDITED, CANCELLED, PAID)

    def test_bill_of_an_order(self):
        order = self.confirmed_order((self.gloves, 10, 2.5))
        self.receive(order.picking_ids, {self.gloves: 10})
        order.action_create_invoice()
        bill = order.invoice_ids
        bill.write({"invoice_date": "2026-11-02", "ref": "INV-9"})
        bill.action_post()
        self.assertPublished(POSTED, bill)
        self.assertNotPublished(ISSUED)
        data = self.data_of(POSTED, bill)
        self.assertEqual(data["invoice"]["number"], bill.name)
        self.assertEqual(data["invoice"]["supplier_reference"], "INV-9")
        self.assertEqual(data["invoice"]["direction"], "received")
        self.assertEqual(data["seller"]["name"], "Sutures & Co")
        line = data["lines"][0]
        self.assertEqual(line["purchase_order"], order.name)
        self.assertEqual(line["purchase_line_ref"], "1")
        self.assertEqual(line["quantity"], "10")
        self.assertEqual(line["net_amount"], "25.00")
        self.assertTrue(line["account"])
        event = self.published(POSTED, bill)
        self.assertEqual(event.correlation_uid, f"purchase.order/{order.name}")

    def test_vendor_credit_note_is_a_document_of_the_supplier(self):
        move = self.posted("in_refund")
        self.assertEqual(
            self.data_of(POSTED, move)["invoice"]["document_type"], "credit_note"
        )

    def test_customer_invoice(self):
        invoice = self.posted()
        self.assertPublished(ISSUED, invoice)
        self.assertNotPublished(POSTED)
        data = self.data_of(ISSUED, invoice)
        self.assertEqual(data["invoice"]["total_amount"], "200.00")
        self.assertEqual(data["invoice"]["issue_date"], "2026-11-02")
        self.assertEqual(data["buyer"]["name"], "St. Anne's")

    def test_draft_publishes_nothing(self):
        self.make_invoice()
        self.assertNotPublished(ISSUED)

    def test_future_invoice_is_not_posted_softly(self):
        invoice = self.make_invoice(
            invoice_date="2027-02-01", date="2027-02-01", auto_post="at_date"
        )
        invoice._post(soft=True)
        self.assertEqual(invoice.state, "draft")
        self.assertNotPublished(ISSUED)

    def test_journal_entries_are_no_invoices(self):
        account = self.env["account.account"].search(
            [("company_ids", "in", self.company.ids), ("account_type", "=", "expense")],
            limit=1,
        )
        entry = self.env["account.move"].create(
            {
                "move_type": "entry",
                "line_ids": [
                    Command.create({"account_id": account.id, "debit": 5}),
                    Command.create({"account_id": account.id, "credit": 5}),
                ],
            }
        )
        entry.action_post()
        entry.button_draft()
        for code in (POSTED, ISSUED, CREDITED, CANCELLED):
            self.assertNotPublished(code)

    def test_credit_note_names_what_it_credits(self):
        invoice = self.posted()
        self.assertNotPublished(CREDITED)
        reversal = invoice._reverse_moves([{"invoice_date": "2026-11-03"}], cancel=True)
        self.assertPublished(CREDITED, reversal)
        data = self.data_of(CREDITED, reversal)
        self.assertEqual(data["invoice"]["credited_invoice"], invoice.name)
        self.assertNotPublished(PAID)

    def test_reset_to_draft(self):
        invoice = self.posted()
        invoice.button_draft()
        self.assertEqual(
            self.data_of(CANCELLED, invoice)["invoice"]["status"], "withdrawn"
        )

    def test_cancelled_once(self):
        invoice = self.posted()
        invoice.button_cancel()
        self.assertPublished(CANCELLED, invoice)
        self.assertEqual(
            self.data_of(CANCELLED, invoice)["invoice"]["status"], "cancelled"
        )

    def test_cancelled_draft_was_never_known(self):
        self.make_invoice().button_cancel()
        self.assertNotPublished(CANCELLED)


@tagged("post_install", "-at_install")
class TestPaidAndPayments(InvoiceCase):
    def setUp(self):
        super().setUp()
        self.subscribe(PAID, RECEIVED, SENT)

    def test_paid_invoice(self):
        invoice = self.posted()
        self.assertNotPublished(PAID)
        payment = self.pay(invoice)
        self.assertPublished(PAID, invoice)
        data = self.data_of(PAID, invoice)
        self.assertEqual(data["invoice"]["amount_due"], "0.00")
        self.assertIn(data["invoice"]["payment_status"], ("paid", "in_payment"))
        self.assertPublished(RECEIVED, payment)
        self.assertNotPublished(SENT)
        paid = self.data_of(RECEIVED, payment)
        self.assertEqual(paid["payment"]["amount"], "200.00")
        self.assertEqual(paid["payer"]["name"], "St. Anne's")
        self.assertEqual([row["number"] for row in paid["invoices"]], [invoice.name])

    def test_paid_bill(self):
        bill = self.posted("in_invoice", ref="INV-10")
        payment = self.pay(bill)
        self.assertPublished(PAID, bill)
        self.assertPublished(SENT, payment)
        data = self.data_of(SENT, payment)
        self.assertEqual(data["payee"]["name"], "Sutures & Co")
        self.assertEqual(data["invoices"][0]["supplier_reference"], "INV-10")

    def test_part_payment_pays_nothing(self):
        invoice = self.posted()
        self.pay(invoice, amount=50.0)
        self.assertEqual(invoice.payment_state, "partial")
        self.assertNotPublished(PAID)
        self.pay(invoice)
        self.assertPublished(PAID, invoice)

    def test_from_in_payment_to_paid_is_no_second_time(self):
        invoice = self.posted()
        payment = self.pay(invoice)
        self.assertPublished(PAID, invoice)
        self.next_transaction()
        payment.action_validate()
        self.env.flush_all()
        self.assertEqual(len(self.published(PAID, invoice)), 1)
        self.assertEqual(len(self.published(RECEIVED, payment)), 1)

    def test_free_invoice_is_paid_at_once(self):
        invoice = self.posted(price=0.0)
        self.assertPublished(PAID, invoice)

    def test_draft_payment(self):
        payment = self.env["account.payment"].create(
            {"partner_id": self.customer.id, "amount": 10, "payment_type": "inbound"}
        )
        self.assertNotPublished(RECEIVED)
        payment.action_post()
        self.assertPublished(RECEIVED, payment)
        self.assertEqual(self.data_of(RECEIVED, payment)["invoices"], [])


@tagged("post_install", "-at_install")
class TestInvoiceCost(InvoiceCase):
    def posting(self, invoices):
        """Return the statements of publishing the invoices, less those of posting them."""
        invoices.action_post()
        self.env.flush_all()
        self.env.invalidate_all()
        start = self.env.cr.sql_log_count
        self.env.cr.flush()
        return self.env.cr.sql_log_count - start

    def make_invoices(self, count):
        return self.env["account.move"].union(
            *(self.make_invoice() for _index in range(count))
        )

    def test_payloads_are_read_in_bulk(self):
        """From caches as cold as they can be: it is the worst case."""
        self.subscribe(ISSUED)
        self.posting(self.make_invoices(2))
        few = self.posting(self.make_invoices(3))
        self.assertEqual(self.posting(self.make_invoices(12)), few)
