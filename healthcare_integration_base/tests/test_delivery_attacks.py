# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Ways to stop the lane, to leak, to send twice: each closed."""

from datetime import timedelta
from unittest.mock import patch

import psycopg2

from odoo import Command, fields
from odoo.exceptions import AccessError, ValidationError
from odoo.tests import tagged
from odoo.tools import mute_logger

from ..engine import letter
from ..protocol import signing
from .delivery_case import DOCUMENT, DocumentCase

CAPTURE_LOG = "odoo.addons.healthcare_integration_base.engine.capture"
EVENT_LOG = "odoo.addons.healthcare_integration_base.models.integration_event"


@tagged("post_install", "-at_install")
class TestPoison(DocumentCase):
    """One bad thing never stops its neighbours."""

    def test_payload_that_breaks_the_transaction_when_it_is_built_again(self):
        self.make_outbox(self.event_type)
        bad, good = self.make_documents(name="sql"), self.make_documents(name="fine")
        with mute_logger(CAPTURE_LOG):
            self.release(bad | good)
        with mute_logger(EVENT_LOG):
            self.drain_until_quiet()
        self.assertEqual(self.messages(res_id=good.id).state, "delivered")
        message = self.messages(res_id=bad.id)
        self.assertEqual(
            (message.state, message.last_error_code), ("dead", "event_without_data")
        )

    def test_filter_that_fails_is_nobody_elses_trouble(self):
        failing = self.make_outbox(
            self.event_type, subscription={"domain": "[('name', '>', 5)]"}
        )
        fine = self.make_outbox(self.event_type)
        with self.assertLogs(CAPTURE_LOG, "ERROR") as logs:
            self.release()
        self.assertIn(f"subscription {failing.subscription_ids.id}", logs.output[0])
        event = self.messages().event_id
        self.assertEqual(event.error, "filter_failed")
        self.drain_until_quiet()
        by_endpoint = {m.endpoint_id: m for m in self.messages()}
        self.assertEqual(by_endpoint[fine].state, "delivered")
        message = by_endpoint[failing]
        self.assertEqual(
            (message.state, message.last_error_code), ("dead", "filter_failed")
        )
        self.assertTrue(
            message.exception_id, "a broken filter is a case, not a silence"
        )

    def test_mended_filter_lets_the_replay_through(self):
        outbox = self.make_outbox(
            self.event_type, subscription={"domain": "[('name', '>', 5)]"}
        )
        with mute_logger(CAPTURE_LOG):
            self.release()
        self.drain_until_quiet()
        dead = self.messages()
        outbox.subscription_ids.domain = "[('name', '!=', False)]"
        dead.action_replay()
        self.drain_until_quiet()
        self.assertEqual((self.messages() - dead).state, "delivered")

    def test_failed_payload_goes_to_nobody_whose_filter_excludes_it(self):
        self.make_outbox(
            self.event_type, subscription={"domain": "[('amount', '>', 100)]"}
        )
        wants = self.make_outbox(self.event_type)
        with mute_logger(CAPTURE_LOG):
            self.release(self.make_documents(name="fail"))
        self.assertEqual(self.messages().endpoint_id, wants)

    def test_filter_that_was_not_judged_is_judged_before_sending(self):
        domain = {"domain": "[('amount', '>', 100)]"}
        self.make_outbox(self.event_type, subscription=domain)
        broken = patch(
            "odoo.addons.healthcare_integration_base.engine.capture.judge",
            side_effect=psycopg2.errors.UndefinedColumn,
        )
        small, big = self.make_documents(), self.make_documents(amount=500)
        with broken, mute_logger(CAPTURE_LOG):
            self.release(small | big)
        self.assertEqual(
            set(self.messages().event_id.mapped("error")), {"payload_failed"}
        )
        self.drain_until_quiet()
        self.assertEqual(self.messages(res_id=small.id).state, "filtered")
        self.assertTrue(self.messages(res_id=small.id).filter_reason)
        self.assertEqual(self.messages(res_id=big.id).state, "delivered")
        self.assertEqual(len(self.partner.requests), 1)

    def test_slow_mappings_do_not_keep_the_drain(self):
        """What there was no time for is given back, and sent by the next claim."""
        self.make_outbox(self.event_type)
        document = self.make_documents()
        for name in "abcde":
            document.name = name
            self.release(document)
        self.release(self.make_documents(5))
        with patch.object(letter, "BUDGET", -1.0):
            self.drain_until_quiet()
        self.assertEqual(set(self.messages().mapped("state")), {"delivered"})
        self.assertEqual(len(self.partner.requests), 10)
        own = [
            r
            for r in self.partner.requests
            if r.json()["subject"].endswith(f"/{document.id}")
        ]
        self.assertEqual(
            [request.json()["data"]["number"] for request in own], list("abcde")
        )

    def test_message_that_stops_the_server_again_and_again_is_given_up(self):
        self.make_outbox(self.event_type)
        self.release()
        for _crash in range(letter.MOST_UNKNOWN):
            self.env.cr.execute(
                "UPDATE integration_queue_entry SET claim = 'gone', due_at = NULL"
            )
            self.drain_of_a_dead_process()
        self.drain_until_quiet()
        message = self.messages()
        self.assertEqual(
            (message.state, message.last_error_code), ("dead", "stops_the_server")
        )
        self.assertFalse(self.partner.requests)
        message.action_retry()  # a person may try all the same
        self.drain_until_quiet()
        self.assertEqual(message.state, "delivered")

    def drain_of_a_dead_process(self):
        """Own the endpoint, which frees what the one before had claimed, and no more."""
        from ..engine.store import DrainStore

        self.env.flush_all()
        store = DrainStore(self.env, "out")
        store.own(self.messages().endpoint_id.ids)
        store.close()
        self.env.invalidate_all()


