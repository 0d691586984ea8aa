# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""From the outbox to the partner: attempts, states, what is stored, what is held."""

import json
from unittest.mock import patch

from odoo import Command
from odoo.tests import tagged
from odoo.tools import mute_logger

from ..protocol import signing
from .delivery_case import DocumentCase
from .loopback_partner import LoopbackPartner

SEND_LOG = "odoo.addons.healthcare_integration_base.engine.send"


@tagged("post_install", "-at_install")
class TestAttempts(DocumentCase):
    def outcomes(self, message):
        return message.attempt_ids.sorted("number").mapped("outcome")

    def test_200_is_one_attempt(self):
        """Scenario 1."""
        self.make_outbox(self.event_type)
        document = self.release()
        self.drain_until_quiet()
        message = self.messages()
        self.assertRecordValues(
            message,
            [{"state": "delivered", "attempt_count": 1, "last_error_class": False}],
        )
        attempt = message.attempt_ids
        self.assertRecordValues(
            attempt,
            [
                {
                    "number": 1,
                    "outcome": "success",
                    "status": 200,
                    "next_attempt_at": False,
                }
            ],
        )
        self.assertTrue(message.finished_at)
        self.assertFalse(self.entries())
        (request,) = self.partner.requests
        body = request.json()
        self.assertEqual(
            request.headers["content-type"], "application/cloudevents+json"
        )
        self.assertEqual(body["id"], message.event_id.uid)
        self.assertEqual(body["subject"], f"{document._name}/{document.id}")
        self.assertEqual(message.size, len(request.body))
        self.assertEqual(message._body(), request.body)

    def test_500_always(self):
        """Scenario 2: one attempt more than the schedule has delays, then dead."""
        self.make_outbox(self.event_type)
        self.partner.answers = [500] * 9
        self.release()
        self.drain_until_quiet()
        message = self.messages()
        self.assertEqual(self.outcomes(message), ["failure"] * 3)
        self.assertRecordValues(
            message,
            [
                {
                    "state": "dead",
                    "last_error_class": "server",
                    "last_error_code": "http_500",
                }
            ],
        )
        planned = [bool(attempt.next_attempt_at) for attempt in message.attempt_ids]
        self.assertEqual(planned, [True, True, False])
        self.assertEqual(message.exception_id.category, "server")

    def test_403(self):
        """Scenario 2, second half: dead at once, with its case."""
        self.make_outbox(self.event_type)
        self.partner.answers = [403]
        self.release()
        self.drain_until_quiet()
        message = self.messages()
        self.assertEqual((message.state, len(message.attempt_ids)), ("dead", 1))
        case = message.exception_id
        self.assertEqual((case.state, case.category), ("open", "authentication"))

    def test_connection_refused(self):
        """Scenario 3."""
        gone = LoopbackPartner()
        gone.close()
        self.make_outbox(self.event_type).url = gone.url
        self.release()
        self.drain_until_quiet()
        attempts = self.messages().attempt_ids
        self.assertEqual(len(attempts), 3)
        self.assertEqual(set(attempts.mapped("status")), {0})
        self.assertEqual(set(attempts.mapped("error_code")), {"connection_refused"})
        self.assertEqual(set(attempts.mapped("error_class")), {"transport"})

    def test_empty_schedule(self):
        """Scenario 4."""
        self.make_outbox(self.event_type, policy={"retry_schedule": False})
        self.partner.answers = [500]
        self.release()
        self.drain_until_quiet()
        self.assertEqual(len(self.messages().attempt_ids), 1)
        self.assertEqual(self.messages().state, "dead")

    def test_500_then_200(self):
        """Scenario 5."""
        self.make_outbox(self.event_type)
        self.partner.answers = [500]
        self.release()
        self.drain()
        message = self.messages()
        self.assertEqual(
            (message.state, message.last_error_code), ("pending", "http_500")
        )
        self.drain_until_quiet()
        self.assertEqual(self.outcomes(message), ["failure", "success"])
        self.assertFalse(self.messages(state="pending"))
        self.assertEqual(self.messages(state="delivered"), message)
        self.assertFalse(message.last_error_code)

    def test_one_failing_endpoint_of_three(self):
        """Scenario 6."""
        endpoints = [self.make_outbox(self.event_type) for _n in range(2)]
        third = LoopbackPartner()
        self.addCleanup(third.close)
        third.answers = [500]
        endpoints.append(self.make_outbox(self.event_type))
        endpoints[2].url = third.url
        self.release()
        self.drain_until_quiet()
        counts = [len(self.messages(endpoint_id=e.id).attempt_ids) for e in endpoints]
        self.assertEqual(counts, [1, 1, 2])
        self.assertEqual((len(self.partner.requests), len(third.requests)), (2, 2))
        self.assertEqual(set(self.messages().mapped("state")), {"delivered"})

    def test_redirect_is_not_followed(self):
        """Scenario 7."""
        self.make_outbox(self.event_type)
        self.partner.answers = [(308, {"Location": self.partner.url + "/other"}, b"")]
        self.release()
        self.drain_until_quiet()
        self.assertEqual([request.path for request in self.partner.requests], ["/in"])
        self.assertRecordValues(
            self.messages().attempt_ids,
            [{"status": 308, "outcome": "failure", "error_class": "contract"}],
        )

    def test_timeout(self):
        """Scenario 8: recorded as timeout; the next attempt not before a minute."""
        self.make_outbox(
            self.event_type, policy={"deadline": 0.3, "connect_timeout": 0.2}
        )
        self.partner.answers = [1.0]
        self.release()
        ended = self.drain()
        attempt = self.messages().attempt_ids
        self.assertEqual((attempt.error_class, attempt.status), ("timeout", 0))
        self.assertGreater(ended.wake_in, 55)

    def test_answer_is_stored_safely_and_capped(self):
        """Scenarios 10 and 11: 10 MB that are no UTF-8."""
        self.make_outbox(self.event_type)
        self.partner.answers = [(422, {}, b"\xff\x00" * 5_000_000)]
        self.release()
        self.drain_until_quiet()
        attempt = self.messages().attempt_ids
        self.assertEqual(attempt.error_code, "http_422")
        self.env.cr.execute(
            "SELECT response FROM integration_attempt WHERE id = %s", attempt.ids
        )
        stored = bytes(self.env.cr.fetchone()[0])
        self.assertEqual(stored, (b"\xff\x00" * 10_000)[: len(stored)])
        self.assertLessEqual(len(stored), 20_000)

    def test_410_disables(self):
        """Scenario 13: with the reason, and what waits is held."""
        endpoint = self.make_outbox(self.event_type, policy={"concurrency": 1})
        self.partner.answers = [410]
        self.release(self.make_documents(5))
        self.drain_until_quiet()
        self.assertEqual(endpoint.state, "disabled")
        self.assertIn("410", endpoint.state_reason)
        self.assertTrue(self.audit_entries(endpoint, "state"))
        self.assertEqual(set(self.messages().mapped("state")), {"pending"})
        self.assertEqual(len(self.partner.requests), 1)
        case = self.env["integration.exception"].search(
            [("endpoint_id", "=", endpoint.id)]
        )
        self.assertEqual(case.category, "gone")
        endpoint._transition("active")
        self.drain_until_quiet()
        self.assertEqual(set(self.messages().mapped("state")), {"delivered"})
        self.assertEqual(case.state, "resolved")

    def test_id_and_bytes_stay_over_attempts(self):
        """Scenario 15: whatever happens to the record or the mapping meanwhile."""
        self.make_outbox(self.event_type)
        self.partner.answers = [503, 503]
        document = self.make_documents()
        document.action_release()
        self.commit_hooks()
        times = iter((1_800_000_000.0, 1_800_000_100.0, 1_800_000_200.0))
        for _attempt in range(3):
            with patch("time.time", return_value=next(times)):
                self.drain(max_seconds=20.0)
            self.time_passes()
            document.name = "renamed"
            self.messages().event_id.sudo().res_name = "renamed"
        first, *others = self.partner.requests
        self.assertEqual(len(others), 2)
        self.assertEqual({request.id for request in others}, {first.id})
        self.assertEqual({request.body for request in others}, {first.body})
        stamps = {
            request.headers["webhook-timestamp"] for request in self.partner.requests
        }
        self.assertEqual(len(stamps), 3)
        for request in self.partner.requests:
            now = int(request.headers["webhook-timestamp"])
            secret = signing.parse_secret(self.secret)
            signing.verify([secret], request.headers, request.body, now=now)

    def test_retry_after_holds_the_endpoint_for_later_drains_too(self):
        """Scenario 12."""
        self.make_outbox(self.event_type, policy={"concurrency": 1})
        self.partner.answers = [(429, {"Retry-After": "120"}, b"")]
        self.release()
        self.drain()
        self.release()
        ended = self.drain()
        self.assertEqual(len(self.partner.requests), 1)
        self.assertTrue(100 < ended.wake_in <= 120, ended)

    def test_breaker_is_remembered_by_the_next_drain(self):
        """Scenario 22: its refusals charge no attempt."""
        policy = {"retry_schedule": "1h", "concurrency": 1, "breaker_min_requests": 3}
        endpoint = self.make_outbox(self.event_type, policy=policy)
        self.partner.answers = [500] * 50
        self.release(self.make_documents(10))
        self.drain()
        self.assertEqual(len(self.partner.requests), 3)
        ended = self.drain()
        self.assertEqual(len(self.partner.requests), 3)
        self.assertTrue(20 < ended.wake_in <= 30, ended)
        self.assertEqual(endpoint.health_ids.breaker_state, "open")
        self.assertEqual(
            sorted(self.messages().mapped("attempt_count")), [0] * 7 + [1] * 3
        )


