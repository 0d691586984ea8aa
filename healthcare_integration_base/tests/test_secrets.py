# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from datetime import timedelta

from odoo import fields
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import tagged
from odoo.tools import mute_logger

from .. import runtime
from ..protocol import keyring, signing
from ..protocol.errors import Configuration, IntegrationError
from ..transports import auth
from .common import IntegrationCase


@tagged("post_install", "-at_install")
class TestSecrets(IntegrationCase):
    def stored(self, credential):
        self.env.flush_all()
        self.env.cr.execute(
            "SELECT secret_token FROM integration_credential WHERE id = %s",
            [credential.id],
        )
        return bytes(self.env.cr.fetchone()[0] or b"")

    def test_the_database_holds_ciphertext_only(self):
        credential = self.make_credential(secret="very-private-token")
        token = self.stored(credential)
        self.assertTrue(token.startswith(b"hik1."))
        self.assertNotIn(b"very-private-token", token)
        self.assertEqual(credential._secret(), b"very-private-token")
        self.assertEqual(credential.secret_key_id, runtime.keyring().primary_id)

    def test_a_secret_is_never_read_back(self):
        credential = self.make_credential()
        administrator = self.make_user("administrator")
        as_user = credential.with_user(administrator)
        self.assertFalse(as_user.read(["secret"])[0]["secret"])
        self.assertTrue(as_user.has_secret)
        with mute_logger("odoo.models"), self.assertRaises(AccessError):
            as_user.read(["secret_token"])
        self.assertNotIn("secret_token", as_user.fields_get())
        exported = credential.export_data(["name", "secret"])["datas"]
        self.assertFalse(exported[0][1])

    def test_saving_does_not_answer_with_the_secret(self):
        credential = self.make_credential()
        administrator = self.make_user("administrator")
        saved = credential.with_user(administrator).web_save(
            {"secret": "very-private-token"}, {"secret": {}, "has_secret": {}}
        )
        self.assertFalse(saved[0]["secret"])
        self.assertTrue(saved[0]["has_secret"])
        self.assertEqual(credential._secret(), b"very-private-token")

    def test_a_ciphertext_moved_to_another_record_cannot_be_read(self):
        one, two = self.make_credential(), self.make_credential()
        two.secret_token = one.with_context(bin_size=False).secret_token
        with self.assertRaises(IntegrationError) as caught:
            two._secret()
        self.assertEqual(caught.exception.code, "decryption_failed")

    def test_copying_a_credential_leaves_the_secret_behind(self):
        self.assertFalse(self.make_credential().copy().has_secret)

    def test_saving_without_a_key_tells_how_to_make_one(self):
        self.use_settings(encryption_key=None)
        with self.assertRaisesRegex(UserError, "openssl rand -base64 32") as caught:
            self.make_credential(secret="very-private-token")
        self.assertIn("[healthcare_integration]", str(caught.exception))
        self.assertNotIn("very-private-token", str(caught.exception))

    def test_sending_without_the_key_is_a_configuration_error(self):
        credential = self.make_credential()
        self.use_settings(encryption_key=None)
        with self.assertRaises(Configuration) as caught:
            credential._to_ring1(fields.Datetime.now())
        self.assertEqual(caught.exception.code, "keyring_missing")

    def test_another_key_on_this_node_is_a_configuration_error(self):
        credential = self.make_credential()
        self.use_settings(
            encryption_key="other:" + keyring.generate().partition(":")[2]
        )
        with self.assertRaises(Configuration) as caught:
            credential._secret()
        self.assertEqual(caught.exception.code, "key_unknown")

    def test_the_right_key_id_with_other_bytes_is_a_configuration_error(self):
        credential = self.make_credential(secret="very-private-token")
        key_id = runtime.keyring().primary_id
        other = keyring.generate().partition(":")[2]
        self.use_settings(encryption_key=f"{key_id}:{other}")
        with self.assertRaises(Configuration) as caught:
            credential._to_ring1(fields.Datetime.now())
        self.assertEqual(caught.exception.code, "decryption_failed")
        self.assertIn(credential.name, caught.exception.message)

    def test_a_credential_without_a_secret_never_sends_unauthenticated(self):
        credential = self.make_credential(secret=False)
        with self.assertRaises(Configuration) as caught:
            credential._to_ring1(fields.Datetime.now())
        self.assertEqual(caught.exception.code, "credential_without_secret")

    def test_an_expired_credential_never_sends_unauthenticated(self):
        now = fields.Datetime.now()
        for kind in ("bearer", "signing_secret"):
            credential = self.make_credential(
                kind, expires_at=now - timedelta(seconds=1)
            )
            with self.subTest(kind), self.assertRaises(Configuration) as caught:
                credential._to_ring1(now)
            self.assertEqual(caught.exception.code, "credential_expired")

    def test_each_kind_becomes_its_header(self):
        expected = {
            "basic": {"Authorization": "Basic b2RvbzpzM2NyZXQtdG9rZW4="},
            "bearer": {"Authorization": "Bearer s3cret-token"},
            "header": {"X-Api-Key": "s3cret-token"},
        }
        for kind, headers in expected.items():
            credential = self.make_credential(kind)
            self.assertEqual(self.applied(credential), headers)

    def applied(self, credentials, body=b"body"):
        ring1 = credentials._to_ring1(fields.Datetime.now())
        return auth.apply({}, ring1, msg_id="msg_1", body=body, now=1_700_000_000)

    def test_malformed_secrets_are_form_errors_that_do_not_quote_them(self):
        bad = [
            ("signing_secret", {"secret": "whsec_c2hvcnQ="}),
            ("signing_secret", {"secret": "whpk_" + "A" * 40}),
            ("signing_secret", {"secret": "whsec_!!!not-base64!!!"}),
            ("bearer", {"secret": "two words\nInjected: yes"}),
            ("header", {"header_name": "Content-Length"}),
            ("header", {"header_name": "X Bad"}),
            ("basic", {"username": "a:b"}),
            ("basic", {"username": False}),
        ]
        for kind, vals in bad:
            with (
                self.subTest(kind=kind, **vals),
                self.assertRaises(ValidationError) as caught,
            ):
                self.make_credential(kind, **vals)
            self.assertNotIn(vals.get("secret") or "none", str(caught.exception))

    def test_new_primary_key_rewraps_everything(self):
        credential = self.make_credential("signing_secret")
        credential._rotate(signing.generate_secret(), grace_days=2)
        before = credential._all_signing_secrets(fields.Datetime.now())
        newer = "newer:" + keyring.generate().partition(":")[2]
        self.use_settings(encryption_key=f"{newer},{self.settings['encryption_key']}")
        administrator = self.make_user("administrator")
        action = self.env.ref("healthcare_integration_base.action_credential_rewrap")
        answer = action.with_user(administrator).run()
        self.assertIn("secrets are under the newest key", answer["params"]["message"])
        self.assertEqual(credential.secret_key_id, "newer")
        self.use_settings(encryption_key=newer)
        self.assertEqual(credential._all_signing_secrets(fields.Datetime.now()), before)

    def test_saving_a_secret_is_audited_without_its_value(self):
        credential = self.make_credential(secret="very-private-token")
        entries = self.audit_entries(credential)
        self.assertIn("secret", entries.mapped("action"))
        for entry in entries:
            self.assertNotIn("very-private-token", str(entry.read()))


