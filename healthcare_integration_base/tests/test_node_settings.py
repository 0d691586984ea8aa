# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
import os
import tempfile
from unittest.mock import patch

from odoo.tests import TransactionCase, tagged
from odoo.tools import config

from .. import runtime
from ..protocol import keyring
from ..protocol.errors import Configuration

CONF = """[options]
db_name = x
[healthcare_integration]
environment = staging
allowed_networks = 10.1.0.0/16, fd12::/48
encryption_key = {key}
percent = 100%
"""


@tagged("post_install", "-at_install")
class TestNodeSettings(TransactionCase):
    def setUp(self):
        super().setUp()
        self.key = keyring.generate()
        self.path = self.write_file(CONF.format(key=self.key))
        self.startPatcher(patch.dict(config.options, {"config": self.path}))
        clean = {
            name: v
            for name, v in os.environ.items()
            if not name.startswith(runtime.PREFIX)
        }
        self.startPatcher(patch.dict(os.environ, clean, clear=True))

    def write_file(self, text):
        handle, path = tempfile.mkstemp(suffix=".conf")
        self.addCleanup(os.unlink, path)
        with os.fdopen(handle, "w") as file:
            file.write(text)
        return path

    def test_the_section_of_odoo_conf_is_read(self):
        self.assertEqual(runtime.settings()["environment"], "staging")
        self.assertEqual(runtime.settings()["percent"], "100%")
        self.assertNotIn("db_name", runtime.settings())
        self.assertEqual(runtime.database_environment(), "staging")

    def test_variables_of_the_environment_win(self):
        os.environ["HEALTHCARE_INTEGRATION_ENVIRONMENT"] = "test"
        self.assertEqual(runtime.database_environment(), "test")

    def test_a_changed_file_counts_without_a_restart(self):
        runtime.settings()
        with open(self.path, "w") as file:
            file.write("[healthcare_integration]\nenvironment = test\n")
        os.utime(self.path, ns=(1, 1))
        self.assertEqual(runtime.database_environment(), "test")

    def test_without_a_section_the_database_is_production(self):
        with patch.dict(config.options, {"config": self.write_file("[options]\n")}):
            self.assertEqual(runtime.database_environment(), "production")
            self.assertFalse(runtime.keyring())
            self.assertEqual(runtime.network_policy("production").allowed_networks, ())

    def test_an_unknown_environment_is_refused(self):
        os.environ["HEALTHCARE_INTEGRATION_ENVIRONMENT"] = "prod"
        with self.assertRaisesRegex(Configuration, "production, staging, test"):
            runtime.database_environment()

    def test_the_key_ring_comes_from_file_or_variable(self):
        self.assertEqual(runtime.keyring().primary_id, self.key.partition(":")[0])
        other = "other:" + keyring.generate().partition(":")[2]
        os.environ["HEALTHCARE_INTEGRATION_KEY"] = other
        self.assertEqual(runtime.keyring().primary_id, "other")

    def test_http_is_for_test_systems_only(self):
        for environment, allowed in [
            ("production", False),
            ("staging", False),
            ("test", True),
        ]:
            self.assertEqual(runtime.network_policy(environment).allow_http, allowed)
        self.assertEqual(len(runtime.network_policy("test").allowed_networks), 2)

    def test_a_broken_network_names_option_and_entry(self):
        os.environ["HEALTHCARE_INTEGRATION_ALLOWED_NETWORKS"] = "10.0.0.0/8, intranet"
        with self.assertRaisesRegex(Configuration, "allowed_networks.*intranet"):
            runtime.network_policy("test")

    def test_the_checksum_tells_nodes_apart_and_no_key(self):
        before = runtime.settings_checksum()
        self.assertEqual(before, runtime.settings_checksum())
        os.environ["HEALTHCARE_INTEGRATION_KEY"] = keyring.generate()
        self.assertNotEqual(before, runtime.settings_checksum())
        self.assertRegex(before, r"^[0-9a-f]{12}$")


@tagged("post_install", "-at_install")
class TestAutonomousTransaction(TransactionCase):
    def test_it_commits_apart_from_the_caller(self):
        name = "healthcare_integration.test_autonomous"
        with runtime.autonomous(self.env) as env:
            self.assertTrue(env.su)
            self.assertEqual(env.context, {})
            env.cr.execute("SHOW transaction_isolation")
            self.assertEqual(env.cr.fetchone()[0], "read committed")
            env["ir.config_parameter"].set_param(name, "1")
        with self.registry.cursor() as cr:
            cr.execute(
                "DELETE FROM ir_config_parameter WHERE key = %s RETURNING value", [name]
            )
            self.assertEqual(cr.fetchall(), [("1",)])

    def test_it_rolls_back_and_lets_the_exception_through(self):
        name = "healthcare_integration.test_rolled_back"
        with self.assertRaises(ZeroDivisionError), runtime.autonomous(self.env) as env:
            env["ir.config_parameter"].set_param(name, "1")
            env.flush_all()
            raise ZeroDivisionError
        with self.registry.cursor() as cr:
            cr.execute("SELECT 1 FROM ir_config_parameter WHERE key = %s", [name])
            self.assertFalse(cr.fetchall())

    def test_the_next_user_of_the_connection_has_the_usual_isolation(self):
        with runtime.autonomous(self.env):
            pass
        with self.registry.cursor() as cr:
            cr.execute("SHOW transaction_isolation")
            self.assertEqual(cr.fetchone()[0], "repeatable read")

    def test_in_a_test_transaction_it_leaves_the_work_of_the_test_alone(self):
        partner = self.env["res.partner"].create({"name": "Kept"})
        with self.enter_registry_test_mode(), runtime.autonomous(self.env) as env:
            self.assertTrue(env["res.partner"].browse(partner.id).exists())
        self.assertTrue(partner.exists())
