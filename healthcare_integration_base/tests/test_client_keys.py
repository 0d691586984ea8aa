# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from datetime import timedelta

from odoo import Command, fields
from odoo.exceptions import AccessError, ValidationError
from odoo.tests import tagged
from odoo.tools import mute_logger

from .common import IntegrationCase


@tagged("post_install", "-at_install")
class TestClientKeys(IntegrationCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.client = cls.make_client()
        cls.key = cls.client._generate_key("first")
        cls.Client = cls.env["integration.client"]

    def setUp(self):
        super().setUp()
        # the book of callers is read through a cursor of its own
        self.enterContext(self.enter_registry_test_mode())

    def record(self):
        return self.client.with_context(active_test=False).key_ids

    def test_the_key_authenticates_its_client(self):
        self.assertEqual(self.Client._authenticate_key(self.key), self.client)

    def test_only_a_hash_is_stored(self):
        self.env.flush_all()
        self.env.cr.execute("SELECT * FROM integration_client_key")
        self.assertNotIn(self.key, str(self.env.cr.fetchall()))
        self.assertNotIn(self.key.rpartition("_")[2], str(self.record().read()))

    def test_wrong_keys_authenticate_nobody(self):
        wrong = [
            self.key[:-1] + ("A" if self.key[-1] != "A" else "B"),
            self.key + "A",
            "hik_00000000_" + "A" * 43,
            "hik_",
            "",
            None,
            "Ω" * 60,
            self.key.upper(),
        ]
        for token in wrong:
            with self.subTest(token):
                self.assertFalse(self.Client._authenticate_key(token))

    def test_a_revoked_key_authenticates_nobody(self):
        self.record().action_revoke()
        self.assertFalse(self.Client._authenticate_key(self.key))

    def test_expiry_of_key_and_of_client_count(self):
        past = fields.Datetime.now() - timedelta(seconds=1)
        self.record().expires_at = past
        self.assertFalse(self.Client._authenticate_key(self.key))
        self.record().expires_at = False
        self.client.expires_at = past
        self.assertFalse(self.Client._authenticate_key(self.key))

    def test_archived_client_or_user_authenticates_nobody(self):
        self.client.active = False
        self.assertFalse(self.Client._authenticate_key(self.key))
        self.client.active = True
        self.client.user_id.active = False
        self.assertFalse(self.Client._authenticate_key(self.key))

    def test_two_keys_work_side_by_side(self):
        second = self.client._generate_key("second")
        self.assertEqual(self.Client._authenticate_key(self.key), self.client)
        self.assertEqual(self.Client._authenticate_key(second), self.client)

    def test_only_administrators_make_keys(self):
        operator = self.make_user("operator")
        with self.assertRaises(AccessError):
            self.client.with_user(operator)._generate_key("mine")
        administrator = self.make_user("administrator")
        self.assertTrue(self.client.with_user(administrator)._generate_key("theirs"))

    def test_making_a_key_is_audited_without_the_key(self):
        entry = self.audit_entries(self.client, "secret")
        self.assertEqual(len(entry), 1)
        self.assertNotIn(self.key, str(entry.read()))

    def test_administrators_cannot_plant_a_hash(self):
        administrator = self.make_user("administrator")
        with mute_logger("odoo.models"), self.assertRaises(AccessError):
            self.record().with_user(administrator).write({"key_hash": "0" * 64})

    def test_a_client_never_acts_as_the_system(self):
        with self.assertRaisesRegex(ValidationError, "never as the system"):
            self.make_client(user_id=self.env.ref("base.user_root").id)

    def test_the_user_needs_access_to_the_company(self):
        other = self.env["res.company"].create({"name": "Other Hospital"})
        system = self.make_system(company_id=other.id)
        with self.assertRaisesRegex(
            ValidationError, "no access to company Other Hospital"
        ):
            self.make_client(system_id=system.id, user_id=self.make_user().id)

    def test_signing_secrets_of_a_client_include_those_in_grace(self):
        credential = self.make_credential("signing_secret")
        self.client.credential_ids = [Command.set(credential.ids)]
        credential._rotate("whsec_" + "QUFB" * 10, grace_days=1)
        self.assertEqual(len(self.client._signing_secrets()), 2)

    def test_the_dialog_shows_a_key_once_and_keeps_it_nowhere(self):
        administrator = self.make_user("administrator")
        dialog = self.client.with_user(administrator).action_new_key()
        wizard = (
            self.env[dialog["res_model"]]
            .with_user(administrator)
            .with_context(**dialog["context"])
            .create({"name": "Warehouse system"})
        )
        shown = wizard.action_generate()
        reopened = self.env[shown["res_model"]].with_context(**shown["context"])
        key = reopened.default_get(["shown_key"])["shown_key"]
        client = self.env["integration.client"]._authenticate_key(key)
        self.assertEqual(client, self.client)
        self.assertFalse(wizard.read(["shown_key"])[0]["shown_key"])
        self.env.flush_all()
        self.env.cr.execute("SELECT * FROM integration_client_key_generate")
        self.assertNotIn(key, str(self.env.cr.fetchall()))

    def test_an_administrator_of_another_company_makes_no_key(self):
        company = self.env["res.company"].create({"name": "Another"})
        stranger = self.make_user("administrator", company=company)
        self.client.system_id.company_id = self.env.company
        values = {"client_id": self.client.id, "name": "stolen"}
        wizards = self.env["integration.client.key.generate"].with_user(stranger)
        with mute_logger("odoo.addons.base.models.ir_rule"):
            with self.assertRaises(AccessError):
                wizards.create(values).action_generate()

    def test_only_administrators_open_the_dialog(self):
        operator = self.make_user("operator")
        values = {"client_id": self.client.id, "name": "mine"}
        wizards = self.env["integration.client.key.generate"].with_user(operator)
        with self.assertRaises(AccessError):
            wizards.create(values)