@tagged("post_install", "-at_install")
class TestBodies(DocumentCase):
    def make_active_mapping(self, expression, **vals):
        mapping = self.make_mapping(
            expression, event_type_id=self.event_type.id, **vals
        )
        mapping.state = "active"
        return mapping

    def test_mapping_makes_the_body(self):
        mapping = self.make_active_mapping('{"no": number}')
        self.make_outbox(self.event_type, subscription={"mapping_id": mapping.id})
        self.release()
        self.drain_until_quiet()
        self.assertEqual(self.partner.requests[0].json(), {"no": "D000"})
        self.assertRecordValues(
            self.messages(),
            [{"mapping_id": mapping.id, "mapping_version": mapping.version}],
        )

    def test_mapping_that_fails_on_one_event(self):
        """That message is dead with the reason, its neighbours are delivered."""
        mapping = self.make_active_mapping('{"no": $number(number)}')
        self.make_outbox(self.event_type, subscription={"mapping_id": mapping.id})
        good = self.make_documents(name="1") | self.make_documents(name="3")
        bad = self.make_documents(name="Jane Doe")
        self.release(good | bad)
        self.drain_until_quiet()
        for document in good:
            self.assertEqual(self.messages(res_id=document.id).state, "delivered")
        message = self.messages(res_id=bad.id)
        self.assertEqual((message.state, message.last_error_class), ("dead", "mapping"))
        self.assertTrue(message.last_error)
        self.assertNotIn("Jane", message.last_error)
        self.assertEqual(message.exception_id.category, "mapping")

    def test_deviation_from_the_schema_is_reported_and_sent(self):
        schema = {"type": "object", "properties": {"number": {"type": "integer"}}}
        self.event_type.schema_text = json.dumps(schema)
        self.make_outbox(self.event_type)
        self.release()
        self.drain_until_quiet()
        message = self.messages()
        self.assertEqual(message.state, "delivered")
        self.assertEqual(
            [error["path"] for error in message.schema_errors], ["/number"]
        )

    def test_event_without_payload_is_dead_until_it_can_be_built(self):
        self.make_outbox(self.event_type)
        document = self.make_documents(name="fail")
        with mute_logger("odoo.addons.healthcare_integration_base.engine.capture"):
            self.release(document)
        with mute_logger(
            "odoo.addons.healthcare_integration_base.models.integration_event"
        ):
            self.drain_until_quiet()
        message = self.messages()
        self.assertEqual(
            (message.state, message.last_error_code), ("dead", "event_without_data")
        )
        document.name = "D001"  # the cause is mended
        message.action_replay()
        self.drain_until_quiet()
        self.assertEqual(self.partner.requests[0].json()["data"]["number"], "D001")
        self.assertEqual(message.exception_id.state, "resolved")

    def test_personal_data_are_stored_as_ciphertext_only(self):
        self.event_type.sensitivity = "phi"
        self.make_outbox(self.event_type)
        self.partner.answers = [(422, {}, b"no patient Jane Doe here")]
        self.release(self.make_documents(name="Jane Doe"))
        self.drain_until_quiet()
        self.assertIn(b"Jane Doe", self.partner.requests[0].body)
        self.env.cr.execute("SELECT body FROM integration_payload")
        stored = [bytes(row[0]) for row in self.env.cr.fetchall()]
        self.env.cr.execute("SELECT response FROM integration_attempt")
        stored += [bytes(row[0]) for row in self.env.cr.fetchall()]
        self.assertEqual(len(stored), 2)
        self.assertFalse([token for token in stored if b"Jane" in token])
        self.assertEqual(self.messages()._body(), self.partner.requests[0].body)

    def test_secrets_are_in_no_attempt(self):
        endpoint = self.make_outbox(self.event_type)
        endpoint.credential_ids = [
            Command.link(self.make_credential("bearer", secret="t0psecret").id)
        ]
        self.release()
        self.drain_until_quiet()
        self.assertEqual(
            self.partner.requests[0].headers["authorization"], "Bearer t0psecret"
        )
        headers = self.messages().attempt_ids.request_headers
        self.assertEqual(
            (headers["Authorization"], headers["webhook-signature"]), ("***", "***")
        )
        self.assertEqual(headers["webhook-id"], self.messages().uid)
