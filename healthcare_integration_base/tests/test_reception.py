# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Taking messages in: what is stored, what is answered."""

import hashlib
import json
import logging

from odoo.tests import tagged
from odoo.tools import mute_logger

from .reception_common import CODE, MESSAGES, ReceptionCase

BODY = b'{"name": "Anna",  "ref": "A-1"}'
CLOUDEVENTS = "application/cloudevents+json"


def cloudevent(**changes):
    event = {
        "specversion": "1.0",
        "id": "ce-1",
        "source": "urn:network",
        "type": f"healthcare.{CODE}.v1",
        "data": {"name": "Anna"},
    }
    event.update(changes)
    return json.dumps(event).encode()


@tagged("post_install", "-at_install")
class TestReception(ReceptionCase):
    def test_a_message_is_stored_as_it_came_and_acknowledged(self):
        uid = self.assert_accepted(self.post(BODY, webhook_id="m-1"))
        message = self.messages()
        self.assertRecordValues(
            message,
            [
                {
                    "uid": uid,
                    "state": "pending",
                    "external_id": "m-1",
                    "endpoint_id": self.endpoint.id,
                    "client_id": self.client.id,
                    "event_type_id": self.event_type.id,
                    "company_id": self.company.id,
                    "content_type": "application/json",
                    "size": len(BODY),
                    "body_sha256": hashlib.sha256(BODY).hexdigest(),
                    "attempt_count": 0,
                }
            ],
        )
        self.assertEqual(self.stored_body(message), BODY)
        self.assertEqual(self.queued(message), 1)

    def test_the_answer_is_the_same_when_the_message_is_repeated(self):
        first = self.post(BODY, webhook_id="m-1")
        second = self.post(BODY, webhook_id="m-1")
        self.assertEqual(second.status_code, 202)
        self.assertEqual(second.content, first.content)
        self.assertEqual(second.headers["Location"], first.headers["Location"])
        self.assertEqual(len(self.messages()), 1)

    def test_the_answer_stays_the_same_after_the_message_was_applied(self):
        first = self.post(BODY, webhook_id="m-1")
        self.apply_all()
        self.assertEqual(self.messages().state, "done")
        self.assertEqual(self.post(BODY, webhook_id="m-1").content, first.content)

    def test_another_body_under_the_same_id_is_a_conflict(self):
        self.assert_accepted(self.post(BODY, webhook_id="m-1"))
        self.assert_problem(
            self.post(b'{"name": "Other"}', webhook_id="m-1"), 409, "id_reused"
        )
        self.assertEqual(len(self.messages()), 1)

    def test_the_same_id_on_another_endpoint_is_another_message(self):
        other = self.make_inbox("reception-other")
        self.client.endpoint_ids += other
        first = self.assert_accepted(self.post(BODY, webhook_id="m-1"))
        second = self.assert_accepted(
            self.post(BODY, webhook_id="m-1", code="reception-other")
        )
        self.assertNotEqual(first, second)

    def test_the_id_comes_from_the_header_then_the_event_then_the_body(self):
        self.post(
            cloudevent(), content_type=CLOUDEVENTS, webhook_id="w", Idempotency_Key="i"
        )
        self.post(cloudevent(id="2"), content_type=CLOUDEVENTS, Idempotency_Key='"i"')
        self.post(cloudevent(id="3"), content_type=CLOUDEVENTS)
        self.post(BODY)
        digest = hashlib.sha256(BODY).hexdigest()
        self.assertEqual(
            self.messages().mapped("external_id"), ["w", "i", "3", f"sha256:{digest}"]
        )

    def test_a_body_without_id_is_recognised_by_its_content(self):
        first = self.assert_accepted(self.post(BODY))
        self.assertEqual(self.assert_accepted(self.post(BODY)), first)
        self.assertNotEqual(self.assert_accepted(self.post(b'{"name": "Anna"}')), first)

    def test_an_id_is_forgotten_after_the_window_of_the_endpoint(self):
        self.endpoint.dedupe_days = 7
        first = self.assert_accepted(self.post(BODY, webhook_id="m-1"))
        self.age(self.messages(), days=6)
        self.assert_problem(self.post(b'{"name": "B"}', webhook_id="m-1"), 409)
        self.age(self.messages(), days=8)
        second = self.assert_accepted(self.post(b'{"name": "B"}', webhook_id="m-1"))
        self.assertNotEqual(first, second)

    def test_a_cloudevent_says_what_it_is(self):
        other = self.event_type.copy({"code": "partner.contact.renamed"})
        for event_type in (f"healthcare.{other.code}.v1", other.code):
            body = cloudevent(
                id=event_type, type=event_type, correlationid="c-7", subject="S"
            )
            self.assert_accepted(self.post(body, content_type=CLOUDEVENTS))
        self.assertEqual(self.messages().event_type_id, other)
        self.assertEqual(self.messages().mapped("correlation_uid"), ["c-7", "c-7"])

    def test_an_unknown_event_type_is_refused(self):
        for unknown in (
            "healthcare.supply.nothing.done.v1",
            f"healthcare.{CODE}.v9",
            "x",
        ):
            body = cloudevent(type=unknown)
            self.assert_problem(
                self.post(body, content_type=CLOUDEVENTS), 400, "unknown_event_type"
            )
        self.assertFalse(self.messages())

    def test_an_outgoing_event_type_cannot_be_sent_to_us(self):
        self.event_type.copy({"code": "partner.contact.sent", "direction": "out"})
        body = cloudevent(type="partner.contact.sent")
        self.assert_problem(
            self.post(body, content_type=CLOUDEVENTS), 400, "unknown_event_type"
        )

    def test_a_plain_body_needs_an_endpoint_that_knows_its_type(self):
        self.endpoint.event_type_id = False
        self.assert_problem(self.post(BODY), 400, "missing_event_type")
        self.assertFalse(self.messages())

    def test_messages_of_one_partition_key_are_ordered(self):
        self.post(cloudevent(partitionkey="order 7"), content_type=CLOUDEVENTS)
        self.assertEqual(self.messages().ordering_key, "order 7")

    def test_protected_health_information_is_stored_encrypted(self):
        self.event_type.sensitivity = "phi"
        self.assert_accepted(self.post(BODY))
        message = self.messages()
        raw = self.raw_body(message)
        self.assertNotIn(b"Anna", raw)
        self.assertTrue(raw.startswith(b"hik1."))
        self.assertEqual(self.stored_body(message), BODY)
        self.assertNotIn(hashlib.sha256(BODY).hexdigest(), str(message.read()))

    def test_a_paused_endpoint_takes_messages_and_holds_them(self):
        self.endpoint.state = "paused"
        self.assert_accepted(self.post(BODY))
        self.assertEqual(self.messages().state, "pending")

    def test_a_draft_or_disabled_endpoint_does_not_exist(self):
        for state in ("draft", "disabled"):
            self.endpoint.state = state
            self.assert_problem(self.post(BODY), 404, "unknown_endpoint")
        self.assertFalse(self.messages())

    def test_an_outgoing_endpoint_does_not_exist_either(self):
        outgoing = self.make_endpoint(code="reception-out", system_id=self.system.id)
        self.env.cr.execute(
            "UPDATE integration_endpoint SET state = 'active' WHERE id = %s",
            outgoing.ids,
        )
        outgoing.invalidate_recordset()
        self.assert_problem(
            self.post(BODY, code="reception-out"), 404, "unknown_endpoint"
        )

    def test_an_endpoint_of_another_environment_asks_to_come_back(self):
        self.system.environment = "staging"
        response = self.post(BODY)
        self.assert_problem(response, 503, "environment_mismatch")
        self.assertIn("Retry-After", response.headers)
        self.assertFalse(self.messages())

    def test_nothing_of_the_call_is_logged_but_ids(self):
        addons = logging.getLogger("odoo.addons")
        with self.assertLogs(addons, logging.DEBUG) as logs:
            uid = self.assert_accepted(self.post(BODY, webhook_id="m-secret"))
        text = "\n".join(logs.output)
        self.assertIn(uid, text)
        for secret in ("Anna", self.key, "m-secret"):
            self.assertNotIn(secret, text)

    def test_no_session_and_no_cookie_come_of_a_call(self):
        response = self.post(BODY)
        self.assertNotIn("Set-Cookie", response.headers)