@tagged("post_install", "-at_install")
class TestLeaks(DocumentCase):
    def sent_headers(self, *credentials, answer=200):
        """Send a message with credentials; return request and attempt."""
        endpoint = self.make_outbox(self.event_type)
        endpoint.credential_ids = [Command.set([one.id for one in credentials])]
        self.partner.answers = [answer]
        self.release()
        self.drain()
        return self.partner.requests[-1], self.messages().attempt_ids

    def test_secret_in_a_header_with_a_harmless_name(self):
        secret = "Zx81-secret-value"
        credential = self.make_credential(
            "header", header_name="X-Supplier-Code", secret=secret
        )
        echo = (422, {"X-Echo": f"got {secret}"}, f"you sent {secret}".encode())
        request, attempt = self.sent_headers(credential, answer=echo)
        self.assertEqual(request.headers["x-supplier-code"], secret)
        self.env.cr.execute(
            "SELECT * FROM integration_attempt WHERE id = %s", attempt.ids
        )
        row = self.env.cr.dictfetchone()
        self.assertNotIn(secret, str({k: v for k, v in row.items() if k != "response"}))
        self.assertNotIn(secret.encode(), bytes(row["response"]))
        self.assertEqual(row["request_headers"]["X-Supplier-Code"], "***")
        self.assertIn("webhook-id", row["request_headers"])

    def test_tokens_in_the_address_of_a_redirect(self):
        answer = (302, {"Location": "https://login.example/x?token=abc"}, b"")
        _request, attempt = self.sent_headers(answer=answer)
        self.assertEqual(
            attempt.response_headers["Location"], "https://login.example/x"
        )

    def test_filter_on_a_field_nobody_may_read(self):
        """Filters run as superuser: what is sent would tell the field's value."""
        administrator = self.make_user("administrator")
        model = self.env["ir.model"]._get("integration.endpoint")
        event_type = self.make_event_type(model_id=model.id)
        subscription = self.make_subscription(self.make_endpoint(), event_type)
        for domain in (
            "[('credential_ids.secret_token', '!=', False)]",
            "['|', ('name', '=', 'x'), ('credential_ids', 'any', [('secret_token', '!=', 0)])]",
        ):
            with (
                self.subTest(domain),
                self.assertRaisesRegex(ValidationError, "secret_token"),
            ):
                subscription.with_user(administrator).domain = domain
        subscription.with_user(administrator).domain = "[('system_id.code', '=', 'x')]"

    def test_deleting_a_company_does_not_show_its_traffic_to_others(self):
        """Rows without a company are everybody's: the company must stay."""
        self.env.cr.execute(
            "SELECT conrelid::regclass::text, confdeltype FROM pg_constraint"
            " WHERE confrelid = 'res_company'::regclass AND conrelid = ANY(%s::regclass[])",
            [["integration_event", "integration_message", "integration_exception"]],
        )
        actions = dict(self.env.cr.fetchall())
        self.assertEqual(set(actions.values()), {"r"}, actions)
        self.assertEqual(len(actions), 3)

    def test_cases_are_closed_by_buttons_only(self):
        handler = self.make_user("exception_handler")
        self.make_outbox(self.event_type)
        self.partner.answers = [422]
        self.release()
        self.drain()
        case = self.messages().exception_id.with_user(handler)
        for vals in ({"state": "resolved"}, {"company_id": False}, {"detail": "x"}):
            with self.subTest(vals), self.assertRaises(AccessError):
                case.write(vals)
        case.write({"user_id": handler.id, "deadline": fields.Datetime.now()})
        case.message_post(body="looking into it")
        case.activity_schedule("mail.mail_activity_data_todo", user_id=handler.id)


