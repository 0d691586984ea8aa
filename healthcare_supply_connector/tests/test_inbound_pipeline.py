# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo.tests import tagged

from .common import SupplyCase, in_days
from .inbound_common import InboundMixin

ACKNOWLEDGED = "supply.purchase_order.acknowledged"
NOTIFIED = "supply.shipment.notified"


@tagged("post_install", "-at_install")
class TestInboundPipeline(InboundMixin, SupplyCase):
    """From the bytes of a partner to the document, by the engine and as its user."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.tolerate(delay_days=60)
        cls.order = cls.confirmed_order()
        system = cls.make_system(
            partner_id=cls.supplier.id, kind="supplier", company_id=cls.company.id
        )
        cls.user = cls.make_buyer()
        cls.inbox = {
            code: cls.make_inbox(system, code) for code in (ACKNOWLEDGED, NOTIFIED)
        }
        cls.client = cls.connect(system, cls.user, *cls.inbox.values())

    def send(self, code, data, message_id=None):
        return self.deliver(self.inbox[code], self.client, data, message_id=message_id)

    def acknowledgement(self, **vals):
        return {
            "purchase_order": self.order.name,
            "status": "accepted_with_changes",
            "supplier_reference": "SO-77",
            "acknowledged_at": "2024-11-20T10:00:00Z",
            "lines": [
                {"line_ref": "2", "status": "changed", "promised_date": in_days(15)}
            ],
            **vals,
        }

    def shipment(self, **vals):
        return {
            "shipment_number": "ASN-1",
            "purchase_order": self.order.name,
            "shipped_at": "2026-11-20T08:00:00Z",
            "lines": [{"line_ref": "1", "quantity": "4"}],
            **vals,
        }

    def test_acknowledgement(self):
        message = self.send(ACKNOWLEDGED, self.acknowledgement())
        self.assertEqual(message.state, "done", message.last_error)
        self.assertEqual(
            (message.res_model, message.res_id), ("purchase.order", self.order.id)
        )
        self.assertTrue(self.order.acknowledged)
        self.assertEqual(str(self.order.order_line[1].date_planned.date()), in_days(15))
        self.assertEqual(self.order.acknowledgement_ids.message_uid, message.uid)
        self.assertEqual(self.order.integration_message_count, 1)

    def test_shipment(self):
        message = self.send(NOTIFIED, self.shipment())
        self.assertEqual(message.state, "done", message.last_error)
        picking = self.order.picking_ids
        self.assertEqual(
            (message.res_model, message.res_id), ("stock.picking", picking.id)
        )
        self.assertEqual(picking.move_line_ids.mapped("quantity"), [4])

    def test_repeated_with_another_id_is_filtered(self):
        self.send(NOTIFIED, self.shipment(), "one")
        message = self.send(NOTIFIED, self.shipment(), "two")
        self.assertEqual(message.state, "filtered")
        self.assertEqual(self.order.picking_ids.move_line_ids.mapped("quantity"), [4])

    def test_business_rule_opens_a_case_and_changes_nothing(self):
        message = self.send(
            NOTIFIED, self.shipment(lines=[{"line_ref": "1", "quantity": "11"}])
        )
        self.assertEqual(message.state, "dead")
        self.assertEqual(message.last_error_code, "quantity_over_open")
        self.assertTrue(message.exception_id)
        self.assertFalse(self.order.picking_ids.shipment_notice_ids)

    def test_broken_contract(self):
        message = self.send(ACKNOWLEDGED, self.acknowledgement(status="perhaps"))
        self.assertEqual(message.state, "dead")
        self.assertEqual(message.schema_errors[0]["path"], "/status")
        self.assertFalse(self.order.acknowledged)

    def test_user_without_rights(self):
        self.client.user_id = self.make_user()
        message = self.send(ACKNOWLEDGED, self.acknowledgement())
        self.assertEqual(message.state, "dead")
        self.assertFalse(self.order.acknowledged)
