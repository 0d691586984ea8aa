# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
import socket
from unittest.mock import patch

from odoo.exceptions import UserError, ValidationError
from odoo.tests import tagged

from ..protocol import netguard, resolver
from .common import IntegrationCase


@tagged("post_install", "-at_install")
class TestEndpointFormErrors(IntegrationCase):
    def resolve(self, addresses):
        """Let every host name resolve to these addresses."""
        defaults = list(netguard.check_host.__defaults__)
        defaults[0] = lambda host, port, timeout: addresses
        self.startPatcher(
            patch.object(netguard.check_host, "__defaults__", tuple(defaults))
        )

    def refused(self, url, environment="production"):
        system = self.make_system(environment=environment)
        with self.assertRaises(ValidationError) as caught:
            self.make_endpoint(system_id=system.id, url=url)
        return str(caught.exception)

    def test_http_is_refused_outside_of_test_systems(self):
        for environment in ("production", "staging"):
            text = self.refused("http://198.51.99.1/in", environment)
            self.assertIn("Only https is allowed", text)
            self.assertIn("environment test", text)
            self.assertIn("rule: scheme", text)

    def test_http_is_allowed_for_test_systems(self):
        self.assertTrue(self.make_endpoint(url="http://127.0.0.1:9/in"))

    def test_a_system_with_http_endpoints_cannot_become_production(self):
        endpoint = self.make_endpoint(url="http://127.0.0.1:9/in")
        with self.assertRaisesRegex(ValidationError, "Only https is allowed"):
            endpoint.system_id.environment = "production"

    def test_private_addresses_name_the_rule_and_the_setting(self):
        for url, rule in [
            ("https://10.1.2.3/in", "private_network"),
            ("https://192.168.7.1/in", "private_network"),
            ("https://[fd12::1]/in", "private_network"),
            ("https://169.254.1.1/in", "link_local"),
        ]:
            text = self.refused(url)
            self.assertIn(rule, text)
            self.assertIn("allowed_networks", text)
            self.assertIn("[healthcare_integration]", text)

    def test_loopback_is_refused_unless_the_setting_allows_it(self):
        self.use_settings(allowed_networks=None)
        self.assertIn("loopback", self.refused("https://127.0.0.1/in"))
        self.use_settings(allowed_networks="127.0.0.0/8")
        self.assertTrue(self.make_endpoint(url="https://127.0.0.1/in"))

    def test_metadata_addresses_name_the_rule_and_no_setting(self):
        self.use_settings(allowed_networks="0.0.0.0/0")
        text = self.refused("https://169.254.169.254/latest")
        self.assertIn("metadata", text)
        self.assertNotIn("allowed_networks", text)

    def test_a_name_that_resolves_to_a_private_address_is_refused(self):
        self.resolve(["93.184.216.34", "10.0.0.5"])
        text = self.refused("https://supplier.example/in")
        self.assertIn("private_network", text)
        self.assertIn("allowed_networks", text)

    def test_a_name_that_resolves_to_public_addresses_is_accepted(self):
        self.resolve(["93.184.216.34"])
        system = self.make_system(environment="production")
        self.assertTrue(
            self.make_endpoint(system_id=system.id, url="https://supplier.example/in")
        )

    def test_an_unresolvable_name_is_refused(self):
        self.resolve([])
        text = self.refused("https://nowhere.invalid/in")
        self.assertIn("cannot be resolved", text)
        self.assertIn("rule: unresolvable", text)

    def test_the_form_asks_the_real_resolver(self):
        with patch.object(
            resolver.socket, "getaddrinfo", side_effect=socket.gaierror("no")
        ):
            self.assertIn("unresolvable", self.refused("https://nowhere.invalid/in"))

    def test_malformed_urls_are_refused(self):
        for url, rule in [
            ("ftp://supplier.example/in", "scheme"),
            ("supplier.example/in", "scheme"),
            ("https:///in", "host"),
            ("https://user:pw@supplier.example/in", "userinfo"),
            ("https://supplier.example:0/in", "port"),
            ("https://supplier.example/in#part", "fragment"),
            ("https://supplier.example/a b", "characters"),
            ("https://0x7f.1/in", "host"),
        ]:
            with self.subTest(url):
                self.assertIn(f"rule: {rule}", self.refused(url))

    def test_a_password_in_the_url_is_not_quoted(self):
        self.assertNotIn(
            "hunter2", self.refused("https://user:hunter2@supplier.example/in")
        )

    def test_broken_allowed_networks_is_a_form_error_that_names_the_option(self):
        self.use_settings(allowed_networks="10.0.0.0/8, everywhere")
        text = self.refused("https://10.0.0.1/in")
        self.assertIn("allowed_networks", text)
        self.assertIn("everywhere", text)

    def test_an_endpoint_in_use_needs_a_url(self):
        endpoint = self.make_endpoint(url=False)
        with self.assertRaisesRegex(ValidationError, "needs a URL"):
            endpoint.action_activate()

    def test_codes_are_fit_for_urls(self):
        for code in ("Has Space", "slash/ed", "UPPER", "-dash", ""):
            with (
                self.subTest(code),
                self.assertRaisesRegex(ValidationError, "lower-case"),
            ):
                self.make_endpoint(code=code)

    def test_lanes_follow_the_direction_and_can_be_own(self):
        self.assertEqual(self.make_endpoint().lane, "out")
        self.assertEqual(self.make_endpoint(direction="in").lane, "in")
        self.assertEqual(self.make_endpoint(lane="finance").lane, "finance")


@tagged("post_install", "-at_install")
class TestPolicyFormErrors(IntegrationCase):
    def test_a_broken_schedule_is_a_form_error_with_position(self):
        with self.assertRaisesRegex(ValidationError, "character 4"):
            self.env["integration.policy"].create(
                {"name": "p", "retry_schedule": "5s soon"}
            )

    def test_an_empty_schedule_means_one_attempt(self):
        policy = self.env["integration.policy"].create(
            {"name": "p", "retry_schedule": False}
        )
        self.assertEqual(policy._retry_schedule().delays, ())

    def test_the_default_policy_has_the_documented_schedule(self):
        policy = self.env.ref("healthcare_integration_base.policy_default")
        self.assertEqual(
            policy._retry_schedule().format(), "5s 5m 30m 2h 5h 10h 14h 20h 1d"
        )

    def test_the_direction_stays_once_there_are_messages_or_subscriptions(self):
        endpoint = self.make_endpoint()
        endpoint.direction = "in"
        endpoint.direction = "out"
        self.make_subscription(endpoint)
        with self.assertRaisesRegex(UserError, endpoint.name):
            endpoint.direction = "in"
        endpoint.direction = "out"

    def test_copies_have_codes_of_their_own(self):
        endpoint = self.make_endpoint()
        copies = endpoint.copy() + endpoint.copy()
        codes = {*copies.mapped("code"), endpoint.code}
        self.assertEqual(len(codes), 3)
        self.assertNotEqual(endpoint.system_id.copy().code, endpoint.system_id.code)
        event_type = self.make_event_type(version=3)
        self.assertEqual(event_type.copy().version, 4)
        self.assertEqual(event_type.copy().version, 5)
