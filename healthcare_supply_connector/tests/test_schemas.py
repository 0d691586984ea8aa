# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
import copy
import importlib.util
import json
from pathlib import Path

from odoo.tests import TransactionCase, tagged
from odoo.tools import file_path

from .common import CODES

INBOUND = (
    "supply.purchase_order.acknowledged",
    "supply.shipment.notified",
    "supply.shipment.status_updated",
    "supply.goods.receipt_confirmed",
    "supply.stock.levels_reported",
    "supply.quality.hold_requested",
    "supply.quality.release_requested",
    "supply.purchase_order.approval_decided",
    "supply.supplier_invoice.submitted",
    "supply.item.proposed",
    "supply.supplier.proposed",
    "supply.unit.proposed",
    "supply.price.proposed",
    "finance.payment_term.proposed",
    "finance.cost_center.proposed",
    "sales.order.requested",
    "sales.service_order.requested",
    "finance.payment.advised",
    "finance.payment.status_updated",
)
FOLDER = Path(file_path("healthcare_supply_connector/schemas"))
ACKNOWLEDGEMENT = {
    "purchase_order": "P00012",
    "supplier_reference": "SO-77",
    "status": "accepted_with_changes",
    "acknowledged_at": "2026-11-20T10:00:00Z",
    "lines": [
        {
            "line_ref": "1",
            "status": "changed",
            "quantity": "10",
            "promised_date": "2026-12-01",
            "reason": "late",
        }
    ],
}
SHIPMENT = {
    "shipment_number": "ASN-1",
    "purchase_order": "P00012",
    "shipped_at": "2026-11-20T10:00:00+01:00",
    "lines": [
        {
            "line_ref": "1",
            "quantity": "10",
            "unit": "C62",
            "lots": [{"lot": "L1", "expiry_date": "2027-05-31", "quantity": "10"}],
        }
    ],
}


@tagged("post_install", "-at_install")
class TestSchemas(TransactionCase):
    def event_type(self, code):
        return self.env["integration.event.type"].search([("code", "=", code)])

    def errors(self, code, data, *path, value):
        """Return the paths that are reported when one value is put in."""
        changed = copy.deepcopy(data)
        target = changed
        for step in path[:-1]:
            target = target[step]
        target[path[-1]] = value
        return [row["path"] for row in self.event_type(code)._validate(changed)]

    def test_catalogue_is_complete(self):
        for code in CODES:
            event_type = self.event_type(code)
            self.assertEqual(len(event_type), 1, code)
            self.assertEqual(event_type.direction, "out")
            self.assertEqual(event_type.source_of_truth, "odoo")
            self.assertTrue(event_type._schema(), code)
            self.assertFalse(event_type.keep_without_subscriber)
            model = self.env[event_type.model]
            self.assertIn(code, model._integration_builders(), code)

    def test_every_published_code_is_in_the_catalogue(self):
        for model in self.env.values():
            if hasattr(model, "_integration_builders"):
                self.assertLessEqual(set(model._integration_builders()), set(CODES))

    def test_messages_in_have_their_handlers(self):
        for code in INBOUND:
            event_type = self.event_type(code)
            self.assertEqual(event_type.direction, "in")
            self.assertEqual(event_type.source_of_truth, "partner")
            handler = getattr(
                self.env[event_type.handler_model], event_type.handler_method
            )
            self.assertTrue(callable(handler))

    def test_objects_are_closed_and_definitions_up_to_date(self):
        path = FOLDER / "inline_definitions.py"
        spec = importlib.util.spec_from_file_location("inline_definitions", path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        definitions = json.loads((FOLDER / "common.v1.json").read_text())["$defs"]
        for code in CODES + INBOUND:
            text = (FOLDER / f"{code}.v1.json").read_text()
            schema = json.loads(text)
            self.assertEqual(
                module.text(module.inlined(schema, definitions)), text, code
            )
            self.assertClosed(schema, code)

    def assertClosed(self, node, place):
        """No object in the schema takes properties it does not know."""
        if isinstance(node, list):
            for item in node:
                self.assertClosed(item, place)
        if isinstance(node, dict):
            if node.get("type") == "object":
                self.assertIs(node.get("additionalProperties"), False, place)
            for key, value in node.items():
                self.assertClosed(value, f"{place}/{key}")

    def test_good_acknowledgement(self):
        self.assertEqual(self.event_type(INBOUND[0])._validate(ACKNOWLEDGEMENT), [])

    def test_bad_acknowledgements(self):
        line = ("lines", 0)
        for path, value in (
            (("status",), "maybe"),
            (("acknowledged_at",), "2026-11-20T10:00:00"),
            (("acknowledged_at",), "20.11.2026"),
            (("purchase_order",), 12),
            ((*line, "quantity"), 10),
            ((*line, "quantity"), "1e3"),
            ((*line, "quantity"), "-1"),
            ((*line, "quantity"), "1,5"),
            ((*line, "promised_date"), "2026-13-01"),
            ((*line, "status"), "shipped"),
        ):
            reported = self.errors(INBOUND[0], ACKNOWLEDGEMENT, *path, value=value)
            self.assertEqual(reported, ["/" + "/".join(map(str, path))], value)
        self.assertTrue(self.errors(INBOUND[0], ACKNOWLEDGEMENT, "unknown", value="x"))

    def test_good_shipment(self):
        self.assertEqual(self.event_type(INBOUND[1])._validate(SHIPMENT), [])

    def test_bad_shipments(self):
        for path, value in (
            (("lines",), []),
            (("shipped_at",), "2026-11-20"),
            (("lines", 0, "quantity"), "0"),
            (("lines", 0, "quantity"), "0.000"),
            (("lines", 0, "unit"), "Stück"),
            (("lines", 0, "lots", 0, "lot"), ""),
            (("lines", 0, "lots", 0, "expiry_date"), "05/2027"),
            (("lines", 0, "line_ref"), 1),
        ):
            reported = self.errors(INBOUND[1], SHIPMENT, *path, value=value)
            self.assertEqual(reported, ["/" + "/".join(map(str, path))], value)
        missing = {
            key: value for key, value in SHIPMENT.items() if key != "shipment_number"
        }
        self.assertTrue(self.event_type(INBOUND[1])._validate(missing))
