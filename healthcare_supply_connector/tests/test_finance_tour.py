# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""A clerk with no other right than to bill and to work on cases finishes them in a browser."""

import json

from odoo import Command
from odoo.tests import HttpCase, tagged

from odoo.addons.healthcare_integration_base.engine import receive, run
from odoo.addons.healthcare_integration_base.protocol.drain_types import Options

from .finance_common import FinanceCase

SUBMITTED = "supply.supplier_invoice.submitted"


@tagged("post_install", "-at_install")
class TestFinanceTour(FinanceCase, HttpCase):
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
        event_type = cls.env["integration.event.type"].search(
            [("code", "=", SUBMITTED)]
        )
        cls.endpoint = cls.make_endpoint(
            system_id=system.id, direction="in", event_type_id=event_type.id
        )
        cls.endpoint.action_activate()
        cls.client = cls.make_client(
            system_id=system.id,
            user_id=cls.machine.id,
            endpoint_ids=[Command.set(cls.endpoint.ids)],
        )

    def send(self, *invoices):
        """Take invoices in and apply them; return the messages."""
        self.env.flush_all()
        uids = [self.hand_in(invoice) for invoice in invoices]
        self.drain()
        return self.env["integration.message"].search([("uid", "in", uids)])

    def hand_in(self, invoice):
        body = json.dumps(invoice).encode()
        arrival = receive.Arrival(body, "application/json", None)
        return receive.accept(self.env, self.endpoint, self.client, arrival).uid

    def drain(self):
        self.env.flush_all()
        options = Options(max_seconds=60, linger=0)
        run.run_lane(self.env, "in", options, threaded=False)
        self.env.invalidate_all()

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