@tagged("post_install", "-at_install")
class TestSecretRotation(IntegrationCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.old, cls.new = signing.generate_secret(), signing.generate_secret()
        cls.credential = cls.make_credential("signing_secret", secret=cls.old)

    def verifies(self, secret, at):
        body = b'{"a":1}'
        stamp = int(at.timestamp())
        headers = auth.apply(
            {}, self.credential._to_ring1(at), msg_id="msg_1", body=body, now=stamp
        )
        try:
            signing.verify([signing.parse_secret(secret)], headers, body, now=stamp)
        except signing.SignatureError:
            return False
        return True

    def test_both_secrets_sign_during_the_grace_and_only_the_new_one_after(self):
        now = fields.Datetime.now()
        self.credential._rotate(self.new, grace_days=3)
        self.assertTrue(self.verifies(self.old, now + timedelta(days=2)))
        self.assertTrue(self.verifies(self.new, now + timedelta(days=2)))
        self.assertFalse(self.verifies(self.old, now + timedelta(days=4)))
        self.assertTrue(self.verifies(self.new, now + timedelta(days=4)))

    def test_without_grace_the_old_secret_ends_at_once(self):
        self.credential._rotate(self.new, grace_days=0)
        self.assertFalse(self.verifies(self.old, fields.Datetime.now()))

    def test_rotating_twice_keeps_three_secrets_signing(self):
        self.credential._rotate(self.new, grace_days=3)
        self.credential._rotate(signing.generate_secret(), grace_days=3)
        now = fields.Datetime.now()
        self.assertEqual(len(self.credential._all_signing_secrets(now)), 3)
        self.assertTrue(self.verifies(self.old, now))

    def test_at_most_ten_secrets_are_in_grace(self):
        for _number in range(10):
            self.credential._rotate(signing.generate_secret(), grace_days=3)
        with self.assertRaisesRegex(UserError, "let one expire first"):
            self.credential._rotate(self.new, grace_days=3)
        self.credential.previous_ids[0].valid_until = fields.Datetime.now() - timedelta(
            1
        )
        self.credential._rotate(self.new, grace_days=3)

    def test_expired_secrets_are_forgotten_by_the_vacuum(self):
        self.credential._rotate(self.new, grace_days=3)
        previous = self.credential.previous_ids
        previous.valid_until = fields.Datetime.now() - timedelta(1)
        self.env["integration.credential.previous"]._gc_expired()
        self.assertFalse(previous.exists())

    def test_the_wizard_stores_what_is_typed_and_keeps_no_copy(self):
        administrator = self.make_user("administrator")
        wizard = (
            self.env["integration.credential.rotate"]
            .with_user(administrator)
            .create(
                {
                    "credential_id": self.credential.id,
                    "new_secret": self.new,
                    "grace_days": 1,
                }
            )
        )
        self.assertEqual(self.credential._secret(), self.new.encode())
        self.assertFalse(wizard.new_secret)
        self.assertTrue(self.verifies(self.old, fields.Datetime.now()))
        self.assertEqual(wizard.action_rotate()["type"], "ir.actions.act_window_close")

    def test_the_wizard_makes_a_secret_and_shows_it_once(self):
        Wizard = self.env["integration.credential.rotate"]
        action = Wizard.create({"credential_id": self.credential.id}).action_generate()
        shown = Wizard.with_context(**action["context"]).default_get(["shown_secret"])
        self.assertEqual(shown["shown_secret"].encode(), self.credential._secret())
        self.assertFalse(Wizard.default_get(["shown_secret"])["shown_secret"])

    def test_only_administrators_rotate(self):
        operator = self.make_user("operator")
        with (
            mute_logger("odoo.addons.base.models.ir_model"),
            self.assertRaises(AccessError),
        ):
            self.credential.with_user(operator)._rotate(self.new, 0)
