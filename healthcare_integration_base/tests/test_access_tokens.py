# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""OAuth 2.0: the token endpoint, its errors (RFC 6749, 5.2), and what tokens open."""

import base64
import hmac
import json
import time
from datetime import timedelta
from urllib.parse import urlencode

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from odoo import fields
from odoo.tests import freeze_time, tagged

from ..protocol import keyring, tokens
from .reception_common import ReceptionCase

TOKEN = "/integration/v1/oauth/token"
FORM = "application/x-www-form-urlencoded"


class TokenCase(ReceptionCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.secret = cls.client._generate_key("oauth", None, "client_secret")

    def ask_token(self, body=None, *, content_type=FORM, headers=None, **form):
        """POST to the token endpoint; by default with id and secret in the form."""
        if body is None:
            body = urlencode({"grant_type": "client_credentials", **form})
        sent = {"Content-Type": content_type, **(headers or {})}
        return self.call(TOKEN, body, sent, "POST")

    def with_secret(self, **form):
        return self.ask_token(
            client_id=self.client.oauth_id, client_secret=self.secret, **form
        )

    def token(self, **form):
        response = self.with_secret(**form)
        self.assertEqual(response.status_code, 200, response.text)
        return response.json()["access_token"]

    def assert_oauth_error(self, response, status, error):
        self.assertEqual(response.status_code, status, response.text[:300])
        self.assertEqual(response.headers["Content-Type"], "application/json")
        self.assertEqual(response.headers["Cache-Control"], "no-store")
        self.assertEqual(response.json()["error"], error)
        self.assertTrue(response.json()["error_description"])
        if status == 401:
            self.assertTrue(response.headers["WWW-Authenticate"])


@tagged("post_install", "-at_install")
class TestTokenEndpoint(TokenCase):
    def test_a_secret_in_the_form_obtains_a_token(self):
        response = self.with_secret()
        answer = response.json()
        self.assertEqual((response.status_code, answer["token_type"]), (200, "Bearer"))
        self.assertEqual(answer["expires_in"], 600)
        self.assertIn("messages:write", answer["scope"].split())
        self.assertEqual(response.headers["Cache-Control"], "no-store")
        self.assert_accepted(self.post({"name": "A"}, key=answer["access_token"]))

    def test_a_secret_by_basic_authentication_obtains_a_token(self):
        pair = f"{self.client.oauth_id}:{self.secret}".encode()
        header = {"Authorization": "Basic " + base64.b64encode(pair).decode()}
        response = self.ask_token(headers=header)
        self.assertEqual(response.status_code, 200, response.text)

    def test_a_token_is_narrowed_to_the_scope_asked_for(self):
        token = self.token(scope="messages:read")
        self.assert_problem(self.post({"name": "A"}, key=token), 403, "scope_missing")

    def test_a_scope_the_client_lacks_is_refused(self):
        response = self.with_secret(scope="messages:write products:read")
        self.assert_oauth_error(response, 400, "invalid_scope")
        self.assert_oauth_error(self.with_secret(scope=" "), 400, "invalid_scope")

    def test_wrong_clients_look_alike(self):
        other = self.make_client("Other", self.endpoint)
        wrong = [
            {
                "client_id": self.client.oauth_id,
                "client_secret": self.secret[:-1] + "_",
            },
            {"client_id": "hic_0123456789abcdef", "client_secret": self.secret},
            {"client_id": other.oauth_id, "client_secret": self.secret},
            {"client_id": self.client.oauth_id, "client_secret": self.key},
            {"client_id": "Ω", "client_secret": "\0"},
        ]
        answers = [self.ask_token(**form) for form in wrong]
        for response in answers:
            self.assert_oauth_error(response, 401, "invalid_client")
        self.assertEqual(len({response.content for response in answers}), 1)

    def test_an_oauth_secret_is_no_api_key(self):
        self.assert_problem(self.post({"name": "A"}, key=self.secret), 401)

    def test_expired_and_revoked_secrets_are_refused(self):
        record = self.client.secret_ids
        record.expires_at = fields.Datetime.now() - timedelta(seconds=1)
        self.assert_oauth_error(self.with_secret(), 401, "invalid_client")
        record.expires_at = False
        record.action_revoke()
        self.assert_oauth_error(self.with_secret(), 401, "invalid_client")

    def test_bad_requests_are_told_what_is_wrong(self):
        pair = {"client_id": self.client.oauth_id, "client_secret": self.secret}
        cases = [
            ({"body": ""}, "invalid_request"),
            ({"body": "grant_type"}, "invalid_request"),
            ({"body": b"\xff\xfe=\xff"}, "invalid_request"),
            ({"body": "&".join(f"a{i}=1" for i in range(30))}, "invalid_request"),
            ({"body": "grant_type=client_credentials&a=1&a=2"}, "invalid_request"),
            ({**pair, "grant_type": "password"}, "unsupported_grant_type"),
            ({"body": "{}", "content_type": "application/json"}, "invalid_request"),
            ({**pair, "client_assertion": "a.b.c"}, "invalid_request"),
            ({"client_assertion": "a.b.c"}, "invalid_request"),
        ]
        for arguments, error in cases:
            with self.subTest(arguments):
                self.assert_oauth_error(self.ask_token(**arguments), 400, error)

    def test_missing_and_malformed_authentication_is_refused(self):
        self.assert_oauth_error(self.ask_token(), 401, "invalid_client")
        for header in ("Basic", "Basic !", "Bearer x", "Basic " + "A" * 40):
            response = self.ask_token(headers={"Authorization": header})
            self.assert_oauth_error(response, 401, "invalid_client")

    def test_a_large_form_and_other_forms_are_refused(self):
        self.assert_problem(self.ask_token(body="a=" + "x" * 20_000), 413)
        response = self.post("a=b", content_type=FORM)
        self.assert_problem(response, 415, "unsupported_media_type")


@tagged("post_install", "-at_install")
class TestAccessToken(TokenCase):
    def refused(self, token, code="invalid_token"):
        response = self.post({"name": "A"}, key=token)
        self.assert_problem(response, 401, code)
        self.assertIn("invalid_token", response.headers["WWW-Authenticate"])
        self.assertFalse(self.messages())

    def forged(self, **changes):
        """Return a token of ours with other claims, signed with a guessed key."""
        claims = jwt.decode(self.token(), options={"verify_signature": False})
        return {**claims, **changes}

    def test_an_archived_client_has_no_valid_token_any_more(self):
        token = self.token()
        self.client.active = False
        self.refused(token)

    def test_revoking_the_secret_kills_the_tokens_obtained_with_it(self):
        token = self.token()
        self.client.secret_ids.action_revoke()
        self.refused(token)

    def test_revoking_tokens_leaves_the_secret(self):
        token = self.token()
        self.client.action_revoke_tokens()
        self.refused(token)
        self.client.tokens_after -= timedelta(minutes=1)
        self.token()

    def test_archiving_the_user_kills_tokens(self):
        token = self.token()
        self.user.active = False
        self.refused(token)

    def test_a_scope_taken_from_the_client_is_gone_from_its_tokens(self):
        token = self.token()
        self.client.scope_ids.filtered(lambda s: s.scope == "messages:write").unlink()
        self.assert_problem(self.post({"name": "A"}, key=token), 403, "scope_missing")

    def test_forged_tokens_are_refused(self):
        claims = self.forged()
        header = {"typ": "at+jwt", "kid": "k"}
        unsigned = jwt.encode(claims, None, algorithm="none", headers=header)
        guessed = jwt.encode(claims, "x" * 32, algorithm="HS256", headers=header)
        parts = self.token().split(".")
        for token in (
            unsigned,
            guessed,
            ".".join([*parts[:2], ""]),
            ".".join([parts[0], parts[1][:-2] + "AA", parts[2]]),
            "a.b.c",
            "..",
            "." * 3,
        ):
            with self.subTest(token):
                response = self.post({"name": "A"}, key=token)
                self.assert_problem(response, 401)

    def test_an_expired_token_is_refused(self):
        self.use_settings(oauth_token_seconds="30")
        token = self.token()
        with self.frozen(seconds=31):
            self.refused(token, "token_expired")

    def frozen(self, **later):
        return freeze_time(fields.Datetime.now() + timedelta(**later), tick=True)

    def test_a_token_of_another_database_is_refused(self):
        token = self.token()
        self.env["ir.config_parameter"].set_param("database.uuid", "another")
        self.refused(token)

    def test_a_token_under_a_key_this_node_lacks_is_refused(self):
        token = self.token()
        self.use_settings(encryption_key=self.new_ring())
        self.refused(token)

    def new_ring(self):
        return keyring.generate().replace("k", "n", 1)

    def test_without_a_key_ring_no_token_is_issued_and_the_log_tells_why(self):
        self.use_settings(encryption_key=None)
        with self.assertLogs("odoo.addons.healthcare_integration_base") as log:
            self.assert_problem(self.with_secret(), 503)
        self.assertIn("encryption_key", "".join(log.output))


@tagged("post_install", "-at_install")
class TestPrivateKeyJwt(TokenCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.ec = ec.generate_private_key(ec.SECP256R1())
        cls.rsa = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        keys = [
            {**ECAlgorithm.to_jwk(cls.ec.public_key(), as_dict=True), "kid": "e"},
            {**RSAAlgorithm.to_jwk(cls.rsa.public_key(), as_dict=True), "kid": "r"},
        ]
        cls.client.jwks = json.dumps({"keys": keys})
        cls.serial = 0

    def assertion(self, key=None, algorithm="ES256", kid="e", **changes):
        base = self.env["ir.config_parameter"].get_param("web.base.url")
        self.__class__.serial += 1
        claims = {
            "iss": self.client.oauth_id,
            "sub": self.client.oauth_id,
            "aud": base + TOKEN,
            "exp": int(time.time()) + 60,
            "jti": f"{self.id()}-{self.serial}",
            **changes,
        }
        claims = {name: value for name, value in claims.items() if value is not None}
        headers = {"kid": kid} if kid else {}
        return jwt.encode(claims, key or self.ec, algorithm, headers=headers)

    def send(self, assertion, **form):
        return self.ask_token(
            client_assertion_type=tokens.ASSERTION_TYPE,
            client_assertion=assertion,
            **form,
        )

    def test_an_assertion_obtains_a_token(self):
        for key, algorithm, kid in (
            (self.ec, "ES256", "e"),
            (self.rsa, "RS256", "r"),
            (self.rsa, "RS384", None),
        ):
            response = self.send(self.assertion(key, algorithm, kid))
            self.assertEqual(response.status_code, 200, response.text)
        token = response.json()["access_token"]
        self.assert_accepted(self.post({"name": "A"}, key=token))

    def test_an_assertion_counts_once(self):
        assertion = self.assertion()
        self.assertEqual(self.send(assertion).status_code, 200)
        self.assert_oauth_error(self.send(assertion), 401, "invalid_client")

    def test_assertions_that_are_not_valid_are_refused(self):
        self.use_settings(lockout_failures="0")
        now = int(time.time())
        stranger = ec.generate_private_key(ec.SECP256R1())
        public = self.client.jwks
        wrong = {
            "signed by a stranger": self.assertion(stranger),
            "expired": self.assertion(exp=now - 60),
            "too long": self.assertion(exp=now + 3600),
            "for another": self.assertion(aud="https://elsewhere.example/token"),
            "without aud": self.assertion(aud=None),
            "without jti": self.assertion(jti=None),
            "without exp": self.assertion(exp=None),
            "exp is a text": self.assertion(exp="soon"),
            "jti is empty": self.assertion(jti=""),
            "of another issuer": self.assertion(iss="somebody"),
            "from the future": self.assertion(iat=now + 600),
            "unsigned": self.assertion_unsigned(),
            "public key as secret": self.assertion_by_hmac(public.encode()),
            "wrong kid": self.assertion(kid="x"),
            "no token": "a.b.c",
        }
        for name, assertion in wrong.items():
            with self.subTest(name):
                self.assert_oauth_error(self.send(assertion), 401, "invalid_client")

    def assertion_by_hmac(self, secret):
        """Return an assertion signed with HS256, which the library refuses to make."""
        parts = self.assertion().split(".")
        header = json.dumps({"alg": "HS256", "kid": "e"}).encode()
        parts[0] = base64.urlsafe_b64encode(header).rstrip(b"=").decode()
        content = ".".join(parts[:2])
        digest = hmac.digest(secret, content.encode(), "sha256")
        return f"{content}.{base64.urlsafe_b64encode(digest).rstrip(b'=').decode()}"

    def assertion_unsigned(self):
        claims = {"iss": self.client.oauth_id, "sub": self.client.oauth_id, "jti": "1"}
        return jwt.encode(claims, None, "none", headers={"kid": "e"})

    def test_strangers_do_not_learn_which_clients_exist(self):
        stranger = ec.generate_private_key(ec.SECP256R1())
        known = self.send(self.assertion(stranger))
        other = "hic_0123456789abcdef"
        unknown = self.send(self.assertion(stranger, iss=other, sub=other))
        self.assertEqual(known.content, unknown.content)

    def test_the_client_id_beside_must_be_the_same(self):
        response = self.send(self.assertion(), client_id="hic_0123456789abcdef")
        self.assert_oauth_error(response, 400, "invalid_request")

    def test_taking_the_keys_away_ends_it(self):
        self.client.jwks = False
        self.assert_oauth_error(self.send(self.assertion()), 401, "invalid_client")
