# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Reading the body of a message: who may, why, and what is left in the audit trail."""

from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from .. import runtime
from ..engine import payload
from ..protocol import ids
from .common import IntegrationCase

BODY = b'{"number":"P00012"}'
ANSWER = b'{"error":"unknown_number"}'


@tagged("post_install", "-at_install")
class TestPayloadView(IntegrationCase):
    def make_message(self, sensitivity="internal", answer=ANSWER):
        event_type = self.make_event_type(sensitivity=sensitivity)
        message = self.env["integration.message"].create(
            {
                "uid": ids.uuid7(),
                "direction": "out",
                "endpoint_id": self.make_endpoint().id,
                "event_type_id": event_type.id,
                "state": "dead",
                "content_type": "application/json",
            }
        )
        phi = sensitivity == "phi"
        message.flush_recordset()
        payload.store(
            self.env.cr, [{"message_id": message.id, "body": BODY, "phi": phi}]
        )
        if phi:
            answer = runtime.keyring().encrypt(answer, payload.response_aad(message.id))
        self.env["integration.attempt"].create(
            {
                "message_id": message.id,
                "number": 1,
                "started_at": "2026-11-20 12:00:00",
                "outcome": "failure",
                "status": 422,
                "response_headers": {"Content-Type": "application/problem+json"},
                "response": answer,
            }
        )
        return message

    def view(self, message, reason="The partner asks", groups=("payload_reader",)):
        return message.with_user(self.make_user(*groups)).view_payload(reason)

    def test_body_and_answers_are_shown(self):
        body, answer = self.view(self.make_message())

        self.assertEqual(body["text"], BODY.decode())
        self.assertEqual(body["content_type"], "application/json")
        self.assertEqual(answer["text"], ANSWER.decode())
        self.assertEqual(answer["content_type"], "application/problem+json")
        self.assertEqual(answer["size"], len(ANSWER))

    def test_protected_content_is_decrypted_for_the_reader_only(self):
        message = self.make_message("phi")

        self.env.cr.execute(
            "SELECT response FROM integration_attempt WHERE message_id = %s",
            [message.id],
        )
        self.assertNotIn(b"unknown_number", bytes(self.env.cr.fetchone()[0]))
        body, answer = self.view(message)
        self.assertEqual(body["text"], BODY.decode())
        self.assertEqual(answer["text"], ANSWER.decode())

    def test_view_leaves_one_audit_entry_with_its_reason(self):
        message = self.make_message()

        self.view(message, " Ticket 4711 ")

        entry = self.audit_entries(message, "payload_view")
        self.assertEqual(entry.mapped("reason"), ["Ticket 4711"])

    def test_view_without_reason_is_refused(self):
        for reason in ("", "   ", None):
            with self.subTest(reason=reason), self.assertRaises(UserError):
                self.view(self.make_message(), reason)

    def test_only_payload_readers_see_content(self):
        message = self.make_message()
        for group in (
            "viewer",
            "operator",
            "administrator",
            "auditor",
            "exception_handler",
        ):
            with self.subTest(group=group), self.assertRaises(AccessError):
                self.view(message, groups=(group,))
        self.assertFalse(self.audit_entries(message, "payload_view"))

    def test_missing_key_is_told_without_content(self):
        message = self.make_message("phi")
        self.use_settings(encryption_key=None)

        with self.assertRaises(UserError) as caught:
            self.view(message)

        self.assertNotIn("P00012", str(caught.exception))
