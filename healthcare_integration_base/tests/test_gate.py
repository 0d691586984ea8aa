# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Scopes, networks, certificates, rates and lockouts: who gets through the gate, and how far."""

import hashlib
import logging
from datetime import timedelta
from unittest.mock import patch

from odoo import Command, fields
from odoo.exceptions import AccessError
from odoo.tests import tagged
from odoo.tools import config

from ..controllers import call as calls
from ..engine import access_log, lockout
from .reception_common import MESSAGES, ReceptionCase

FINGERPRINT = hashlib.sha256(b"certificate").hexdigest()
SUBJECT = "CN=erp.medline.example,O=Medline"
PROXY = {"trusted_proxies": "127.0.0.1/32"}


class GateCase(ReceptionCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for model in ("integration.access.log", "integration.lockout"):
            cls.env[model].search([]).unlink()

    def use_proxy_mode(self):
        """Have Odoo believe forwarded headers, as behind a proxy."""
        before = config["proxy_mode"]
        config["proxy_mode"] = True
        self.addCleanup(config.__setitem__, "proxy_mode", before)

    def log(self):
        """Return the access log, oldest first."""
        access_log.flush(self.env)
        self.env.invalidate_all()
        return self.env["integration.access.log"].search([], order="id")


@tagged("post_install", "-at_install")
class TestScopes(GateCase):
    def drop(self, scope):
        self.client.scope_ids.filtered(lambda own: own.scope == scope).unlink()

    def test_without_the_scope_a_route_is_closed(self):
        self.drop("messages:write")
        response = self.post({"name": "A"})
        self.assert_problem(response, 403, "scope_missing")
        self.assertIn("insufficient_scope", response.headers["WWW-Authenticate"])
        self.assertFalse(self.messages())

    def test_each_route_has_a_scope_of_its_own(self):
        uid = self.assert_accepted(self.post({"name": "A"}))
        self.drop("messages:read")
        self.assert_problem(self.ask(uid), 403, "scope_missing")
        self.assert_accepted(self.post({"name": "B"}))

    def test_a_scope_narrowed_to_types_takes_no_other(self):
        row = self.client.scope_ids.filtered(lambda own: own.scope == "messages:write")
        row.event_type_ids = [Command.set(self.make_event_type().ids)]
        self.assert_problem(self.post({"name": "A"}), 403, "event_type_not_allowed")
        row.event_type_ids = [Command.link(self.event_type.id)]
        self.assert_accepted(self.post({"name": "A"}))

    def test_all_resources_do_not_include_messages(self):
        covers = self.env["integration.client"]._covers
        self.assertTrue(covers({"*:read"}, "products:read"))
        for scope in (
            "messages:read",
            "feeds:read",
            "validations:read",
            "products:write",
        ):
            self.assertFalse(covers({"*:read"}, scope))


@tagged("post_install", "-at_install")
class TestNetworks(GateCase):
    def test_a_key_from_elsewhere_is_refused(self):
        self.client.allowed_networks = "203.0.113.0/24"
        self.assert_problem(self.post({"name": "A"}), 403, "network_not_allowed")
        self.client.allowed_networks = "203.0.113.0/24\n127.0.0.0/8, ::1"
        self.assert_accepted(self.post({"name": "A"}))

    def test_a_signature_and_a_token_from_elsewhere_are_refused(self):
        signer = self.make_signing_client("Signer", self.endpoint)
        signer.allowed_networks = "2001:db8::/32"
        headers = self.signed(b"{}")
        response = self.post(b"{}", key=None, **headers)
        self.assert_problem(response, 403, "network_not_allowed")

    def test_a_forwarded_address_counts_only_from_a_trusted_proxy(self):
        self.client.allowed_networks = "203.0.113.0/24"
        forged = {"X_Forwarded_For": "203.0.113.5"}
        self.assert_problem(self.post({"name": "A"}, **forged), 403)
        self.use_settings(**PROXY)
        self.assert_accepted(self.post({"name": "A"}, **forged))
        spoofed = {"X_Forwarded_For": "203.0.113.5, 198.51.100.1"}
        self.assert_problem(self.post({"name": "A"}, **spoofed), 403)

    def test_what_odoo_makes_of_forwarded_headers_does_not_count(self):
        self.use_proxy_mode()
        self.client.allowed_networks = "203.0.113.0/24"
        forged = {"X_Forwarded_For": "203.0.113.5", "X_Forwarded_Host": "x"}
        response = self.post({"name": "A"}, **forged)
        self.assert_problem(response, 403, "network_not_allowed")


@tagged("post_install", "-at_install")
class TestCertificates(GateCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.pin = cls.env["integration.client.certificate"].create(
            {"client_id": cls.client.id, "name": "erp", "value": FINGERPRINT}
        )
        cls.env["integration.client.certificate"].create(
            {
                "client_id": cls.client.id,
                "name": "name",
                "kind": "name",
                "value": "CN=erp.medline.example, O=Medline",
            }
        )

    def show(self, **headers):
        return self.post({"name": "A"}, key=None, **headers)

    def test_a_pinned_certificate_of_a_trusted_proxy_opens(self):
        self.use_settings(**PROXY)
        xfcc = f'By=spiffe://x;Hash={FINGERPRINT};Subject="CN=erp"'
        self.assert_accepted(self.show(X_Forwarded_Client_Cert=xfcc))
        self.assert_accepted(
            self.show(
                X_SSL_Client_Fingerprint=FINGERPRINT.upper(),
                X_SSL_Client_Verify="SUCCESS",
            )
        )

    def test_the_same_headers_from_anybody_else_open_nothing(self):
        headers = {"X_Forwarded_Client_Cert": f"Hash={FINGERPRINT}"}
        self.assert_problem(self.show(**headers), 401, "missing_credentials")
        self.use_settings(trusted_proxies="10.0.0.0/8")
        headers["X_Forwarded_For"] = "10.0.0.1"
        self.assert_problem(self.show(**headers), 401, "missing_credentials")

    def test_the_peer_is_the_tcp_peer_whatever_odoo_was_told(self):
        self.use_settings(trusted_proxies="10.0.0.0/8")
        headers = {
            "X_Forwarded_Client_Cert": f"Hash={FINGERPRINT}",
            "X_Forwarded_For": "10.0.0.1",
            "X_Forwarded_Host": "x",
        }
        self.use_proxy_mode()
        self.assert_problem(self.show(**headers), 401, "missing_credentials")

    def test_a_name_counts_only_if_it_was_verified(self):
        self.use_settings(**PROXY)
        self.assert_accepted(
            self.show(X_SSL_Client_S_DN=SUBJECT, X_SSL_Client_Verify="SUCCESS")
        )
        for verify in ("NONE", "FAILED:expired", ""):
            response = self.show(X_SSL_Client_S_DN=SUBJECT, X_SSL_Client_Verify=verify)
            self.assert_problem(response, 401)

    def test_other_names_of_the_headers_can_be_set(self):
        self.use_settings(**PROXY, client_fingerprint_header="X-Client-Sha256")
        self.assert_accepted(self.show(X_Client_Sha256=FINGERPRINT))

    def test_malformed_headers_open_nothing(self):
        self.use_settings(**PROXY)
        for value in ("", ";;==", 'Hash="', f"Hash={FINGERPRINT[:-1]}", "x" * 30_000):
            response = self.show(X_Forwarded_Client_Cert=value)
            self.assert_problem(response, 401)

    def test_expired_and_revoked_pins_open_nothing(self):
        self.use_settings(**PROXY)
        self.pin.expires_at = fields.Datetime.now() - timedelta(seconds=1)
        xfcc = {"X_Forwarded_Client_Cert": f"Hash={FINGERPRINT}"}
        self.assert_problem(self.show(**xfcc), 401)
        self.pin.expires_at = False
        self.assert_accepted(self.show(**xfcc))
        self.pin.action_revoke()
        self.assert_problem(self.show(**xfcc), 401)

    def test_a_required_certificate_is_needed_beside_the_key(self):
        self.use_settings(**PROXY)
        self.client.require_certificate = True
        self.assert_problem(self.post({"name": "A"}), 401, "certificate_required")
        xfcc = {"X_Forwarded_Client_Cert": f"Hash={FINGERPRINT}"}
        self.assert_accepted(self.post({"name": "A"}, **xfcc))

    def test_a_required_signature_is_needed_beside_the_key(self):
        signer = self.make_signing_client("Signer", self.endpoint)
        signer.require_signature = True
        key = signer._generate_key("key")
        self.assert_problem(self.post(b"{}", key=key), 401, "signature_required")
        wrong = self.signed(b"other")
        self.assert_problem(self.post(b"{}", key=key, **wrong), 401)
        body = b'{"name": "A"}'
        self.assert_accepted(self.post(body, key=key, **self.signed(body)))


@tagged("post_install", "-at_install")
class TestRates(GateCase):
    def test_answers_tell_what_is_left(self):
        self.client.write({"rate_limit": 2, "rate_burst": 10})
        response = self.post({"name": "A"})
        self.assertEqual(response.headers["RateLimit-Limit"], "10")
        self.assertEqual(response.headers["RateLimit-Remaining"], "9")
        self.assertEqual(response.headers["RateLimit-Reset"], "1")
        self.assertEqual(response.headers["RateLimit-Policy"], '"client";q=10;w=5')
        refused = self.post({"name": "A"}, code="nowhere")
        self.assertEqual(refused.status_code, 404)
        self.assertIn("RateLimit-Remaining", refused.headers)

    def test_beyond_the_burst_it_is_429_and_says_when(self):
        self.client.write({"rate_limit": 0.01, "rate_burst": 3})
        for _number in range(3):
            self.assert_accepted(self.post({"name": "A"}))
        response = self.post({"name": "B"})
        self.assert_problem(response, 429, "rate_limited")
        self.assertGreater(int(response.headers["Retry-After"]), 60)
        self.assertEqual(response.headers["RateLimit-Remaining"], "0")
        self.assertEqual(len(self.messages()), 1)

    def test_a_client_without_limit_is_not_slowed(self):
        self.client.rate_limit = 0
        for _number in range(5):
            response = self.post({"name": "A"})
        self.assert_accepted(response)
        self.assertNotIn("RateLimit-Limit", response.headers)

    def test_strangers_of_an_address_are_slowed_and_clients_are_not_charged(self):
        self.use_settings(address_rate="0.01", address_burst="5")
        for _number in range(8):
            self.assert_accepted(self.post({"name": "A"}))
        for _number in range(5):
            self.assert_problem(self.post({"name": "A"}, key=None), 401)
        response = self.post({"name": "A"}, key=None)
        self.assert_problem(response, 429, "rate_limited")
        self.assertTrue(response.headers["Retry-After"])


@tagged("post_install", "-at_install")
class TestLockout(GateCase):
    def wrong_key(self):
        return self.key[:-4] + ("AAAA" if self.key[-4:] != "AAAA" else "BBBB")

    def lock(self, **settings):
        """Fail three times with the prefix of a key; return the last answer."""
        self.use_settings(lockout_failures="3", **settings)
        for _number in range(3):
            self.assert_problem(self.post({"name": "A"}, key=self.wrong_key()), 401)
        return self.post({"name": "A"}, key=self.wrong_key())

    def lockouts(self):
        return self.env["integration.lockout"].search([("locked", "=", True)])

    def test_a_key_that_fails_too_often_is_locked(self):
        response = self.lock()
        self.assert_problem(response, 429, "locked_out")
        self.assertGreater(int(response.headers["Retry-After"]), 800)
        self.assert_problem(self.post({"name": "A"}), 429, "locked_out")
        found = self.lockouts()
        self.assertEqual((found.kind, found.client_id), ("credential", self.client))
        self.assertFalse(self.messages())

    def test_a_client_known_at_its_address_is_let_in(self):
        self.assert_accepted(self.post({"name": "A"}))
        self.log()
        self.assert_problem(self.lock(), 429, "locked_out")
        self.assert_accepted(self.post({"name": "B"}))

    def test_an_unknown_key_is_locked_like_a_known_one(self):
        self.use_settings(lockout_failures="3")
        for _number in range(3):
            self.assert_problem(self.post({}, key="hik_00000000_" + "A" * 43), 401)
        response = self.post({}, key="hik_00000000_" + "A" * 43)
        self.assert_problem(response, 429, "locked_out")
        self.assertFalse(self.lockouts().client_id)

    def test_an_address_that_fails_too_often_is_locked(self):
        self.use_settings(lockout_address_failures="3")
        for number in range(3):
            key = f"hik_0000000{number}_{'A' * 43}"
            self.assert_problem(self.post({}, key=key), 401)
        self.assert_problem(self.post({"name": "A"}), 429, "locked_out")
        self.assertEqual(self.lockouts().subject, "127.0.0.1")

    def test_failures_without_credentials_lock_nobody(self):
        self.use_settings(lockout_address_failures="2")
        for _number in range(4):
            self.assert_problem(self.post({}, key=None), 401, "missing_credentials")

    def test_an_administrator_unlocks_and_it_is_audited(self):
        self.lock()
        found = self.lockouts()
        administrator = self.make_user("administrator", company=self.company)
        found.with_user(administrator).action_unlock()
        self.assert_accepted(self.post({"name": "A"}))
        entry = self.audit_entries(self.client, "configuration")[-1]
        self.assertIn("unlocked", entry.detail)

    def test_nobody_else_unlocks(self):
        self.lock()
        auditor = self.make_user("auditor", company=self.company)
        with self.assertRaises(AccessError):
            self.lockouts().with_user(auditor).action_unlock()

    def test_a_lock_ends_by_itself(self):
        self.lock()
        self.env.cr.execute(
            "UPDATE integration_lockout SET locked_until = locked_until - interval '1 h'"
        )
        lockout.forget()
        self.assert_accepted(self.post({"name": "A"}))

    def test_the_token_endpoint_locks_client_ids(self):
        self.use_settings(lockout_failures="2")
        form = (
            f"grant_type=client_credentials&client_id={self.client.oauth_id}"
            "&client_secret=x"
        )
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        path = "/integration/v1/oauth/token"
        statuses = [
            self.call(path, form, headers, "POST").status_code for _ in range(3)
        ]
        self.assertEqual(statuses, [401, 401, 429])
        self.assertEqual(self.lockouts().client_id, self.client)


@tagged("post_install", "-at_install")
class TestAccessLog(GateCase):
    def test_a_call_is_one_line_without_content(self):
        response = self.call(
            f"{MESSAGES}/reception-in?secret=1",
            b'{"name": "A"}',
            {
                "Authorization": f"Bearer {self.key}",
                "Content-Type": "application/json",
                "X-Request-Id": "order-4711-a",
            },
        )
        self.assert_accepted(response)
        self.assertEqual(response.headers["X-Request-Id"], "order-4711-a")
        line = self.log()
        self.assertRecordValues(
            line,
            [
                {
                    "client_id": self.client.id,
                    "key_id": self.client.key_ids.id,
                    "company_id": self.company.id,
                    "auth": "key",
                    "method": "POST",
                    "route": f"{MESSAGES}/<string:code>",
                    "scope": "messages:write",
                    "status": 202,
                    "outcome": "ok",
                    "address": "127.0.0.1",
                    "bytes_in": 13,
                    "request_id": "order-4711-a",
                    "hits": 1,
                }
            ],
        )
        self.assertGreater(line.duration_ms, 0)
        self.assertEqual(line.bytes_out, len(response.content))

    def test_a_refused_call_of_a_client_has_its_problem(self):
        self.assert_problem(self.post(b"{"), 400)
        line = self.log()
        self.assertEqual((line.status, line.outcome), (400, "refused"))
        self.assertEqual(line.client_id, self.client)
        self.assertTrue(line.code)

    def test_strangers_are_counted(self):
        for _number in range(4):
            self.post({"name": "A"}, key=None)
        self.assertEqual(sum(self.log().mapped("hits")), 4)
        self.assertLessEqual(len(self.log()), 2)  # a minute may end in between
        self.assertFalse(self.log().client_id)

    def test_many_strangers_cannot_fill_the_table(self):
        addresses = iter(f"198.51.{n // 250}.{n % 250}" for n in range(400))
        self.use_settings(**PROXY)
        for address in addresses:
            self.post({}, key=None, X_Forwarded_For=address)
        self.assertLessEqual(len(self.log()), 2 * access_log.MOST_STRANGERS + 2)
        self.assertEqual(sum(self.log().mapped("hits")), 400)

    def test_the_last_use_is_noted_once_a_minute(self):
        self.assert_accepted(self.post({"name": "A"}))
        self.log()
        key = self.client.key_ids
        first = key.last_used_at
        self.assertTrue(first and self.client.last_used_at)
        self.assertEqual(key.last_used_from, "127.0.0.1")
        self.assert_accepted(self.post({"name": "A"}))
        self.log()
        self.assertEqual(key.last_used_at, first)
        key.last_used_at = first - timedelta(minutes=2)
        self.assert_accepted(self.post({"name": "A"}))
        self.log()
        self.assertGreaterEqual(key.last_used_at, first)

    def test_a_failed_attempt_is_no_use_of_the_key(self):
        self.client.allowed_networks = "203.0.113.0/24"
        self.post({"name": "A"})
        self.log()
        self.assertFalse(self.client.key_ids.last_used_at)

    def test_clients_deleted_meanwhile_are_left_out(self):
        self.assert_accepted(self.post({"name": "A"}))
        self.env["integration.message"].search([]).unlink()
        self.client.unlink()
        self.assertFalse(self.log().client_id)

    def test_old_calls_are_forgotten(self):
        self.assert_accepted(self.post({"name": "A"}))
        self.use_settings(access_log_days="2")
        line = self.log()
        line.env.cr.execute(
            "UPDATE integration_access_log SET created_at = created_at - interval '3 days'"
        )
        line._gc_old()
        self.assertFalse(self.log())

    def test_only_administrators_and_auditors_of_the_company_see_it(self):
        self.assert_accepted(self.post({"name": "A"}))
        line = self.log()
        for group in ("administrator", "auditor"):
            theirs = self.make_user(group, company=self.company)
            self.assertTrue(line.with_user(theirs).search([("id", "=", line.id)]))
            strangers = line.with_user(self.make_user(group))
            self.assertFalse(strangers.search([("id", "=", line.id)]))
        with self.assertRaises(AccessError):
            line.with_user(self.make_user("operator")).read(["route"])

    def test_the_servers_log_has_neither_query_nor_key(self):
        path = f"{MESSAGES}/reception-in?access_token={self.key}"
        logger = logging.getLogger("werkzeug")
        line = '"POST %s HTTP/1.1" %s', (path, 202)
        record = logger.makeRecord("werkzeug", logging.INFO, "", 1, *line, None)
        self.assertTrue(logger.filter(record))
        text = record.getMessage()
        self.assertIn("/integration/v1/messages…", text)
        self.assertNotIn("access_token", text)
        self.assertNotIn(self.key, text)

    def test_the_log_never_fails_a_call(self):
        with patch.object(calls.access_log, "note", side_effect=RuntimeError("full")):
            with self.assertLogs("odoo.addons.healthcare_integration_base", "ERROR"):
                self.assert_accepted(self.post({"name": "A"}))
