# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""A plain handler works on cases in a browser."""

from odoo import Command
from odoo.tests import HttpCase, tagged

from ..protocol.cause import Cause
from .common import IntegrationCase


@tagged("post_install", "-at_install")
class TestCaseTours(IntegrationCase, HttpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.user = cls.make_user("exception_handler", login="tour_handler")
        cls.partner = cls.env["res.partner"].create(
            {"name": "Tour Medical", "email": "orders@tour-medical.example"}
        )
        cls.endpoint = cls.make_endpoint(
            direction="in",
            system_id=cls.make_system(partner_id=cls.partner.id).id,
        )
        cls.env["integration.exception.queue"].search([]).active = False
        cls.queue = cls.env["integration.exception.queue"].create(
            {"name": "Tour queue", "member_ids": [Command.link(cls.user.id)]}
        )

    def raise_case(self, title):
        return self.env["integration.exception"]._raise_case(
            Cause(code="price_difference", key=title, title=title),
            endpoint=self.endpoint,
        )

    def test_case_is_found_by_its_queue_and_ignored_with_a_reason(self):
        case = self.raise_case("Price 5.10 against 4.80 on TOUR-1")
        self.start_tour(
            "/odoo/integration-queues", "integration_case_ignore", login="tour_handler"
        )
        self.assertRecordValues(
            case,
            [
                {
                    "state": "ignored",
                    "user_id": self.user.id,
                    "resolution": "They sent a test price",
                    "resolved_by_id": self.user.id,
                }
            ],
        )

    def test_case_is_disputed(self):
        case = self.raise_case("Price 5.20 against 4.80 on TOUR-2")
        self.start_tour(
            f"/odoo/integration-cases/{case.id}",
            "integration_case_dispute",
            login="tour_handler",
        )
        self.assertEqual((case.state, case.waiting_for), ("in_progress", "partner"))
        letter = case.message_ids.filtered(lambda one: self.partner in one.partner_ids)
        self.assertIn("The agreed price is 4.80", letter.body)
