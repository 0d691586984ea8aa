# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Who may hand in messages: keys, signatures (webhooks scenarios), scope; closed by default."""

import time
from datetime import timedelta

from odoo import fields
from odoo.tests import freeze_time, tagged
from odoo.tools import mute_logger

from ..protocol import signing
from .reception_common import MESSAGES, SECRET, ReceptionCase

# Message A of the Standard Webhooks vectors
VECTOR_BODY = b'{"test": 2432232314}'
VECTOR_ID = "msg_p5jXN8AQM9LWM0D4loKWxJek"
VECTOR_TIME = 1614265330
VECTOR_SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
STRANGER = "v1,Ceo5qEr07ixe2NLpvHk3FH9bwy/WavXrAFQ/9tdO6mc="


@tagged("post_install", "-at_install")
class TestApiKey(ReceptionCase):
    def test_without_credentials_nothing_is_taken(self):
        response = self.post({"name": "A"}, key=None)
        self.assert_problem(response, 401, "missing_credentials")
        self.assertTrue(response.headers["WWW-Authenticate"].startswith("Bearer"))
        self.assertFalse(self.messages())

    def test_a_wrong_key_is_refused(self):
        prefix = self.key.rpartition("_")[0]
        for wrong in (
            "x",
            self.key[:-1],
            self.key + "x",
            f"{prefix}_{'A' * 43}",
            prefix,
            "hik__",
        ):
            self.assert_problem(
                self.post({"name": "A"}, key=wrong), 401, "invalid_api_key"
            )
        self.assertFalse(self.messages())

    def test_malformed_authorization_headers_are_refused(self):
        for header in (
            "",
            "Bearer",
            f"Basic {self.key}",
            self.key,
            f"Bearer {self.key} x",
            "\xff",
        ):
            response = self.post({"name": "A"}, key=None, Authorization=header)
            self.assert_problem(response, 401)
        self.assertFalse(self.messages())

    def test_the_scheme_is_read_in_any_case(self):
        self.assert_accepted(
            self.post({"name": "A"}, key=None, Authorization=f"bEARER {self.key}")
        )

    def test_revoked_and_expired_keys_are_refused(self):
        key = self.client.key_ids
        key.expires_at = fields.Datetime.now() - timedelta(minutes=1)
        self.assert_problem(self.post({"name": "A"}), 401, "invalid_api_key")
        key.write({"expires_at": False, "active": False})
        self.assert_problem(self.post({"name": "A"}), 401, "invalid_api_key")

    def test_archived_and_expired_clients_are_refused(self):
        self.client.expires_at = fields.Datetime.now() - timedelta(minutes=1)
        self.assert_problem(self.post({"name": "A"}), 401, "invalid_api_key")
        self.client.write({"expires_at": False, "active": False})
        self.assert_problem(self.post({"name": "A"}), 401, "invalid_api_key")

    def test_a_client_whose_user_is_archived_is_refused(self):
        self.user.active = False
        self.assert_problem(self.post({"name": "A"}), 401, "invalid_api_key")
        self.assertFalse(self.messages())

    def test_two_keys_work_while_one_is_replaced(self):
        second = self.client._generate_key("second", None)
        self.assert_accepted(self.post({"name": "A"}))
        self.assert_accepted(self.post({"name": "B"}, key=second))

    def test_unknown_endpoint_and_foreign_endpoint_look_the_same(self):
        self.make_inbox("reception-foreign")
        foreign = self.post({"name": "A"}, code="reception-foreign")
        unknown = self.post({"name": "A"}, code="reception-unknown")
        self.assert_problem(foreign, 404, "unknown_endpoint")
        self.assertEqual(foreign.content, unknown.content)
        self.assertFalse(self.messages())

    def test_without_credentials_known_and_unknown_endpoints_look_the_same(self):
        known = self.post({"name": "A"}, key=None)
        unknown = self.post({"name": "A"}, key=None, code="reception-unknown")
        self.assertEqual(known.content, unknown.content)
        self.assertEqual((known.status_code, unknown.status_code), (401, 401))

    def test_the_key_of_one_client_does_not_open_the_endpoint_of_another(self):
        other = self.make_inbox("reception-b")
        client_b = self.make_client("B", other)
        self.assert_accepted(
            self.post(
                {"name": "A"}, code="reception-b", key=client_b._generate_key("k", None)
            )
        )
        self.assert_problem(self.post({"name": "A"}, code="reception-b"), 404)

    def test_a_session_of_a_user_opens_nothing(self):
        self.authenticate("admin", "admin")
        self.assert_problem(
            self.post({"name": "A"}, key=None), 401, "missing_credentials"
        )


