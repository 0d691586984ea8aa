# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""What an administrator enters wrong in a client's form is named."""

import json

import psycopg2

from odoo import Command
from odoo.exceptions import AccessError, ValidationError
from odoo.tests import tagged
from odoo.tools import mute_logger

from .common import IntegrationCase


@tagged("post_install", "-at_install")
class TestClientFormErrors(IntegrationCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.client = cls.make_client()

    def assert_refused(self, message, **values):
        with self.assertRaisesRegex(ValidationError, message):
            self.client.write(values)

    def test_networks(self):
        self.assert_refused("'10.0.0.0/33'", allowed_networks="::1\n10.0.0.0/33")
        self.client.allowed_networks = "10.0.0.0/8, 2001:db8::/48\n192.0.2.1"

    def test_rates(self):
        self.assert_refused("not be negative", rate_limit=-1)
        self.assert_refused("burst", rate_limit=5, rate_burst=0)
        self.client.write({"rate_limit": 0, "rate_burst": 0})

    def test_public_keys(self):
        self.assert_refused("no JSON", jwks="{")
        self.assert_refused("secret", jwks=json.dumps({"kty": "oct", "k": "AAAA"}))

    def test_scopes(self):
        event_type = self.make_event_type()
        row = self.client.scope_ids.filtered(lambda own: own.scope == "schemas:read")
        with self.assertRaisesRegex(ValidationError, "schemas:read"):
            row.event_type_ids = [Command.set(event_type.ids)]
        with self.assertRaises(psycopg2.IntegrityError), mute_logger("odoo.sql_db"):
            row.copy()

    def test_an_event_type_a_scope_is_narrowed_to_is_not_deleted(self):
        event_type = self.make_event_type()
        row = self.client.scope_ids.filtered(lambda own: own.scope == "events:write")
        row.event_type_ids = [Command.set(event_type.ids)]
        self.env.flush_all()
        with self.assertRaises(psycopg2.IntegrityError), mute_logger("odoo.sql_db"):
            event_type.unlink()
            self.env.flush_all()

    def test_certificates(self):
        values = {"client_id": self.client.id, "name": "x"}
        Certificate = self.env["integration.client.certificate"]
        for value in ("ab" * 20, "no certificate", "-----BEGIN CERTIFICATE-----\nx"):
            with self.assertRaises(ValidationError):
                Certificate.create({**values, "value": value})
        pin = Certificate.create({**values, "value": ":".join(["C7"] * 32)})
        self.assertEqual(pin.value, "c7" * 32)
        with self.assertRaises(psycopg2.IntegrityError), mute_logger("odoo.sql_db"):
            Certificate.create({**values, "value": "c7" * 32})

    def test_defaults_let_a_client_exchange_messages_and_read_no_data(self):
        scopes = self.client.scope_ids.mapped("scope")
        self.assertIn("messages:write", scopes)
        self.assertFalse([s for s in scopes if s.startswith(("*", "validations"))])
        self.assertEqual(self.client.record_scope, "company")
        partner = self.env["res.partner"].create({"name": "Medline"})
        system = self.make_system(partner_id=partner.id)
        own = self.make_client(system_id=system.id)
        self.assertEqual(own.record_scope, "partner")
        own.system_id = self.make_system()
        self.assertEqual(own.record_scope, "partner")

    def test_each_client_has_an_oauth_id_of_its_own(self):
        other = self.client.copy({"name": "Copy"})
        self.assertRegex(other.oauth_id, r"^hic_[0-9a-f]{16}$")
        self.assertNotEqual(other.oauth_id, self.client.oauth_id)

    def test_changes_of_scopes_and_networks_are_audited(self):
        self.client.allowed_networks = "10.0.0.0/8"
        entry = self.audit_entries(self.client, "configuration")[-1]
        self.assertIn("10.0.0.0/8", entry.detail)
        row = self.client.scope_ids[0]
        row.scope = "*:read"
        self.assertIn("*:read", self.audit_entries(row)[-1].detail)

    def test_only_administrators_change_scopes(self):
        operator = self.make_user("operator")
        with self.assertRaises(AccessError):
            self.client.scope_ids.with_user(operator).unlink()

    def test_nobody_gives_a_client_rights_that_he_does_not_have(self):
        administrator = self.make_user("administrator")
        rich, plain = self.make_user(), self.make_user()
        rich.group_ids = [Command.link(self.env.ref("base.group_system").id)]
        client = self.client.with_user(administrator)
        with self.assertRaisesRegex(ValidationError, "rights that you don't have"):
            client.user_id = rich
        client.user_id = plain
        company = self.env["res.company"].create({"name": "Elsewhere"})
        with self.assertRaises(ValidationError):
            client.user_id = self.make_user(company=company)
        administrator.group_ids = [
            Command.link(self.env.ref("base.group_erp_manager").id)
        ]
        client.user_id = rich
        self.assertEqual(self.client.user_id, rich)

    def test_it_acts_as_its_user_in_its_company(self):
        env = self.client._acting_env(self.env, extra=1)
        self.assertEqual((env.user, env.su), (self.client.user_id, False))
        self.assertEqual(env.companies, self.client._company())
        self.assertEqual(env.context["integration_origin"], self.client.system_id.id)
        self.assertEqual(env.context["extra"], 1)
