# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""A clerk with no other right than to bill and to work on cases finishes them in a browser."""

from odoo import Command
from odoo.tests import HttpCase, tagged

from .finance_common import FinanceCase
from .inbound_common import InboundMixin

SUBMITTED = "supply.supplier_invoice.submitted"


@tagged("post_install", "-at_install")
class TestFinanceTour(InboundMixin, FinanceCase, HttpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.clerk.password = cls.clerk.login
        cls.gloves.supplier_taxes_id = [Command.clear()]
        cls.order = cls.confirmed_order((cls.gloves, 12, 5.0))
        system = cls.make_system(
            name="Sutures network",
            partner_id=cls.supplier.id,
            kind="supplier",
            company_id=cls.company.id,
        )
        cls.endpoint = cls.make_inbox(system, SUBMITTED)
        cls.client = cls.connect(system, cls.machine, cls.endpoint)

    def send(self, *invoices):
        return self.deliver(self.endpoint, self.client, *invoices)

    def invoice(self, number, price="5.00", **line):
        line = {"quantity": "1", "unit_price": price, "net_amount": price, **line}
        return {
            "number": number,
            "issue_date": "2026-11-20",
            "purchase_order": self.order.name,
            "currency": self.order.currency_id.name,
            "lines": [line],
            "total_amount": price,
        }

    def test_clerk_finishes_both_cases(self):
        picking = self.order.picking_ids
        picking.move_ids.write({"quantity": 12, "picked": True})
        picking.button_validate()
        dear = self.send(self.invoice("INV-1", "5.15", line_ref="1"))
        self.assertEqual(dear.state, "done", dear.last_error)
        unknown = {"item": {"supplier_code": "ZX-9"}}
        waiting = self.send(
            self.invoice("INV-2", **unknown), self.invoice("INV-3", **unknown)
        )
        self.assertEqual(waiting.mapped("state"), ["dead", "dead"])
        self.assertEqual(len(waiting.exception_id), 1)

        self.start_tour(
            "/odoo/integration-cases",
            "integration_clerk_finishes_cases",
            login=self.clerk.login,
        )
        self.drain()

        bills = self.env["account.move"].search([("ref", "like", "INV-_")], order="ref")
        self.assertEqual(bills.mapped("ref"), ["INV-1", "INV-2", "INV-3"])
        self.assertEqual(
            bills.mapped("integration_match_state"), ["approved", "matched", "matched"]
        )
        self.assertEqual(bills[0].integration_accepted_by_id, self.clerk)
        self.assertEqual(waiting.exception_id.mapped("state"), ["resolved"])