@tagged("post_install", "-at_install")
class TestMessageStatus(ReceptionCase):
    def test_a_client_sees_what_became_of_its_message(self):
        uid = self.assert_accepted(self.post(BODY, webhook_id="m-1"))
        self.assertEqual(self.ask(uid).json()["state"], "pending")
        self.apply_all()
        answer = self.ask(uid)
        self.assertEqual(answer.status_code, 200)
        status = answer.json()
        self.assertEqual(
            (status["uid"], status["state"], status["external_id"], status["type"]),
            (uid, "done", "m-1", f"healthcare.{CODE}.v1"),
        )
        self.assertTrue(
            status["received_at"].endswith("Z") and status["finished_at"].endswith("Z")
        )
        self.assertNotIn("error", status)

    def test_a_refused_message_tells_why_without_values(self):
        uid = self.assert_accepted(self.post({"name": 77123, "ref": "secret-ref"}))
        self.apply_all()
        answer = self.ask(uid)
        error = answer.json()["error"]
        self.assertEqual(
            (answer.json()["state"], error["code"]), ("dead", "schema_violation")
        )
        self.assertEqual(error["errors"][0]["path"], "/name")
        self.assertNotIn("77123", answer.text)
        self.assertNotIn("secret-ref", answer.text)

    def test_the_message_of_another_client_does_not_exist(self):
        uid = self.assert_accepted(self.post(BODY))
        other = self.make_client("Other", self.endpoint)
        foreign = self.ask(uid, other._generate_key("k", None))
        unknown = self.ask(
            "01890a5d-ac96-774b-bcce-b302099a8057", other._generate_key("k", None)
        )
        self.assert_problem(foreign, 404, "unknown_message")
        self.assertEqual(foreign.content, unknown.content)

    def test_outgoing_messages_cannot_be_asked_for(self):
        uid = self.assert_accepted(self.post(BODY))
        self.env.cr.execute(
            "UPDATE integration_message SET direction = 'out' WHERE uid = %s", [uid]
        )
        self.env.invalidate_all()
        self.assert_problem(self.ask(uid), 404, "unknown_message")

    def test_garbage_in_place_of_the_id(self):
        for uid in ("x", "%00", "%ff", "1 OR 1=1", "a" * 3000, "..%2f.."):
            self.assert_problem(self.ask(uid), 404)

    def test_a_signing_client_asks_with_a_signature_over_nothing(self):
        self.make_signing_client("Signer", self.endpoint)
        headers = self.signed(BODY) | {"Content-Type": "application/json"}
        uid = self.assert_accepted(self.call(f"{MESSAGES}/reception-in", BODY, headers))
        answer = self.call(f"{MESSAGES}/{uid}", headers=self.signed(b"", "ask-1"))
        self.assertEqual(answer.json()["uid"], uid)
        refused = self.call(f"{MESSAGES}/{uid}", headers=self.signed(b"x", "ask-1"))
        self.assert_problem(refused, 401, "no_matching_signature")

    @mute_logger("odoo.http")
    def test_asking_needs_credentials(self):
        uid = self.assert_accepted(self.post(BODY))
        self.assert_problem(self.call(f"{MESSAGES}/{uid}"), 401, "missing_credentials")
