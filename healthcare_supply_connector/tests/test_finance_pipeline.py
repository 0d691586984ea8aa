# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo.tests import Form, tagged

from .finance_common import FinanceCase
from .inbound_common import InboundMixin

SUBMITTED = "supply.supplier_invoice.submitted"
ITEM = "supply.item.proposed"


@tagged("post_install", "-at_install")
class TestFinancePipeline(InboundMixin, FinanceCase):
    """From the bytes of a supplier to the clerk who accepts, all with the least rights."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.order = cls.confirmed_order((cls.gloves, 10, 5.0))
        cls.env["stock.move.line"].search([]).filtered(
            lambda line: line.picking_id in cls.order.picking_ids
        ).unlink()
        for move in cls.order.picking_ids.move_ids:
            move.write({"quantity": 10, "picked": True})
        cls.order.picking_ids._action_done()
        system = cls.make_system(
            partner_id=cls.supplier.id, kind="supplier", company_id=cls.company.id
        )
        cls.inbox = {code: cls.make_inbox(system, code) for code in (SUBMITTED, ITEM)}
        cls.client = cls.connect(system, cls.machine, *cls.inbox.values())

    def send(self, code, data):
        return self.deliver(self.inbox[code], self.client, data)

    def invoice(self, price="5.15", **vals):
        net = f"{float(price) * 10:.2f}"
        return {
            "number": "INV-7",
            "issue_date": "2026-11-20",
            "purchase_order": self.order.name,
            "currency": self.order.currency_id.name,
            "lines": [
                {
                    "line_ref": "1",
                    "quantity": "10",
                    "unit_price": price,
                    "net_amount": net,
                }
            ],
            "total_amount": net,
            **vals,
        }

    def test_three_percent_too_much_is_accepted_by_the_clerk(self):
        message = self.send(SUBMITTED, self.invoice())
        self.assertEqual(message.state, "done")
        bill = self.env["account.move"].browse(message.res_id)
        self.assertEqual(bill.integration_match_state, "blocked")
        case = self.open_cases("invoice_price_difference")
        self.assertEqual(case.queue_id.name, "Finance")
        self.assertEqual(case.message_line_ids, message)
        clerk = bill.with_user(self.clerk)
        for record in (clerk, case.with_user(self.clerk)):
            self.assertTrue(Form(record).id)  # every field of the form can be read
        wizard = Form(
            self.env["account.move.accept.difference"]
            .with_user(self.clerk)
            .with_context(default_move_id=bill.id)
        )
        wizard.reason = "Price list of November"
        wizard.save().action_accept()
        self.assertEqual((case.state, case.resolved_by_id), ("resolved", self.clerk))
        clerk.action_post()
        self.assertEqual(bill.state, "posted")

    def test_unknown_order_waits_for_a_person_and_is_replayed(self):
        message = self.send(SUBMITTED, self.invoice(purchase_order="P-LATE"))
        self.assertEqual(
            (message.state, message.last_error_code), ("dead", "purchase_order_unknown")
        )
        case = self.open_cases("purchase_order_unknown")
        self.order.name = "P-LATE"
        with self.enter_registry_test_mode():
            case.with_user(self.clerk)._finish("The order has this number now.")
        self.drain()
        self.assertEqual(case.state, "resolved")
        self.assertTrue(self.env["account.move"].search([("ref", "=", "INV-7")]))

    def test_what_breaks_the_schema_is_refused_with_its_path(self):
        for path, value in (
            ("total_amount", 51.5),
            ("number", ""),
            ("currency", "euro"),
            ("issue_date", "20.11.2026"),
            ("lines", []),
            ("surprise", "x"),
        ):
            with self.subTest(path):
                message = self.send(SUBMITTED, self.invoice(**{path: value}))
                self.assertEqual(message.state, "dead")
                self.assertEqual(message.last_error_class, "schema")
        self.assertFalse(self.env["account.move"].search([("ref", "=", "INV-7")]))

    def test_proposal_and_its_repetition(self):
        data = {"item": {"code": "S-1", "name": "Mask FFP2"}}
        first, second = self.send(ITEM, data), self.send(ITEM, data)
        self.assertEqual((first.state, second.state), ("done", "filtered"))
        self.assertEqual(first.res_model, "integration.master.proposal")
