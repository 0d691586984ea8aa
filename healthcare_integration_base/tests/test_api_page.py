# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""People read what partners can call."""

import json

from odoo.exceptions import AccessError, ValidationError
from odoo.tests import HttpCase, tagged

from .common import IntegrationCase


@tagged("post_install", "-at_install")
class TestApiPage(IntegrationCase, HttpCase):
    def test_a_viewer_searches_and_reads(self):
        self.make_user("viewer", login="tour_viewer")
        schema = {"properties": {"tour_number": {"type": "string"}}}
        self.make_event_type(
            code="tour.partner.changed", schema_text=json.dumps(schema)
        )
        self.start_tour(
            "/odoo/healthcare-integration-api",
            "integration_api_page",
            login="tour_viewer",
        )


@tagged("post_install", "-at_install")
class TestApiResourceSettings(IntegrationCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.resource = cls.env["integration.api.resource"].create({"name": "things"})

    def test_a_resource_does_not_go_before_it_is_deprecated(self):
        self.resource.write({"deprecated_on": "2026-01-01", "sunset_on": "2026-01-01"})
        with self.assertRaises(ValidationError):
            self.resource.sunset_on = "2025-12-31"

    def test_administrators_decide_and_viewers_look(self):
        administrator = self.make_user("administrator", login="api_administrator")
        viewer = self.make_user("viewer", login="api_page_viewer")
        self.resource.with_user(administrator).enabled = False
        self.assertFalse(self.resource.with_user(viewer).enabled)
        with self.assertRaises(AccessError):
            self.resource.with_user(viewer).enabled = True
        with self.assertRaises(AccessError):
            self.resource.with_user(administrator).unlink()

    def test_a_decision_is_audited(self):
        self.resource.enabled = False
        self.assertTrue(self.audit_entries(self.resource))

    def test_listing_again_keeps_what_was_decided(self):
        self.resource.enabled = False
        self.env["integration.api.resource"]._sync()
        self.assertFalse(self.resource.enabled)
        self.assertEqual(self.resource.title, "No longer there")

    def test_a_schema_that_cannot_be_read_leaves_the_rest_described(self):
        broken = self.make_event_type(code="tour.broken.type")
        self.env.cr.execute(
            "UPDATE integration_event_type SET schema_path = 'nowhere/x.json',"
            " schema_text = NULL WHERE id = %s",
            (broken.id,),
        )
        self.env.invalidate_all()
        self.env.registry.clear_cache()
        logger = "odoo.addons.healthcare_integration_base.models.integration_api"
        with self.assertLogs(logger, "ERROR"):
            document = self.env["integration.api"]._openapi()
        self.assertTrue(
            "event.tour.broken.type.v1" in document["components"]["schemas"]
        )
