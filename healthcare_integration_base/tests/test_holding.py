# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""What holds messages back: states, environments, a node that lacks a setting."""

import json
from unittest.mock import patch

from odoo.tests import tagged

from ..protocol.errors import Configuration
from ..transports.http import HttpClient
from .delivery_case import DocumentCase


@tagged("post_install", "-at_install")
class TestHolds(DocumentCase):
    def assert_held(self):
        self.drain()
        self.assertEqual(self.messages().mapped("state"), ["pending"])
        self.assertEqual(self.messages().mapped("attempt_count"), [0])
        self.assertFalse(self.partner.requests)

    def assert_goes_out(self):
        self.time_passes(70)
        self.drain_until_quiet()
        self.assertEqual(self.messages().mapped("state"), ["delivered"])

    def test_paused(self):
        endpoint = self.make_outbox(self.event_type)
        endpoint.action_pause("maintenance")
        self.release()
        self.assert_held()
        endpoint.action_resume()
        self.commit_hooks().assert_jobs_count(1)
        self.assert_goes_out()

    def test_test_endpoint_sends_on_demand_only(self):
        self.make_outbox(self.event_type, state="test")
        self.release()
        self.assert_held()

    def test_foreign_environment(self):
        """A copy of a production database sends nothing to production's partners."""
        self.make_outbox(self.event_type)
        self.release()
        self.use_settings(environment="staging")
        self.assert_held()
        self.use_settings(environment="test")
        self.assert_goes_out()

    def test_shadow_renders_and_sends_nothing(self):
        self.make_outbox(self.event_type, state="shadow")
        self.release()
        self.drain_until_quiet()
        message = self.messages()
        self.assertEqual(message.state, "shadow")
        self.assertFalse(message.attempt_ids or self.partner.requests)
        self.assertEqual(json.loads(message._body())["data"]["number"], "D000")
        self.assertFalse(self.entries())

    def test_missing_key_ring(self):
        """Clear error, no attempt charged, nothing lost."""
        self.make_outbox(self.event_type)
        self.release()
        self.use_settings(encryption_key=None)
        self.assert_held()
        message = self.messages()
        self.assertEqual(message.last_error_class, "configuration")
        self.assertIn("encryption key", message.last_error)
        case = message.exception_id
        self.assertEqual((case.category, case.state), ("configuration", "open"))
        self.use_settings()
        self.assert_goes_out()
        self.assertEqual(case.state, "resolved")

    def test_request_that_cannot_be_signed_is_held(self):
        self.make_outbox(self.event_type)
        self.release()
        failing = patch.object(
            HttpClient, "send", side_effect=Configuration("no", code="x")
        )
        with failing:
            self.assert_held()
        self.assert_goes_out()

    def test_refused_address_is_a_contract_failure(self):
        """The guard judges the very address, whatever the form said when it was saved."""
        self.make_outbox(self.event_type)
        self.release()
        self.use_settings(allowed_networks=None)
        self.drain_until_quiet()
        message = self.messages()
        self.assertEqual(
            (message.state, message.last_error_class), ("dead", "contract")
        )
        self.assertFalse(self.partner.requests)
