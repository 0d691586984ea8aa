# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""CloudEvents without an endpoint in the address: modes, and how the endpoint is found."""

import json

from odoo.tests import tagged

from .reception_common import CODE, HANDLER, SCHEMA, ReceptionCase
from .test_inbox_batch import event

EVENTS = "/integration/v1/events"
STRUCTURED = "application/cloudevents+json"
BATCH = "application/cloudevents-batch+json"


@tagged("post_install", "-at_install")
class TestInboxEvents(ReceptionCase):
    def send(self, body, content_type=STRUCTURED, query="", **headers):
        headers = {name.replace("_", "-"): text for name, text in headers.items()}
        headers["Content-Type"] = content_type
        headers.setdefault("Authorization", f"Bearer {self.key}")
        if not isinstance(body, bytes):
            body = json.dumps(body).encode()
        return self.call(EVENTS + query, body, headers, "POST")

    def make_type(self, code):
        return self.make_event_type(
            code=code,
            direction="in",
            schema_text=json.dumps(SCHEMA),
            handler_model="res.partner",
            handler_method=HANDLER,
        )

    def test_a_structured_event_is_a_message(self):
        uid = self.assert_accepted(self.send(event("e-1", "Ann")))
        message = self.messages()
        self.assertEqual((message.uid, message.external_id), (uid, "e-1"))
        self.assertEqual(message.endpoint_id, self.endpoint)
        self.assertEqual(message.content_type, STRUCTURED)
        self.apply_all()
        self.assertEqual(self.messages().res_name, "Ann")

    def test_the_same_event_again_gets_the_first_answer(self):
        first, second = self.send(event("e-1", "A")), self.send(event("e-1", "A"))
        self.assertEqual(first.text, second.text)
        self.assert_problem(self.send(event("e-1", "B")), 409, "id_reused")
        self.assertEqual(len(self.messages()), 1)

    def test_an_event_in_headers_is_the_same_event(self):
        attributes = {
            "ce_specversion": "1.0",
            "ce_id": "e-7",
            "ce_source": "/caf%C3%A9",
            "ce_type": CODE,
            "ce_subject": "x",
        }
        response = self.send({"name": "Bo"}, "application/json", **attributes)
        self.assert_accepted(response)
        stored = json.loads(self.stored_body(self.messages()))
        self.assertEqual(stored["source"], "/café")
        self.assertEqual((stored["id"], stored["data"]), ("e-7", {"name": "Bo"}))
        again = self.send({"name": "Bo"}, "application/json", **attributes)
        self.assertEqual(again.text, response.text)
        self.apply_all()
        self.assertEqual(self.messages().res_name, "Bo")

    def test_a_batch_has_a_result_for_each_event(self):
        response = self.send(
            [event("e-1", "A"), {"no": "event"}, 7, event("e-2", "B")], BATCH
        )
        self.assertEqual(response.status_code, 200, response.text)
        found = response.json()["results"]
        self.assertEqual(
            [(one["event"], one["status"]) for one in found],
            [(1, 202), (2, 400), (3, 400), (4, 202)],
        )
        self.assertEqual(
            [found[1]["problem"]["code"], found[2]["problem"]["code"]],
            ["invalid_cloudevent", "not_an_object"],
        )
        self.assertEqual(self.messages().mapped("external_id"), ["e-1", "e-2"])

    def test_the_endpoint_made_for_the_type_gets_the_event(self):
        other_type = self.make_type("partner.contact.removed")
        other = self.make_inbox("removals-in", event_type_id=other_type.id)
        self.client.endpoint_ids += other
        removed = event("e-1", "A", type="healthcare.partner.contact.removed.v1")
        self.assert_accepted(self.send(removed))
        self.assert_accepted(self.send(event("e-2", "B")))
        self.assertEqual(self.messages().endpoint_id, other + self.endpoint)
        self.assertEqual(self.messages()[0].endpoint_id, other)

    def test_an_event_for_several_endpoints_needs_a_name(self):
        self.client.endpoint_ids += self.make_inbox("second-in")
        refusal = self.assert_problem(
            self.send(event("e-1", "A")), 400, "ambiguous_endpoint"
        )
        self.assertIn("?endpoint=", refusal["detail"])
        self.assert_accepted(self.send(event("e-1", "A"), query="?endpoint=second-in"))
        self.assertEqual(self.messages().endpoint_id.code, "second-in")

    def test_an_event_for_no_endpoint_is_refused(self):
        other = self.make_type("partner.contact.removed")
        self.client.endpoint_ids += self.make_inbox("r-in", event_type_id=other.id)
        stray = event("e-1", "A", type="healthcare.integration.endpoint.tested.v1")
        self.assert_problem(self.send(stray), 400, "unroutable")
        self.client.endpoint_ids = False
        self.assert_problem(self.send(event("e-1", "A")), 400, "unroutable")
        self.assertFalse(self.messages())

    def test_other_peoples_endpoints_do_not_exist(self):
        self.make_inbox("foreign-in")
        for code in ("foreign-in", "no-such", "%00"):
            self.assert_problem(
                self.send(event("e-1", "A"), query=f"?endpoint={code}"),
                404,
                "unknown_endpoint",
            )

    def test_bad_events_are_refused_with_their_reason(self):
        for body, content_type, status, code in [
            (b"nope", STRUCTURED, 400, "invalid_json"),
            (b"[]", STRUCTURED, 400, "not_an_object"),
            (b"\xff", STRUCTURED, 400, "invalid_encoding"),
            (event("", "A"), STRUCTURED, 400, "invalid_cloudevent"),
            (event("e", "A", time="now"), STRUCTURED, 400, "invalid_cloudevent"),
            (event("e", "A", type="x"), STRUCTURED, 400, "unknown_event_type"),
            ({"name": "A"}, "application/json", 415, "unsupported_media_type"),
            (b"[]", BATCH, 400, "empty_batch"),
            (b"{}", BATCH, 400, "not_an_array"),
            (b"[{}", BATCH, 400, "invalid_json"),
        ]:
            with self.subTest(body=body, content_type=content_type):
                self.assert_problem(self.send(body, content_type), status, code)
        self.assertFalse(self.messages())

    def test_binary_mode_takes_json_data_only(self):
        attributes = {
            "ce_specversion": "1.0",
            "ce_id": "e-7",
            "ce_source": "s",
            "ce_type": CODE,
        }
        for body, content_type, status, code in [
            (b"<x/>", "application/xml", 415, "unsupported_media_type"),
            (b"[1]", "application/json", 400, "not_an_object"),
            (b"", "application/json", 400, "invalid_json"),
        ]:
            response = self.send(body, content_type, **attributes)
            self.assert_problem(response, status, code)
        response = self.send({}, "application/json", **{**attributes, "ce_id": "%FF"})
        self.assert_problem(response, 400, "invalid_cloudevent")

    def test_a_signed_call_names_its_endpoint(self):
        self.make_signing_client("Signer", self.endpoint)
        body = json.dumps(event("e-1", "A")).encode()
        headers = {"Content-Type": STRUCTURED, **self.signed(body)}
        response = self.call(EVENTS, body, headers, "POST")
        self.assert_problem(response, 400, "endpoint_required")
        query = "?endpoint=reception-in"
        self.assert_accepted(self.call(EVENTS + query, body, headers, "POST"))

    def test_the_scope_is_needed(self):
        self.client.scope_ids.filtered(lambda one: one.scope == "events:write").unlink()
        self.assert_problem(self.send(event("e-1", "A")), 403, "scope_missing")

    def test_a_type_outside_of_the_scope_is_refused(self):
        scope = self.client.scope_ids.filtered(lambda one: one.scope == "events:write")
        scope.event_type_ids = self.make_type("partner.contact.removed")
        self.assert_problem(self.send(event("e-1", "A")), 403, "event_type_not_allowed")
        found = self.send([event("e-1", "A")], BATCH).json()["results"]
        self.assertEqual(found[0]["problem"]["code"], "event_type_not_allowed")
        self.assertFalse(self.messages())
