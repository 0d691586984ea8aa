# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from unittest.mock import patch

from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged
from odoo.tools import mute_logger

from ..engine import render
from ..models.integration_endpoint import TRANSITIONS
from .common import IntegrationCase

BUTTONS = {
    "draft": "action_draft",
    "test": "action_test",
    "shadow": "action_shadow",
    "active": "action_activate",
    "paused": "action_pause",
    "disabled": "action_disable",
}


@tagged("post_install", "-at_install")
class TestEndpointStates(IntegrationCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.administrator = cls.make_user("administrator")
        cls.operator = cls.make_user("operator")
        cls.viewer = cls.make_user("viewer")

    def setUp(self):
        super().setUp()
        self.woken = []
        self.startPatcher(
            patch.object(
                type(self.env["integration.drain"]),
                "_wake",
                lambda model, lanes: self.woken.append(set(lanes)),
                create=True,
            )
        )

    def test_each_button_follows_the_table_of_transitions(self):
        for before, allowed in TRANSITIONS.items():
            for after, button in BUTTONS.items():
                endpoint = self.make_endpoint(state=before).with_user(
                    self.administrator
                )
                with self.subTest(before=before, after=after):
                    if after in allowed:
                        getattr(endpoint, button)()
                        self.assertEqual(endpoint.state, after)
                    else:
                        with self.assertRaisesRegex(UserError, "cannot become"):
                            getattr(endpoint, button)()

    def test_operators_pause_and_resume_and_nothing_else(self):
        endpoint = self.make_endpoint(state="active").with_user(self.operator)
        endpoint.action_pause("partner's maintenance")
        self.assertEqual(
            (endpoint.state, endpoint.state_reason), ("paused", "partner's maintenance")
        )
        endpoint.action_resume()
        self.assertEqual((endpoint.state, endpoint.state_reason), ("active", False))
        for state, button in BUTTONS.items():
            if state != "paused":
                with (
                    self.subTest(button),
                    self.assertRaisesRegex(AccessError, "Administrator"),
                ):
                    getattr(endpoint, button)()

    def test_resume_is_for_paused_endpoints_only(self):
        with self.assertRaisesRegex(UserError, "Only a paused endpoint"):
            self.make_endpoint(state="disabled").with_user(
                self.operator
            ).action_resume()

    def test_viewers_have_no_button(self):
        endpoint = self.make_endpoint(state="active").with_user(self.viewer)
        for button in (*BUTTONS.values(), "action_resume", "action_send_test"):
            with self.subTest(button), self.assertRaises(AccessError):
                getattr(endpoint, button)()

    def test_the_state_cannot_be_written_past_the_buttons(self):
        endpoint = self.make_endpoint().with_user(self.administrator)
        for context in ({}, {"integration_transition": True}):
            with self.assertRaisesRegex(AccessError, "by its buttons only"):
                endpoint.with_context(**context).write({"state": "active"})
        with self.assertRaisesRegex(AccessError, "by its buttons only"):
            self.env["integration.endpoint"].with_user(self.administrator).create(
                {
                    "name": "x",
                    "code": "x-forged",
                    "system_id": endpoint.system_id.id,
                    "state": "active",
                }
            )

    def test_a_change_of_state_is_audited_with_its_reason(self):
        endpoint = self.make_endpoint(state="active")
        endpoint.with_user(self.operator).action_pause("maintenance")
        entry = self.audit_entries(endpoint, "state")
        self.assertEqual(entry.reason, "maintenance")
        self.assertEqual(entry.user_id, self.operator.id)
        self.assertIn('["active", "paused"]', entry.detail)

    def test_what_may_run_again_is_woken(self):
        endpoint = self.make_endpoint(state="paused", lane="finance")
        endpoint.with_user(self.operator).action_resume()
        self.assertEqual(self.woken, [{"finance"}])
        endpoint.with_user(self.operator).action_pause()
        self.assertEqual(len(self.woken), 1)

    def test_only_active_endpoints_of_this_environment_run(self):
        endpoint = self.make_endpoint(state="active")
        self.assertTrue(endpoint.runnable)
        self.use_settings(environment="production")
        self.assertFalse(endpoint._integration_runnable())
        self.use_settings(
            environment=None
        )  # production is what is not configured otherwise
        self.assertFalse(endpoint._integration_runnable())

    def test_archived_and_waiting_endpoints_do_not_run(self):
        for state in set(BUTTONS) - {"active"}:
            self.assertFalse(self.make_endpoint(state=state)._integration_runnable())
        self.assertFalse(
            self.make_endpoint(state="active", active=False)._integration_runnable()
        )

    def test_send_test_needs_an_outgoing_endpoint_that_may_send(self):
        for vals in (
            {"state": "draft"},
            {"state": "shadow"},
            {"direction": "in", "state": "active"},
        ):
            endpoint = self.make_endpoint(**vals).with_user(self.operator)
            with (
                self.subTest(vals),
                self.assertRaisesRegex(UserError, "outgoing endpoint in state"),
            ):
                endpoint.action_send_test()

    def test_copies_start_as_drafts_with_another_code(self):
        endpoint = self.make_endpoint(state="active")
        with mute_logger("odoo.sql_db"):
            copy = endpoint.copy({"code": "another-code"})
        self.assertEqual(copy.state, "draft")

    def test_a_test_message_is_an_event_like_every_other(self):
        for state in ("test", "active"):
            endpoint = self.make_endpoint(state=state).with_user(self.operator)
            action = endpoint.action_send_test()
            message = self.env["integration.message"].browse(action["res_id"])
            with self.subTest(state):
                self.assertEqual(message.endpoint_id, endpoint)
                self.assertEqual(message.state, "pending")
                self.assertEqual(
                    message.event_type_id.code, "integration.endpoint.tested"
                )
                made = render.render(
                    render.event_values(message.event_id),
                    self.env["integration.mapping"],
                    endpoint,
                )
                self.assertEqual(made.schema_errors, [])
                self.assertIn(endpoint.code.encode(), made.body)
                self.assertIn({"out"}, self.woken)
