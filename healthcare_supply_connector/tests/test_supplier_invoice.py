# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo import Command
from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from .finance_common import FinanceCase

SUBMITTED = "supply.supplier_invoice.submitted"


@tagged("post_install", "-at_install")
class TestSupplierInvoice(FinanceCase):
    """An order of 10 gloves at 5.00 and 4 sera at 30.00, all of it received."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env["product.product"].browse((cls.gloves | cls.serum).ids).write(
            {"supplier_taxes_id": [Command.clear()]}
        )
        cls.order = cls.confirmed_order((cls.gloves, 10, 5.0), (cls.serum, 4, 30.0))
        cls.currency = cls.order.currency_id.name

    def setUp(self):
        super().setUp()
        if self.order.picking_ids.state != "done":
            self.receive(self.order.picking_ids, {self.gloves: 10, self.serum: 4})

    def line(self, ref="1", quantity="10", price="5.00", **vals):
        net = f"{float(quantity) * float(price):.2f}"
        row = {"quantity": quantity, "unit_price": price, "net_amount": net}
        return {"line_ref": ref, **row, **vals} if ref else {**row, **vals}

    def invoice(self, *lines, **vals):
        lines = lines or (self.line(), self.line("2", "4", "30.00"))
        charges = vals.get("charges", [])
        total = sum(float(row["net_amount"]) for row in lines)
        total += sum(float(row["amount"]) for row in charges)
        return {
            "number": "INV-7",
            "issue_date": "2026-11-20",
            "purchase_order": self.order.name,
            "currency": self.currency,
            "lines": list(lines),
            "total_amount": f"{total:.2f}",
            **vals,
        }

    def submit(self, *lines, user=None, message=None, partner=None, **vals):
        return self.apply_as(
            user or self.machine,
            SUBMITTED,
            self.invoice(*lines, **vals),
            message,
            partner,
        )

    def blocked(self):
        """Return a bill at 5.15 instead of 5.00, with its case."""
        bill = self.submit(self.line(price="5.15"), self.line("2", "4", "30.00"))
        return bill, self.open_cases("invoice_price_difference")

    # -- matched ---------------------------------------------------------------------

    def test_bill_that_agrees_is_a_matched_draft(self):
        bill = self.submit(due_date="2026-12-20")
        self.assertRecordValues(
            bill.sudo(),
            [
                {
                    "move_type": "in_invoice",
                    "state": "draft",
                    "ref": "INV-7",
                    "partner_id": self.supplier.id,
                    "integration_match_state": "matched",
                    "amount_total": 170.0,
                    "invoice_origin": self.order.name,
                }
            ],
        )
        self.assertEqual(str(bill.invoice_date_due), "2026-12-20")
        self.assertEqual(bill.invoice_line_ids.purchase_line_id, self.order.order_line)
        self.assertTrue(all(bill.sudo().integration_match_line_ids.mapped("ok")))
        self.assertFalse(self.open_cases("invoice_price_difference"))

    def test_lines_are_found_by_item(self):
        bill = self.submit(
            self.line(None, item={"gtin": "2990000000019"}),
            self.line(None, "4", "30.00", item={"code": "SER-1"}),
        )
        self.assertEqual(bill.invoice_line_ids.purchase_line_id, self.order.order_line)
        self.assertEqual(bill.sudo().integration_match_state, "matched")

    def test_policy_posts_what_matches(self):
        self.company.supplier_invoice_posting = "post"
        bill = self.submit()
        self.assertEqual(bill.state, "posted")
        other = self.submit(
            self.line(None, "1", "9.00", description="Gift box"), number="I-8"
        )
        self.assertEqual(other.state, "draft")

    def test_price_in_our_favour_passes(self):
        bill = self.submit(self.line(price="4.00"))
        self.assertEqual(bill.sudo().integration_match_state, "matched")

    def test_tolerance_by_percent_and_by_supplier(self):
        self.assertEqual(
            self.submit(self.line(price="5.09")).sudo().integration_match_state,
            "matched",
        )
        self.env["supply.tolerance"].create(
            {
                "company_id": self.company.id,
                "partner_id": self.supplier.id,
                "invoice_price_percent": 0,
            }
        )
        second = self.submit(self.line(quantity="1", price="5.09"), number="INV-8")
        price = second.sudo().integration_match_line_ids.filtered(
            lambda row: row.kind == "price"
        )
        self.assertFalse(price.ok)

    def test_who_orders_does_not_loosen_what_is_tolerated_of_bills(self):
        buyer = self.make_person("purchase.group_purchase_manager")
        accountant = self.make_person("account.group_account_manager")
        tolerances = self.env["supply.tolerance"]
        whole = {"company_id": self.company.id}
        common = tolerances.with_user(accountant).create(
            {**whole, "invoice_price_percent": 1}
        )
        mine = {**whole, "partner_id": self.supplier.id, "price_percent": 5}
        with self.assertRaises(AccessError):
            tolerances.with_user(buyer).create({**mine, "invoice_price_percent": 90})
        own = tolerances.with_user(buyer).create(mine)
        self.assertEqual(own.invoice_price_percent, 1)
        own.write({"price_percent": 6, "invoice_price_percent": 1})
        for vals in ({"invoice_price_percent": 90}, {"partner_id": False}):
            with self.assertRaises(AccessError):
                own.write(vals)
        with self.assertRaises(AccessError):
            common.with_user(buyer).invoice_charge_amount = 1000
        own.with_user(accountant).invoice_price_percent = 3

    def test_tolerance_by_amount(self):
        self.env["supply.tolerance"].create(
            {
                "company_id": self.company.id,
                "invoice_price_percent": 0,
                "invoice_price_amount": 2.0,
            }
        )
        self.assertEqual(
            self.submit(self.line(price="5.20")).sudo().integration_match_state,
            "matched",
        )

    def test_pack_unit_is_compared_in_the_unit_of_the_order(self):
        dozen = self.env.ref("uom.product_uom_dozen")
        dozen.active = True
        order = self.confirmed_order((self.gloves, 24, 5.0))
        self.receive(order.picking_ids, {self.gloves: 24})
        self.gloves.uom_ids = [Command.link(dozen.id)]
        bill = self.submit(
            self.line("1", "2", "60.00", unit="DZN"), purchase_order=order.name
        )
        self.assertEqual(bill.invoice_line_ids.product_uom_id, dozen)
        self.assertEqual(bill.sudo().integration_match_state, "matched")

    # -- blocked ---------------------------------------------------------------------

    def test_dearer_bill_is_blocked_and_a_case(self):
        bill, case = self.blocked()
        self.assertEqual(bill.sudo().integration_match_state, "blocked")
        self.assertEqual(len(case), 1)
        self.assertEqual(
            case.name,
            f"Price 5.15 against 5.00 on {self.order.name}, bill INV-7",
        )
        self.assertAlmostEqual(case.amount, 1.5)
        self.assertEqual(case.currency_id.name, self.currency)
        self.assertEqual((case.res_model, case.res_id), ("account.move", bill.id))
        with self.assertRaisesRegex(UserError, "Price 5.15 against 5.00"):
            bill.with_user(self.clerk).action_post()

    def test_more_than_received_is_blocked_until_it_is_received(self):
        order = self.confirmed_order((self.gloves, 10, 5.0))
        bill = self.submit(self.line(), purchase_order=order.name)
        self.assertEqual(bill.sudo().integration_match_state, "blocked")
        case = self.open_cases("invoice_quantity_difference")
        self.assertIn("10.00 billed, 0.00 received and not billed", case.name)
        self.assertAlmostEqual(case.amount, 50.0)
        self.receive(order.picking_ids, {self.gloves: 10})
        self.assertEqual(bill.sudo().integration_match_state, "matched")
        self.assertEqual(case.state, "resolved")

    def test_what_another_bill_has_billed_counts(self):
        self.submit(self.line(quantity="6"))
        bill = self.submit(self.line(quantity="6"), number="INV-8")
        row = bill.sudo().integration_match_line_ids.filtered(
            lambda line: line.kind == "quantity"
        )
        self.assertEqual((row.ours, row.theirs, row.ok), (4.0, 6.0, False))

    def test_charges_and_what_nobody_ordered(self):
        bill = self.submit(
            self.line(),
            self.line(None, "1", "8.00", description="Gift box"),
            charges=[{"kind": "freight", "amount": "12.00"}],
        )
        failing = bill.sudo()._integration_failing()
        self.assertEqual(set(failing.mapped("kind")), {"charge", "not_ordered"})
        self.assertAlmostEqual(bill.sudo().integration_match_amount, 20.0)
        self.assertTrue(self.open_cases("invoice_difference"))

    def test_order_corrected_later(self):
        bill, case = self.blocked()
        self.order.order_line[0].price_unit = 5.15
        self.assertEqual(bill.sudo().integration_match_state, "matched")
        self.assertEqual(case.state, "resolved")
        bill.with_user(self.clerk).action_post()
        self.assertEqual(bill.state, "posted")

    def test_bill_edited_after_it_matched_is_looked_at_again(self):
        bill = self.submit()
        bill.with_user(self.clerk).invoice_line_ids[0].price_unit = 9.0
        with self.assertRaisesRegex(UserError, "cannot be posted"):
            bill.with_user(self.clerk).action_post()

    def test_credit_note(self):
        self.submit()
        credit = self.submit(
            self.line(quantity="2"), document_type="credit_note", number="CN-1"
        )
        self.assertEqual(credit.move_type, "in_refund")
        self.assertEqual(credit.sudo().integration_match_state, "matched")
        low = self.submit(
            self.line(quantity="2", price="3.00"),
            document_type="credit_note",
            number="CN-2",
        )
        self.assertEqual(low.sudo().integration_match_state, "blocked")

    # -- accepted --------------------------------------------------------------------

    def test_clerk_accepts_and_posts(self):
        bill, case = self.blocked()
        action = case.with_user(self.clerk).action_accept_difference()
        wizard = (
            self.env[action["res_model"]]
            .with_user(self.clerk)
            .with_context(**action["context"])
            .create({"reason": "New price list"})
        )
        self.assertAlmostEqual(wizard.amount, 1.5)
        wizard.action_accept_and_post()
        self.assertEqual(bill.state, "posted")
        self.assertRecordValues(
            bill.sudo(),
            [
                {
                    "integration_match_state": "approved",
                    "integration_accepted_by_id": self.clerk.id,
                    "integration_accepted_reason": "New price list",
                }
            ],
        )
        self.assertEqual(case.state, "resolved")
        self.assertEqual(case.resolved_by_id, self.clerk)
        self.assertIn("New price list", case.resolution)

    def test_accepting_needs_the_right_and_a_reason(self):
        bill, case = self.blocked()
        handler = self.make_person(
            "healthcare_integration_base.group_exception_handler"
        )
        with self.assertRaises(AccessError):
            case.with_user(handler).action_accept_difference()
        with self.assertRaises(AccessError):
            bill.with_user(handler)._accept_difference("because")
        with self.assertRaises(UserError):
            bill.with_user(self.clerk)._accept_difference("  ")
        self.assertEqual(bill.sudo().integration_match_state, "blocked")

    def test_large_differences_need_a_manager(self):
        self.company.invoice_accept_limit = 1.0
        bill, _case = self.blocked()
        with self.assertRaisesRegex(AccessError, "accounting administrator"):
            bill.with_user(self.clerk)._accept_difference("because")
        manager = self.make_person("account.group_account_manager")
        bill.with_user(manager)._accept_difference("agreed")
        self.assertEqual(bill.sudo().integration_match_state, "approved")

    def test_accepted_once_is_not_accepted_for_more(self):
        bill, _case = self.blocked()
        bill.with_user(self.clerk)._accept_difference("agreed")
        bill.with_user(self.clerk).invoice_line_ids[0].price_unit = 9.0
        with self.assertRaises(UserError):
            bill.with_user(self.clerk).action_post()

    def test_limit_counts_for_what_the_bill_comes_to_when_it_is_accepted(self):
        self.company.invoice_accept_limit = 2.0
        bill, _case = self.blocked()
        bill.with_user(self.clerk).invoice_line_ids[0].price_unit = 900.0
        with self.assertRaisesRegex(AccessError, "accounting administrator"):
            bill.with_user(self.clerk)._accept_difference("because")

    def test_blocked_bill_is_not_posted_by_writing_its_state(self):
        bill, _case = self.blocked()
        with self.assertRaisesRegex(UserError, "Price 5.15 against 5.00"):
            bill.with_user(self.clerk).write({"state": "posted"})

    def test_no_line_becomes_a_charge_by_hand(self):
        self.env["supply.tolerance"].create(
            {"company_id": self.company.id, "invoice_charge_amount": 1000}
        )
        gift = self.line(None, "1", "8.00", description="Gift box")
        bill = self.submit(gift, charges=[{"kind": "freight", "amount": "12.00"}])
        own = bill.with_user(self.clerk)
        line = own.invoice_line_ids.filtered(lambda one: not one.integration_charge)
        with self.assertRaises(AccessError):
            line.integration_charge = True
        row = {"name": "Gift", "price_unit": 8.0, "integration_charge": True}
        with self.assertRaises(AccessError):
            own.write({"invoice_line_ids": [Command.create(row)]})
        del row["integration_charge"]
        with self.assertRaises(AccessError):
            own.with_context(default_integration_charge=True).write(
                {"invoice_line_ids": [Command.create(row)]}
            )

    def test_nobody_writes_the_match_by_hand(self):
        bill, _case = self.blocked()
        for user in (self.clerk, self.machine):
            with self.assertRaises(AccessError):
                bill.with_user(user).write({"integration_match_state": "matched"})
            with self.assertRaises(AccessError):
                self.env["account.move"].with_user(user).create(
                    {"move_type": "in_invoice", "integration_match_state": "matched"}
                )

    # -- refused ---------------------------------------------------------------------

    def test_same_invoice_again_is_filtered(self):
        self.submit()
        self.assertFiltered("invoice_repeated", self.submit)

    def test_number_with_another_content(self):
        bill = self.submit()
        error = self.assertRefused(
            "invoice_number_reused", self.submit, self.line(quantity="3")
        )
        self.assertEqual(error.cause.document, ("account.move", bill.id))

    def test_number_of_a_bill_entered_by_hand(self):
        self.env["account.move"].create(
            {
                "move_type": "in_invoice",
                "partner_id": self.supplier.id,
                "ref": "INV-7",
            }
        )
        self.assertRefused("invoice_number_reused", self.submit)

    def test_number_of_a_cancelled_bill_is_free(self):
        self.submit().sudo().button_cancel()
        self.assertEqual(self.submit().sudo().integration_match_state, "matched")

    def test_sums_that_do_not_add_up(self):
        self.assertRefused(
            "invoice_total_mismatch",
            self.submit,
            total_amount="171.00",
            path="/total_amount",
        )
        self.assertRefused(
            "line_total_mismatch",
            self.submit,
            self.line(net_amount="51.00"),
            path="/lines/0/net_amount",
        )

    def test_unknown_order_is_a_case(self):
        error = self.assertRefused(
            "purchase_order_unknown", self.submit, purchase_order="P99999"
        )
        self.assertEqual(error.cause.key, "P99999")

    def test_order_of_another_supplier_is_unknown(self):
        other = self.env["res.partner"].create({"name": "Rival", "is_company": True})
        self.assertRefused("purchase_order_unknown", self.submit, partner=other)

    def test_partner_bills_in_its_own_name_only(self):
        rival = self.env["res.partner"].create(
            {"name": "Rival", "is_company": True, "ref": "RIVAL"}
        )
        self.supplier.ref = "OURS"
        self.submit(supplier={"reference": "OURS"})
        self.assertRefused(
            "supplier_unknown",
            self.submit,
            partner=rival,
            number="INV-8",
            supplier={"reference": "OURS"},
            path="/supplier",
        )
        self.assertFalse(self.env["account.move"].search([("ref", "=", "INV-8")]))

    def test_unknown_line_item_and_currency(self):
        self.assertRefused(
            "line_unknown", self.submit, self.line("9"), path="/lines/0/line_ref"
        )
        self.assertRefused(
            "item_unknown",
            self.submit,
            self.line(None, item={"supplier_code": "NOPE"}),
        )
        self.assertRefused("currency_unknown", self.submit, currency="XXX")

    def test_machine_without_rights_makes_nothing(self):
        with self.assertRaises(AccessError):
            self.submit(user=self.make_person())
        self.assertFalse(self.env["account.move"].search([("ref", "=", "INV-7")]))

    def test_other_company_knows_no_such_order(self):
        other = self.env["res.company"].create({"name": "Other"})
        machine = self.make_person("account.group_account_invoice", company=other)
        self.assertRefused("purchase_order_unknown", self.submit, user=machine)

    # -- tax, bank account, documents -----------------------------------------------

    def test_stated_tax_is_compared(self):
        tax = self.env["account.tax"].create(
            {
                "name": "VAT 21",
                "amount": 21.0,
                "type_tax_use": "purchase",
                "company_id": self.company.id,
            }
        )
        row = self.line(taxes=[{"rate": "21"}])
        self.order.order_line[0].tax_ids = [Command.set(tax.ids)]
        bill = self.submit(row, tax_amount="10.50", total_amount="60.50")
        self.assertEqual(bill.invoice_line_ids.tax_ids, tax)
        self.assertEqual(bill.sudo().integration_match_state, "matched")
        wrong = self.submit(
            self.line(quantity="1", taxes=[{"rate": "21"}]),
            tax_amount="2.00",
            total_amount="7.00",
            number="INV-9",
        )
        kinds = wrong.sudo()._integration_failing().mapped("kind")
        self.assertEqual(set(kinds) & {"tax", "total"}, {"tax", "total"})

    def test_unknown_bank_account_is_a_case_and_not_written(self):
        self.env["res.partner.bank"].create(
            {"partner_id": self.supplier.id, "acc_number": "BE71 0961 2345 6769"}
        )
        known = self.submit(bank_account={"number": "BE71096123456769"})
        self.assertEqual(
            known.sudo().partner_bank_id.sanitized_acc_number, "BE71096123456769"
        )
        self.assertFalse(self.open_cases("bank_account_changed"))
        bill = self.submit(
            self.line(quantity="1"),
            number="INV-8",
            bank_account={"number": "BE68539007547034"},
        )
        case = self.open_cases("bank_account_changed")
        self.assertIn("…7034", case.name)
        self.assertNotIn("BE6853", case.name)
        self.assertFalse(bill.sudo().partner_bank_id)
        self.assertEqual(len(self.supplier.bank_ids), 1)

    def test_documents_are_kept_with_the_bill(self):
        bill = self.submit(
            documents=[
                {
                    "kind": "invoice",
                    "name": "../INV-7.pdf",
                    "content_base64": "JVBERi0xLjQK",
                    "content_type": "application/pdf",
                }
            ]
        )
        document = self.env["integration.attachment"].search(
            [("res_model", "=", "account.move"), ("res_id", "=", bill.id)]
        )
        self.assertEqual(document.name, "_INV-7.pdf")
        self.assertEqual(document.with_user(self.clerk).kind, "invoice")

    # -- events ----------------------------------------------------------------------

    def test_events_tell_how_it_went(self):
        codes = [
            f"supply.supplier_invoice.{name}"
            for name in ("received", "matched", "blocked", "approved")
        ]
        self.subscribe(*codes)
        matched = self.submit()
        self.assertEqual(
            self.data_of(codes[0], matched)["invoice"]["supplier_reference"], "INV-7"
        )
        self.assertEqual(self.data_of(codes[1], matched)["differences"], [])
        matched.sudo().button_cancel()
        bill, _case = self.blocked()
        blocked = self.data_of(codes[2], bill)
        self.assertEqual(blocked["differences"][0]["theirs"], "5.15")
        self.assertEqual(blocked["invoice"]["amount_at_stake"], "1.50")
        bill.with_user(self.clerk)._accept_difference("agreed")
        approved = self.data_of(codes[3], bill)
        self.assertEqual(approved["approval"]["reason"], "agreed")
