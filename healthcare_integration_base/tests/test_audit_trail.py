# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
import json

import psycopg2

from odoo.exceptions import AccessError
from odoo.tests import tagged
from odoo.tools import mute_logger

from .common import IntegrationCase


@tagged("post_install", "-at_install")
class TestAuditTrail(IntegrationCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.Entry = cls.env["integration.audit.entry"]
        cls.Seal = cls.env["integration.audit.seal"]
        cls.system = cls.make_system()

    def log(self, number=1):
        entries = self.Entry
        for position in range(number):
            entries += self.Entry._log("state", self.system, f"reason {position}")
        self.env.flush_all()
        return entries

    def assertRefused(self, query, *params):
        with (
            mute_logger("odoo.sql_db"),
            self.assertRaisesRegex(psycopg2.Error, "append-only"),
            self.env.cr.savepoint(),
        ):
            self.env.cr.execute(query, params)

    def test_entries_cannot_be_changed_or_deleted_even_by_sql(self):
        entry = self.log()
        self.assertRefused(
            "UPDATE integration_audit_entry SET reason = 'x' WHERE id = %s", entry.id
        )
        self.assertRefused(
            "DELETE FROM integration_audit_entry WHERE id = %s", entry.id
        )
        self.assertRefused("TRUNCATE integration_audit_entry")
        self.Seal._seal()
        self.assertRefused(
            "UPDATE integration_audit_entry SET seal_id = NULL WHERE id = %s", entry.id
        )
        self.assertRefused(
            "UPDATE integration_audit_entry SET seal_id = seal_id + 1 WHERE id = %s",
            entry.id,
        )

    def test_seals_cannot_be_changed_or_deleted_even_by_sql(self):
        self.log()
        seal = self.Seal._seal()
        self.env.flush_all()
        self.assertRefused(
            "UPDATE integration_audit_seal SET hash = 'x' WHERE id = %s", seal.id
        )
        self.assertRefused("DELETE FROM integration_audit_seal WHERE id = %s", seal.id)
        self.assertRefused("TRUNCATE integration_audit_seal")

    def test_sealing_cannot_smuggle_in_another_change(self):
        entry = self.log()
        self.assertRefused(
            "UPDATE integration_audit_entry SET seal_id = 1, reason = 'x' WHERE id = %s",
            entry.id,
        )

    def test_a_whole_chain_verifies(self):
        for _round in range(3):
            self.log(2)
            self.assertTrue(self.Seal._seal())
        self.assertIsNone(self.Seal._verify())

    def test_sealing_covers_every_entry_once(self):
        entries = self.log(5)
        seal = self.Seal._seal()
        self.assertEqual(set(entries.mapped("seal_id")), {seal.id})
        self.assertFalse(self.Seal._seal())

    def tamper(self, query, *params):
        """Do what somebody with the rights of the database's owner can do."""
        table = (
            "integration_audit_seal"
            if "seal SET" in query
            else "integration_audit_entry"
        )
        self.env.cr.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        self.env.cr.execute(query, params)
        self.env.cr.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
        self.env.invalidate_all()

    def sealed(self):
        """Return the entries of two links of the chain and these links."""
        first = self.log(3)
        seal = self.Seal._seal()
        second = self.log(3)
        return first, seal, second, self.Seal._seal()

    def test_a_changed_entry_breaks_its_link(self):
        first, seal, _second, _last = self.sealed()
        for column, value in [
            ("reason", "'x'"),
            ("user_id", "7"),
            ("occurred_at", "'2000-01-01'"),
        ]:
            with self.subTest(column), self.env.cr.savepoint() as savepoint:
                self.tamper(
                    f"UPDATE integration_audit_entry SET {column} = {value} WHERE id = %s",
                    first[1].id,
                )
                self.assertEqual(self.Seal._verify(), seal)
                savepoint.rollback()

    def test_a_deleted_entry_breaks_its_link(self):
        _first, _seal, second, last = self.sealed()
        self.tamper("DELETE FROM integration_audit_entry WHERE id = %s", second[0].id)
        self.assertEqual(self.Seal._verify(), last)

    def test_an_entry_added_later_breaks_the_link_it_claims(self):
        _first, seal, _second, _last = self.sealed()
        forged = self.log()
        self.tamper(
            "UPDATE integration_audit_entry SET seal_id = %s WHERE id = %s",
            seal.id,
            forged.id,
        )
        self.assertEqual(self.Seal._verify(), seal)

    def test_a_recomputed_link_breaks_the_next_one(self):
        first, seal, _second, last = self.sealed()
        self.tamper(
            "UPDATE integration_audit_entry SET reason = 'x' WHERE id = %s", first[0].id
        )
        rows = self.Seal._entry_rows(self.sql_of(seal))
        forged = self.Seal._chain_hash(seal.previous_hash or "", rows)
        self.tamper(
            "UPDATE integration_audit_seal SET hash = %s WHERE id = %s", forged, seal.id
        )
        self.assertEqual(self.Seal._verify(), last)

    def sql_of(self, seal):
        from odoo.tools import SQL

        return SQL("seal_id = %s", seal.id)

    def test_the_cron_seals(self):
        self.log(2)
        cron = self.env.ref("healthcare_integration_base.ir_cron_audit_seal")
        with self.enter_registry_test_mode():
            cron.method_direct_trigger()
        self.assertFalse(self.Entry.search([("seal_id", "=", 0)]))

    def test_auditors_verify_and_others_do_not(self):
        self.log()
        self.Seal._seal()
        auditor, administrator = (
            self.make_user("auditor"),
            self.make_user("administrator"),
        )
        answer = self.Seal.with_user(auditor).action_verify()
        self.assertEqual(answer["params"]["type"], "success")
        with (
            mute_logger("odoo.addons.base.models.ir_model"),
            self.assertRaises(AccessError),
        ):
            self.Seal.with_user(administrator).action_verify()

    def test_the_menu_verifies_for_auditors_only(self):
        self.log()
        self.Seal._seal()
        menu = self.env.ref("healthcare_integration_base.menu_audit_verify")
        auditor, viewer = self.make_user("auditor"), self.make_user("viewer")
        answer = menu.action.with_user(auditor).run()
        self.assertEqual(answer["params"]["type"], "success")
        with (
            mute_logger("odoo.addons.base.models.ir_actions"),
            self.assertRaises(AccessError),
        ):
            menu.action.with_user(viewer).run()

    def test_an_auditor_is_told_which_link_is_broken(self):
        first, seal, _second, _last = self.sealed()
        self.tamper(
            "UPDATE integration_audit_entry SET reason = 'x' WHERE id = %s", first[0].id
        )
        answer = self.Seal.with_user(self.make_user("auditor")).action_verify()
        self.assertEqual(answer["params"]["type"], "danger")
        self.assertIn(str(seal.id), answer["params"]["message"])


@tagged("post_install", "-at_install")
class TestConfigurationIsAudited(IntegrationCase):
    def details(self, record):
        entries = self.audit_entries(record, "configuration")
        return [json.loads(entry.detail) for entry in entries]

    def test_creating_changing_and_deleting_leave_entries(self):
        administrator = self.make_user("administrator")
        system = self.make_system().with_user(administrator)
        system.contact = "Ms Miller"
        system.unlink()
        created, changed, deleted = self.details(system)
        self.assertEqual(created["created"]["environment"], "test")
        self.assertEqual(changed, {"changed": {"contact": ["", "Ms Miller"]}})
        self.assertEqual(deleted, {"deleted": True})
        entries = self.audit_entries(system)
        self.assertEqual(entries[1].user_login, administrator.login)
        self.assertEqual(entries[1].res_name, system.id and entries[0].res_name)

    def test_writing_the_same_value_leaves_none(self):
        system = self.make_system(contact="Ms Miller")
        system.contact = "Ms Miller"
        self.assertEqual(len(self.details(system)), 1)

    def test_relations_are_recorded(self):
        endpoint, credential = self.make_endpoint(), self.make_credential()
        endpoint.credential_ids = credential
        self.assertEqual(
            self.details(endpoint)[-1],
            {"changed": {"credential_ids": [[], credential.ids]}},
        )

    def test_long_texts_are_recorded_by_their_beginning_and_digest(self):
        event_type = self.make_event_type()
        event_type.description = "x" * 10_000
        text = self.details(event_type)[-1]["changed"]["description"][1]
        self.assertLess(len(text), 700)
        self.assertIn("10000 characters, SHA-256", text)

    def test_every_configuration_model_is_audited(self):
        mixin = self.env.registry["integration.audited"]
        audited = {
            name
            for name, model in self.env.registry.items()
            if not model._abstract and issubclass(model, mixin)
        }
        self.assertGreaterEqual(
            audited,
            {
                "integration.system",
                "integration.endpoint",
                "integration.policy",
                "integration.credential",
                "integration.event.type",
                "integration.subscription",
                "integration.mapping",
                "integration.crosswalk",
                "integration.identifier",
                "integration.client",
                "integration.client.key",
                "integration.exception.queue",
            },
        )

    def test_secrets_and_hashes_are_never_recorded(self):
        credential = self.make_credential(secret="very-private-token")
        client = self.make_client()
        key = client._generate_key("key")
        entries = self.env["integration.audit.entry"].search([])
        text = str(entries.mapped("detail"))
        for secret in (
            "very-private-token",
            key,
            client._key_hash(key),
            "secret_token",
        ):
            self.assertNotIn(secret, text)
        self.assertTrue(credential)
