# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""What people do most, done by a browser."""

from odoo.tests import HttpCase, tagged

from ..engine import payload
from .common import IntegrationCase


@tagged("post_install", "-at_install")
class TestTours(IntegrationCase, HttpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.user = cls.make_user(
            "administrator", "payload_reader", "approver", login="tour_administrator"
        )
        cls.system = cls.make_system(name="Tour network", code="tour-network")
        cls.event_type = cls.make_event_type(code="tour.partner.changed")

    def test_endpoint_and_subscription_are_created(self):
        self.make_endpoint(system_id=self.system.id)

        self.start_tour(
            "/odoo/healthcare-integration",
            "integration_create_endpoint_and_subscription",
            login="tour_administrator",
        )

        endpoint = self.env["integration.endpoint"].search(
            [("code", "=", "tour-orders")]
        )
        self.assertEqual(endpoint.system_id, self.system)
        self.assertEqual(endpoint.subscription_ids.event_type_ids, self.event_type)

    def test_mapping_is_previewed(self):
        mapping = self.make_mapping('{"sku": number}', event_type_id=self.event_type.id)
        event = self.make_event(self.event_type, {"number": "TOUR-7"})

        self.start_tour(
            f"/odoo/integration-mappings/{mapping.id}",
            "integration_preview_mapping",
            login="tour_administrator",
        )

        self.assertEqual(len(self.audit_entries(event, "payload_view")), 1)

    def test_dead_message_is_replayed(self):
        message = self.make_dead_message()

        self.start_tour(
            "/odoo/healthcare-integration",
            "integration_replay_dead_message",
            login="tour_administrator",
        )

        replay = self.env["integration.message"].search(
            [("replay_of_id", "=", message.id)]
        )
        self.assertEqual(replay.state, "pending")
        self.assertEqual(replay.event_id, message.event_id)
        self.assertTrue(message.superseded)
        self.assertEqual(
            self.audit_entries(message, "payload_view").reason,
            "Looking into the rejection",
        )

    def make_dead_message(self):
        endpoint = self.make_endpoint(system_id=self.system.id)
        endpoint.action_activate()
        event = self.make_event(
            self.event_type, {"number": "TOUR-7"}, res_name="Tour document"
        )
        message = self.env["integration.message"].create(
            {
                "uid": "01890a5d-ac96-774b-bcce-b302099a8057",
                "direction": "out",
                "endpoint_id": endpoint.id,
                "event_id": event.id,
                "event_type_id": self.event_type.id,
                "state": "dead",
                "attempt_count": 1,
                "res_name": "Tour document",
                "last_error_class": "rejected",
                "last_error_code": "http_422",
                "last_error": "The partner rejected the message (HTTP 422)",
            }
        )
        message.flush_recordset()
        payload.store(
            self.env.cr, [{"message_id": message.id, "body": b'{"number":"TOUR-7"}'}]
        )
        return message