@tagged("post_install", "-at_install")
class TestCredentialsInTime(DocumentCase):
    def test_credential_with_an_expiry_and_a_rotated_secret(self):
        endpoint = self.make_outbox(self.event_type)
        later = fields.Datetime.now() + timedelta(days=30)
        bearer = self.make_credential("bearer", expires_at=later)
        endpoint.credential_ids = [Command.link(bearer.id)]
        secret = signing.generate_secret()
        endpoint.credential_ids.filtered(lambda c: c.kind == "signing_secret")._rotate(
            secret, 7
        )
        self.release()
        self.drain_until_quiet()
        self.assertEqual(self.messages().state, "delivered")
        request = self.partner.requests[0]
        now = int(request.headers["webhook-timestamp"])
        for text in (self.secret, secret):
            signing.verify(
                [signing.parse_secret(text)], request.headers, request.body, now=now
            )

    def test_expired_credential_holds(self):
        endpoint = self.make_outbox(self.event_type)
        earlier = fields.Datetime.now() - timedelta(days=1)
        expired = self.make_credential("bearer", expires_at=earlier)
        endpoint.credential_ids = [Command.link(expired.id)]
        self.release()
        self.drain()
        message = self.messages()
        self.assertEqual(
            (message.state, message.last_error_class), ("pending", "configuration")
        )
        self.assertFalse(self.partner.requests)


@tagged("post_install", "-at_install")
class TestRetention(DocumentCase):
    def test_traffic_is_forgotten_when_its_time_is_over(self):
        self.make_outbox(self.event_type)
        self.event_type.retention_days = 30
        self.partner.answers = [200, 422]
        old, dead, young = self.make_documents(3)
        for document in (old, dead, young):
            self.release(document)
            self.drain_until_quiet()
        self.age(old | dead, 31)
        self.env["integration.event"]._gc_traffic()
        self.assertEqual(self.messages().mapped("res_id"), [dead.id, young.id])
        self.assertEqual(self.env["integration.event"].search_count([]), 2)
        self.messages(res_id=dead.id).exception_id.action_ignore("settled by phone")
        # it is finished from now on
        self.age(dead, 31)
        self.env["integration.event"]._gc_traffic()
        self.assertEqual(self.messages().mapped("res_id"), [young.id])
        self.env.cr.execute("SELECT count(*) FROM integration_payload")
        self.assertEqual(self.env.cr.fetchone(), (1,))

    def test_zero_days_keep_for_ever(self):
        self.make_outbox(self.event_type)
        self.event_type.retention_days = 0
        document = self.release()
        self.drain_until_quiet()
        self.age(document, 10_000)
        self.env["integration.event"]._gc_traffic()
        self.assertEqual(len(self.messages()), 1)

    def age(self, documents, days):
        self.env.flush_all()
        for table, column in (
            ("integration_message", "finished_at"),
            ("integration_event", "occurred_at"),
        ):
            self.env.cr.execute(
                f"UPDATE {table} SET {column} = {column} - %s * interval '1 day'"
                " WHERE res_model = %s AND res_id = ANY(%s)",
                [days, DOCUMENT, documents.ids],
            )
        self.env.invalidate_all()
