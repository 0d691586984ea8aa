# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo import Command
from odoo.exceptions import AccessError
from odoo.tests import tagged

from .finance_common import FinanceCase

ADVISED = "finance.payment.advised"
STATUS = "finance.payment.status_updated"


@tagged("post_install", "-at_install")
class TestPaymentAdvices(FinanceCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.customer = cls.env["res.partner"].create(
            {"name": "City Hospital", "is_company": True, "ref": "C-1"}
        )
        cls.first = cls.make_invoice(100.0)
        cls.second = cls.make_invoice(60.0)
        cls.currency = cls.first.currency_id.name
        cls.system = cls.make_system(
            partner_id=cls.customer.id, company_id=cls.company.id
        )
        cls.endpoint = cls.make_endpoint(system_id=cls.system.id, direction="in")

    @classmethod
    def make_invoice(cls, amount, partner=None):
        move = cls.env["account.move"].create(
            {
                "move_type": "out_invoice",
                "partner_id": (partner or cls.customer).id,
                "invoice_date": "2026-11-01",
                "invoice_line_ids": [
                    Command.create(
                        {
                            "name": "Goods",
                            "quantity": 1,
                            "price_unit": amount,
                            "tax_ids": [Command.clear()],
                        }
                    )
                ],
            }
        )
        move.action_post()
        return move

    def message(self):
        return self.env["integration.message"].create(
            {
                "uid": self.next_code("uid"),
                "direction": "in",
                "endpoint_id": self.endpoint.id,
                "company_id": self.company.id,
            }
        )

    def advise(self, *rows, user=None, **vals):
        rows = rows or ((self.first.name, "100.00"), (self.second.name, "60.00"))
        total = sum(float(amount) for _number, amount in rows)
        data = {
            "advice_number": "RA-1",
            "date": "2026-11-20",
            "amount": f"{total:.2f}",
            "currency": self.currency,
            "payment_reference": "TRX-1",
            "invoices": [{"number": n, "amount": a} for n, a in rows],
            **vals,
        }
        return self.apply_as(user or self.machine, ADVISED, data, self.message())

    def tell(self, status, at="2026-11-20T10:00:00Z", **vals):
        data = {
            "payment_reference": "PSP-1",
            "status": status,
            "occurred_at": at,
            "amount": "100.00",
            "currency": self.currency,
            "invoice": self.first.name,
            **vals,
        }
        return self.apply_as(self.machine, STATUS, data, self.message())

    # -- advices ---------------------------------------------------------------------

    def test_advice_makes_one_draft_payment(self):
        advice = self.advise()
        self.assertRecordValues(
            advice.sudo(), [{"state": "matched", "amount": 160.0, "problem": False}]
        )
        self.assertEqual(advice.line_ids.move_id, self.first | self.second)
        payment = advice.sudo().payment_id
        self.assertRecordValues(
            payment,
            [
                {
                    "state": "draft",
                    "payment_type": "inbound",
                    "amount": 160.0,
                    "memo": "TRX-1",
                    "partner_id": self.customer.id,
                }
            ],
        )
        self.assertEqual(payment.invoice_ids, self.first | self.second)
        self.assertEqual(self.first.payment_state, "not_paid")

    def test_payment_that_exists_is_linked(self):
        known = self.env["account.payment"].create(
            {
                "payment_type": "inbound",
                "partner_type": "customer",
                "partner_id": self.customer.id,
                "amount": 160.0,
                "memo": "TRX-1",
            }
        )
        self.assertEqual(self.advise().sudo().payment_id, known)

    def test_without_policy_nothing_is_made(self):
        self.company.payment_advice_policy = "link"
        advice = self.advise()
        self.assertEqual(advice.state, "waiting")
        self.assertFalse(advice.sudo().payment_id)
        self.assertTrue(self.open_cases("payment_unmatched"))

    def test_unknown_invoice_is_a_case_until_it_is_posted(self):
        advice = self.advise((self.first.name, "100.00"), ("INV-LATE", "60.00"))
        case = self.open_cases("payment_invoice_unknown")
        self.assertIn("INV-LATE", case.name)
        self.assertFalse(advice.sudo().payment_id)
        self.second.payment_reference = "INV-LATE"
        advice.with_user(self.clerk).action_match_again()
        self.assertEqual((advice.state, case.state), ("matched", "resolved"))
        self.assertTrue(advice.sudo().payment_id)

    def test_more_than_is_open_is_a_case(self):
        advice = self.advise((self.first.name, "101.00"))
        self.assertEqual(advice.state, "waiting")
        self.assertTrue(self.open_cases("payment_amount_difference"))

    def test_invoices_of_others_are_unknown(self):
        other = self.env["res.partner"].create({"name": "Clinic", "is_company": True})
        foreign = self.make_invoice(50.0, other)
        self.advise((foreign.name, "50.00"))
        self.assertTrue(self.open_cases("payment_invoice_unknown"))

    def test_partner_speaks_of_its_own_payments_only(self):
        rival = self.env["res.partner"].create(
            {"name": "Rival", "is_company": True, "ref": "C-2"}
        )
        theirs = self.make_invoice(10.0, rival)
        self.assertRefused(
            "customer_unknown",
            self.advise,
            (theirs.name, "10.00"),
            payer={"reference": "C-2"},
            path="/payer",
        )
        self.assertRefused(
            "customer_unknown",
            self.tell,
            "captured",
            payment_reference="PSP-9",
            invoice=theirs.name,
            amount="10.00",
        )

    def test_sums_numbers_and_currency(self):
        self.assertRefused(
            "advice_total_mismatch", self.advise, amount="161.00", path="/amount"
        )
        self.assertRefused("currency_unknown", self.advise, currency="XXX")
        self.advise()
        self.assertFiltered("advice_repeated", self.advise)
        self.assertRefused(
            "advice_number_reused", self.advise, (self.first.name, "100.00")
        )

    def test_least_rights_and_company(self):
        with self.assertRaises(AccessError):
            self.advise(user=self.make_person())
        advice = self.advise()
        other = self.env["res.company"].create({"name": "Other"})
        stranger = self.make_person("account.group_account_invoice", company=other)
        found = self.env["integration.payment.advice"].with_user(stranger).search([])
        self.assertNotIn(advice, found)
        for right in ("write", "create", "unlink"):
            self.assertFalse(advice.with_user(self.clerk).has_access(right))

    # -- gateway ---------------------------------------------------------------------

    def test_authorised_then_captured(self):
        advice = self.tell("authorised")
        self.assertEqual((advice.status, advice.state), ("authorised", "waiting"))
        self.assertFalse(advice.sudo().payment_id)
        same = self.tell("captured", "2026-11-20T11:00:00Z")
        self.assertEqual(same, advice)
        self.assertEqual(advice.state, "matched")
        payment = advice.sudo().payment_id
        self.assertEqual((payment.state, payment.amount), ("draft", 100.0))
        self.assertEqual(payment.invoice_ids, self.first)

    def test_failure_is_a_case_and_a_later_capture_settles_it(self):
        advice = self.tell("failed", reason="Card declined", reason_code="05")
        case = self.open_cases("payment_failed")
        self.assertIn("05: Card declined", case.name)
        self.assertEqual(advice.state, "failed")
        self.tell("captured", "2026-11-20T12:00:00Z")
        self.assertEqual((advice.state, case.state), ("matched", "resolved"))

    def test_stale_and_repeated(self):
        self.tell("captured", "2026-11-20T11:00:00Z")
        self.assertFiltered("stale", self.tell, "authorised", "2026-11-20T09:00:00Z")
        self.assertFiltered(
            "status_repeated", self.tell, "captured", "2026-11-20T11:30:00Z"
        )

    def test_refund_is_a_draft_payment_out(self):
        self.tell("captured")
        advice = self.tell("refunded", "2026-11-20T12:00:00Z", amount="40.00")
        refund = advice.sudo().refund_id
        self.assertRecordValues(
            refund, [{"payment_type": "outbound", "amount": 40.0, "state": "draft"}]
        )
        self.assertEqual(advice.sudo().payment_id.amount, 100.0)

    def test_payment_of_nobody_is_a_case(self):
        advice = self.tell("captured", invoice="NONE")
        self.assertEqual(advice.state, "waiting")
        self.assertTrue(self.open_cases("payment_invoice_unknown"))
