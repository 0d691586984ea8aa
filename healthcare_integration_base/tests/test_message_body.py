# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
import json
from datetime import datetime

from odoo.tests import tagged

from ..engine import render
from ..protocol.mapping import MappingError
from .common import IntegrationCase


@tagged("post_install", "-at_install")
class TestMessageBody(IntegrationCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.event_type = cls.make_event_type(
            schema_text='{"type": "object", "properties": {"number": {"type": "string"}}}'
        )
        cls.endpoint = cls.make_endpoint(state="active")
        cls.none = cls.env["integration.mapping"]

    def rendered(self, data, mapping=None, endpoint=None, **vals):
        event = self.make_event(self.event_type, data, **vals)
        endpoint = self.endpoint if endpoint is None else endpoint
        return event, render.render(
            render.event_values(event), mapping or self.none, endpoint
        )

    def mapping(self, expression, state="active", **vals):
        return self.make_mapping(
            expression, event_type_id=self.event_type.id, state=state, **vals
        )

    def test_without_a_mapping_it_is_a_cloudevent(self):
        event, made = self.rendered(
            {"number": "P1", "amount": "12.50"},
            res_model="res.partner",
            res_id=7,
            ordering_key="res.partner,7",
            correlation_uid="c-1",
            traceparent="00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        )
        body = json.loads(made.body)
        self.assertEqual(made.content_type, "application/cloudevents+json")
        self.assertEqual(made.schema_errors, [])
        self.assertEqual(
            {
                name: body[name]
                for name in ("specversion", "id", "type", "subject", "time")
            },
            {
                "specversion": "1.0",
                "id": event.uid,
                "type": f"healthcare.{self.event_type.code}.v1",
                "subject": "res.partner/7",
                "time": "2026-11-20T12:00:00Z",
            },
        )
        self.assertEqual(body["partitionkey"], "res.partner,7")
        self.assertEqual(body["correlationid"], "c-1")
        self.assertEqual(body["dataclass"], "internal")
        self.assertEqual(body["data"], {"number": "P1", "amount": "12.50"})
        self.assertTrue(body["source"].startswith("urn:odoo:"))
        self.assertTrue(
            body["dataschema"].endswith(
                f"/integration/v1/schemas/{self.event_type.code}/1"
            )
        )

    def test_the_source_can_be_set(self):
        self.use_settings(source="https://hospital.example/odoo")
        _event, made = self.rendered({})
        self.assertEqual(
            json.loads(made.body)["source"], "https://hospital.example/odoo"
        )

    def test_the_same_event_gives_the_same_bytes(self):
        event, made = self.rendered({"b": 1, "a": "é"})
        again = render.render(render.event_values(event), self.none, self.endpoint)
        self.assertEqual(made, again)
        self.assertIn("é".encode(), made.body)

    def test_a_mapping_decides_body_and_content_type(self):
        mapping = self.mapping(
            '{"no": number}', content_type="application/vnd.partner+json"
        )
        _event, made = self.rendered({"number": "P1"}, mapping)
        self.assertEqual(made.body, b'{"no":"P1"}')
        self.assertEqual(made.content_type, "application/vnd.partner+json")

    def test_a_mapping_may_make_text(self):
        mapping = self.mapping('"NO;" & number', content_type="text/csv")
        _event, made = self.rendered({"number": "P1"}, mapping)
        self.assertEqual(made.body, b"NO;P1")

    def test_deviations_from_the_schema_are_reported_and_not_fatal(self):
        _event, made = self.rendered({"number": 4711})
        (deviation,) = made.schema_errors
        self.assertEqual(deviation["path"], "/number")
        self.assertNotIn("4711", str(deviation))
        self.assertTrue(made.body)

    def assertMappingError(self, code, data, mapping, **kwargs):
        with self.assertRaises(MappingError) as caught:
            self.rendered(data, mapping, **kwargs)
        self.assertEqual(caught.exception.code, code)
        return caught.exception.message

    def test_a_mapping_that_fails_tells_no_data(self):
        mapping = self.mapping("$number(number)")
        message = self.assertMappingError(
            "mapping_failed", {"number": "Jane Roe"}, mapping
        )
        self.assertNotIn("Jane", message)

    def test_a_mapping_without_a_result_is_an_error(self):
        self.assertMappingError("mapping_empty", {}, self.mapping("no.such.path"))

    def test_an_event_without_payload_is_an_error(self):
        event = self.make_event(self.event_type, None, error="payload_failed")
        with self.assertRaises(MappingError) as caught:
            render.event_values(event)
        self.assertEqual(caught.exception.code, "event_without_data")

    def test_only_active_mappings_send_and_drafts_may_be_tried(self):
        draft = self.mapping('{"no": number}', state="draft")
        self.assertMappingError("mapping_not_active", {"number": "P1"}, draft)
        for state in ("test", "shadow"):
            _event, made = self.rendered(
                {"number": "P1"}, draft, self.make_endpoint(state=state)
            )
            self.assertEqual(made.body, b'{"no":"P1"}')

    def test_values_of_a_batch_need_no_record(self):
        values = render.EventValues(
            uid="u",
            type_id=self.event_type.id,
            code=self.event_type.code,
            version=1,
            source="urn:x",
            subject=None,
            time=datetime(2026, 11, 20, 12),
            data={"number": "P1"},
        )
        body = json.loads(render.render(values, self.none, self.endpoint).body)
        self.assertNotIn("subject", body)
        self.assertEqual(body["time"], "2026-11-20T12:00:00Z")