@tagged("post_install", "-at_install")
class TestSignature(ReceptionCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.signer = cls.make_signing_client("Signer", cls.endpoint)

    def send(self, body=VECTOR_BODY, headers=None, code="reception-in", **changes):
        sent = {
            "webhook-id": VECTOR_ID,
            "webhook-timestamp": str(VECTOR_TIME),
            "webhook-signature": VECTOR_SIGNATURE,
            "Content-Type": "application/json",
        }
        sent.update({name.replace("_", "-"): value for name, value in changes.items()})
        sent.update(headers or {})
        sent = {name: value for name, value in sent.items() if value is not None}
        return self.call(f"{MESSAGES}/{code}", body, sent)

    def assert_verified(self, response):
        self.assert_accepted(response)
        self.assertEqual(self.messages()[-1].client_id, self.signer)

    def assert_refused(self, response, code):
        self.assert_problem(response, 401, code)
        self.assertFalse(self.messages())

    @freeze_time("2021-02-25 15:02:10")
    def test_the_vector_of_the_specification_verifies(self):
        self.assert_verified(self.send())
        self.assertEqual(self.messages().external_id, VECTOR_ID)

    @freeze_time("2021-02-25 15:02:10")
    def test_one_matching_token_among_several_is_enough(self):
        header = f"{STRANGER} v2,{STRANGER[3:]} x v1,a,b {VECTOR_SIGNATURE}"
        self.assert_verified(self.send(webhook_signature=header))

    @freeze_time("2021-02-25 15:02:10")
    def test_header_names_in_any_case(self):
        headers = {
            "WEBHOOK-ID": VECTOR_ID,
            "Webhook-Timestamp": str(VECTOR_TIME),
            "wEbHoOk-SiGnAtUrE": VECTOR_SIGNATURE,
        }
        nothing = dict.fromkeys(
            ("webhook_id", "webhook_timestamp", "webhook_signature")
        )
        self.assert_verified(self.send(headers=headers, **nothing))

    def test_a_clock_within_five_minutes_is_tolerated(self):
        for offset in (-299, 299):
            with freeze_time("2021-02-25 15:02:10") as clock:
                clock.tick(timedelta(seconds=offset))
                self.assert_accepted(self.send())

    def test_a_clock_further_away_is_refused(self):
        for offset in (-301, 301):
            with freeze_time("2021-02-25 15:02:10") as clock:
                clock.tick(timedelta(seconds=offset))
                self.assert_refused(self.send(), "timestamp_out_of_tolerance")

    @freeze_time("2021-02-25 15:02:10")
    def test_what_does_not_match_is_refused(self):
        for signature in (
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OA=",
            "v1,dawfeoifkpqwoekfpqoekf",
            "v1,",
            VECTOR_SIGNATURE[:8],
            VECTOR_SIGNATURE.replace("v1,", "v2,"),
            VECTOR_SIGNATURE.replace("v1,", ""),
            "\xff\xfe",
            " ".join([STRANGER] * 500),
        ):
            self.assert_refused(
                self.send(webhook_signature=signature), "no_matching_signature"
            )

    @freeze_time("2021-02-25 15:02:10")
    def test_one_changed_byte_of_the_body_is_refused(self):
        self.assert_refused(self.send(VECTOR_BODY + b" "), "no_matching_signature")
        self.assert_refused(self.send(b""), "no_matching_signature")

    @freeze_time("2021-02-25 15:02:10")
    def test_another_id_or_time_than_signed_is_refused(self):
        self.assert_refused(self.send(webhook_id="msg_2"), "no_matching_signature")
        changed = str(VECTOR_TIME + 1)
        self.assert_refused(
            self.send(webhook_timestamp=changed), "no_matching_signature"
        )

    @freeze_time("2021-02-25 15:02:10")
    def test_missing_headers_are_refused(self):
        self.assert_refused(self.send(webhook_id=None), "missing_header")
        self.assert_refused(self.send(webhook_timestamp=None), "missing_header")
        self.assert_refused(self.send(webhook_signature=None), "missing_credentials")

    @freeze_time("2021-02-25 15:02:10")
    def test_malformed_ids_and_times_are_refused(self):
        for stamp in (
            "hello",
            "1.5",
            "1e9",
            "+1614265330",
            "1_614_265_330",
            "-1",
            "9" * 30,
        ):
            self.assert_refused(self.send(webhook_timestamp=stamp), "bad_timestamp")
        for msg_id in ("a.b", "a b", "\xe9", "x" * 256):
            self.assert_refused(self.send(webhook_id=msg_id), "bad_id")

    def test_a_signature_by_somebody_elses_secret_is_refused(self):
        headers = self.signed(VECTOR_BODY, secret=signing.generate_secret())
        self.assert_refused(self.send(headers=headers), "no_matching_signature")

    def test_a_client_of_another_endpoint_cannot_sign_here(self):
        other = self.make_inbox("reception-b")
        secret = signing.generate_secret()
        self.make_signing_client("B", other, secret)
        headers = self.signed(VECTOR_BODY, secret=secret)
        self.assert_refused(self.send(headers=headers), "no_matching_signature")
        self.assert_accepted(self.send(headers=headers, code="reception-b"))

    def test_the_client_is_the_one_whose_secret_fits(self):
        secret = signing.generate_secret()
        second = self.make_signing_client("Second", self.endpoint, secret)
        self.assert_accepted(self.send(headers=self.signed(VECTOR_BODY, secret=secret)))
        self.assertEqual(self.messages().client_id, second)

    def test_a_client_without_a_secret_is_no_trouble_to_the_others(self):
        secret = signing.generate_secret()
        unready = self.make_signing_client("Unready", self.endpoint, secret)
        unready.credential_ids.write({"secret_token": False})
        forged = self.signed(VECTOR_BODY, secret=signing.generate_secret())
        self.assert_refused(self.send(headers=forged), "no_matching_signature")
        self.assert_accepted(self.send(headers=self.signed(VECTOR_BODY)))

    def test_an_unreadable_secret_asks_to_come_back_and_nobody_else_suffers(self):
        secret = signing.generate_secret()
        lost = self.make_signing_client("Lost", self.endpoint, secret)
        lost.credential_ids.write({"secret_token": b"hik1.gone.AAAA"})
        self.assert_accepted(self.send(headers=self.signed(VECTOR_BODY)))
        own = self.signed(VECTOR_BODY, secret=secret)
        with mute_logger("odoo.addons.healthcare_integration_base.controllers.problem"):
            self.assertEqual(self.send(headers=own).status_code, 503)

    def test_an_expired_client_cannot_sign(self):
        self.signer.expires_at = fields.Datetime.now() - timedelta(minutes=1)
        self.assert_refused(
            self.send(headers=self.signed(VECTOR_BODY)), "no_matching_signature"
        )

    def test_known_and_unknown_endpoints_look_the_same_to_a_forger(self):
        for headers in (
            self.signed(VECTOR_BODY, secret=signing.generate_secret()),
            self.signed(VECTOR_BODY, timestamp=time.time() - 999),
            {"webhook-id": "a.b"},
            {"webhook-timestamp": "x"},
        ):
            known = self.send(headers=headers)
            unknown = self.send(headers=headers, code="reception-unknown")
            self.assertEqual((known.status_code, known.content), (401, unknown.content))

    def test_the_previous_secret_works_in_its_grace_period(self):
        new = signing.generate_secret()
        self.signer.credential_ids._rotate(new, grace_days=7)
        self.assert_accepted(
            self.send(headers=self.signed(VECTOR_BODY, "m1", secret=SECRET))
        )
        self.assert_accepted(
            self.send(headers=self.signed(VECTOR_BODY, "m2", secret=new))
        )

    def test_a_signature_beside_a_key_must_fit_too(self):
        key = self.signer._generate_key("k", None)
        bearer = {"Authorization": f"Bearer {key}"}
        good = self.signed(VECTOR_BODY, "m1")
        bad = self.signed(b"other", "m2")
        self.assert_problem(
            self.send(headers=bad | bearer), 401, "no_matching_signature"
        )
        self.assert_accepted(self.send(headers=good | bearer))

    def test_the_same_id_with_another_body_is_a_conflict(self):
        self.assert_accepted(self.send(headers=self.signed(VECTOR_BODY, "m1")))
        again = self.send(b'{"name": "B"}', headers=self.signed(b'{"name": "B"}', "m1"))
        self.assert_problem(again, 409, "id_reused")
