# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
import base64

from odoo import Command
from odoo.tests import tagged

from .common import SupplyCase, in_days
from .inbound_common import InboundMixin

RECEIPT = "supply.goods.receipt_confirmed"
LEVELS = "supply.stock.levels_reported"
STATUS = "supply.shipment.status_updated"
HOLD = "supply.quality.hold_requested"
ANSWER = "supply.purchase_order.acknowledged"
PDF = b"%PDF-1.4\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n"


@tagged("post_install", "-at_install")
class TestLogisticsPipeline(InboundMixin, SupplyCase):
    """From the bytes of an operator to stock, by the engine and as his machine user."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.operator = cls.env["res.partner"].create(
            {"name": "Depot 3PL", "is_company": True}
        )
        cls.warehouse.operator_id = cls.operator
        cls.order = cls.confirmed_order()
        cls.picking = cls.order.picking_ids
        cls.machine = cls.make_user()
        cls.machine.group_ids = [Command.link(cls.env.ref("stock.group_stock_user").id)]
        cls.system = cls.make_system(
            partner_id=cls.operator.id, kind="logistics", company_id=cls.company.id
        )
        cls.inbox = {
            code: cls.make_inbox(cls.system, code)
            for code in (RECEIPT, LEVELS, STATUS, HOLD)
        }
        cls.client = cls.connect(cls.system, cls.machine, *cls.inbox.values())

    def send(self, code, data, client=None, inbox=None):
        return self.deliver(inbox or self.inbox[code], client or self.client, data)

    def receipt(self, gloves="10", **vals):
        return {
            "reference": "GR-1",
            "purchase_order": self.order.name,
            "received_at": "2026-11-20T08:00:00Z",
            "lines": [
                {"line_ref": "1", "quantity": gloves},
                {
                    "line_ref": "2",
                    "quantity": "4",
                    "lots": [
                        {
                            "lot": "L1",
                            "expiry_date": in_days(300),
                            "quantity": "4",
                            "documents": [self.document("certificate_of_analysis")],
                        }
                    ],
                },
            ],
            **vals,
        }

    @staticmethod
    def document(kind):
        return {
            "kind": kind,
            "name": f"{kind}.pdf",
            "content_base64": base64.b64encode(PDF).decode(),
            "content_type": "application/pdf",
        }

    def test_receipt_with_documents(self):
        data = self.receipt(documents=[self.document("packing_slip")])
        message = self.send(RECEIPT, data)
        self.assertEqual(message.state, "done", message.last_error)
        self.assertEqual(
            (message.res_model, message.res_id), ("stock.picking", self.picking.id)
        )
        self.assertEqual(self.picking.state, "done")
        lot = self.picking.move_line_ids.lot_id
        kept = self.env["integration.attachment"].search([])
        self.assertEqual(
            {(row.res_model, row.res_id) for row in kept},
            {("stock.picking", self.picking.id), ("stock.lot", lot.id)},
        )

    def test_repeated_receipt_is_filtered(self):
        self.send(RECEIPT, self.receipt())
        message = self.send(RECEIPT, self.receipt())
        self.assertEqual(message.state, "filtered")
        self.assertEqual(self.gloves.qty_available, 10)

    def test_over_receipt_is_accepted_by_a_person_and_replayed(self):
        message = self.send(RECEIPT, self.receipt("12"))
        self.assertEqual(message.state, "dead")
        self.assertEqual(self.gloves.qty_available, 0)
        case = message.exception_id
        self.assertEqual(case.code, "over_receipt")
        manager = self.make_buyer(
            "healthcare_integration_base.group_exception_handler",
            "stock.group_stock_manager",
        )
        case.with_user(manager).action_accept_over_receipt()
        self.drain()
        self.assertEqual(self.gloves.qty_available, 12)
        self.assertEqual(case.state, "resolved")

    def test_unknown_item_is_one_case_of_two_messages(self):
        line = {"item": {"supplier_code": "ABC"}, "quantity": "1"}
        first = self.send(RECEIPT, self.receipt(lines=[line]))
        second = self.send(RECEIPT, self.receipt(reference="GR-2", lines=[line]))
        self.assertEqual(first.exception_id.code, "item_unknown")
        self.assertEqual(first.exception_id, second.exception_id)

    def test_levels(self):
        data = {
            "report": "R-1",
            "location": self.stock.complete_name,
            "counted_at": "2026-11-20T08:00:00Z",
            "lines": [{"item": {"code": "GLV-1"}, "quantity": "3"}],
        }
        message = self.send(LEVELS, data)
        self.assertEqual(message.state, "done", message.last_error)
        self.assertEqual(message.res_model, "stock.level.report")
        self.assertEqual(message.exception_id.code, "stock_discrepancy")
        self.assertEqual(self.gloves.qty_available, 0)

    def test_milestone(self):
        data = {
            "transfer": self.picking.name,
            "status": "in_transit",
            "occurred_at": "2026-11-20T08:00:00Z",
            "expected_at": f"{in_days(2)}T12:00:00Z",
        }
        message = self.send(STATUS, data)
        self.assertEqual(message.state, "done", message.last_error)
        self.assertEqual(str(self.picking.scheduled_date.date()), in_days(2))

    def test_hold_needs_the_group_of_quality_controllers(self):
        self.send(RECEIPT, self.receipt())
        data = {
            "lot": "L1",
            "item": {"code": "SER-1"},
            "reason": "recall",
            "requested_at": "2026-11-20T09:00:00Z",
        }
        message = self.send(HOLD, data)
        self.assertEqual(message.last_error_code, "hold_not_permitted")
        group = self.env.ref("healthcare_supply_connector.group_quality_controller")
        self.machine.group_ids = [Command.link(group.id)]
        message = self.send(HOLD, data)
        self.assertEqual(message.state, "done", message.last_error)
        lot = self.env["stock.lot"].search([("name", "=", "L1")])
        self.assertTrue(lot.on_hold)

    def test_answer_shows_on_the_orders_message(self):
        system = self.make_system(
            partner_id=self.supplier.id, kind="supplier", company_id=self.company.id
        )
        outgoing = self.make_endpoint(system_id=system.id)
        self.subscribe("supply.purchase_order.released", endpoint=outgoing)
        order = self.confirmed_order()
        self.env.cr.flush()
        sent = self.env["integration.message"].search(
            [("res_model", "=", "purchase.order"), ("res_id", "=", order.id)]
        )
        sent.sudo().write({"state": "delivered", "attempt_count": 1})
        inbox = self.make_inbox(system, ANSWER)
        client = self.connect(system, self.make_buyer(), inbox)
        data = {
            "purchase_order": order.name,
            "supplier_reference": "SO-9",
            "status": "accepted",
            "acknowledged_at": "2024-11-20T10:00:00Z",
        }
        message = self.send(ANSWER, data, client, inbox)
        self.assertEqual(message.state, "done", message.last_error)
        self.assertEqual(sent.business_state, "accepted")
        self.assertEqual(sent.partner_reference, "SO-9")
        data.update(
            status="rejected", reason="bankrupt", acknowledged_at="2024-11-21T10:00:00Z"
        )
        message = self.send(ANSWER, data, client, inbox)
        self.assertEqual(message.state, "done", message.last_error)
        self.assertEqual(sent.business_state, "rejected")
        self.assertTrue(self.case("partner_rejected"))
        self.assertFalse(self.case("order_rejected"), "one case, not two")
