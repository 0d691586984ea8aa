# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo.tests import tagged
from odoo.tools import file_open

from .common import MODULE, IntegrationCase


@tagged("post_install", "-at_install")
class TestNeutralize(IntegrationCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.draft, cls.active = cls.make_endpoint(), cls.make_endpoint(state="active")
        cls.paused = cls.make_endpoint(state="paused")
        cls.credential = cls.make_credential("signing_secret")
        cls.credential._rotate("whsec_" + "QUFB" * 10, 3)
        cls.client = cls.make_client()
        cls.key = cls.client._generate_key("key")
        cls.job = cls.make_job("integration.drain")
        cls.other_job = cls.make_job("res.partner")
        cls.env.flush_all()
        with file_open(f"{MODULE}/data/neutralize.sql") as file:
            cls.env.cr.execute(file.read())
        cls.env.invalidate_all()

    @classmethod
    def make_job(cls, model):
        cls.env.cr.execute(
            "INSERT INTO queue_job"
            " (uuid, name, state, model_name, method_name, channel, company_id)"
            " VALUES (gen_random_uuid(), 'job', 'pending', %s, 'x', 'root', %s) RETURNING id",
            [model, cls.env.company.id],
        )
        return cls.env["queue.job"].browse(cls.env.cr.fetchone()[0])

    def test_no_endpoint_runs(self):
        for endpoint in (self.active, self.paused):
            self.assertEqual(endpoint.state, "disabled")
            self.assertIn("Neutralized", endpoint.state_reason)
        self.assertEqual(self.draft.state, "draft")

    def test_no_client_gets_in(self):
        self.assertFalse(self.client.active)
        self.assertFalse(self.env["integration.client"]._authenticate_key(self.key))
        self.client.active = True
        self.assertFalse(self.env["integration.client"]._authenticate_key(self.key))

    def test_no_secret_is_left(self):
        self.assertFalse(self.credential.has_secret)
        self.assertFalse(self.credential.previous_ids)

    def test_our_waiting_jobs_are_cancelled_and_others_are_not(self):
        self.assertEqual(self.job.state, "cancelled")
        self.assertEqual(self.other_job.state, "pending")
