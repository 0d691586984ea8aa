# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Whatever comes in: a 4xx in problem+json, nothing stored, no traceback."""

import json
import logging
import socket
from unittest.mock import patch
from urllib.parse import urlsplit

import psycopg2
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged
from odoo.tools import mute_logger

from ..engine import receive
from .reception_common import MESSAGES, ReceptionCase

PROBLEM = "odoo.addons.healthcare_integration_base.controllers.problem"
CLOUDEVENTS = "application/cloudevents+json"
FUZZ = settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)


@tagged("post_install", "-at_install")
class TestBadInput(ReceptionCase):
    def assert_refused(self, response, status, code):
        self.assert_problem(response, status, code)
        self.assertFalse(self.messages())

    def test_forms_are_refused_before_anything_else(self):
        for content_type in (
            "application/x-www-form-urlencoded",
            "multipart/form-data; boundary=x",
            "Multipart/Form-Data",
        ):
            for key in (True, None):
                response = self.post(b"a=b", content_type=content_type, key=key)
                self.assert_refused(response, 415, "unsupported_media_type")

    def test_other_content_types_are_refused_to_those_who_may_send(self):
        for content_type in (
            "text/plain",
            "application/xml",
            "application/cloudevents-batch+json",
            "x",
        ):
            self.assert_refused(
                self.post(b"{}", content_type=content_type),
                415,
                "unsupported_media_type",
            )
            self.assert_refused(
                self.post(b"{}", content_type=content_type, key=None),
                401,
                "missing_credentials",
            )

    def test_a_body_without_content_type_is_refused(self):
        answer = self.raw_request(
            f"POST {MESSAGES}/reception-in HTTP/1.1",
            f"Authorization: Bearer {self.key}",
            "Content-Length: 2",
            body=b"{}",
        )
        self.assertIn(b" 415 ", answer.splitlines()[0])

    def test_compressed_bodies_are_refused(self):
        response = self.post(b"\x1f\x8b", Content_Encoding="gzip")
        self.assert_refused(response, 415, "unsupported_content_encoding")

    def test_the_size_limit_of_the_endpoint(self):
        self.endpoint.policy_id = self.endpoint.policy_id.copy({"max_body_size": 100})
        exact = json.dumps({"name": "x"}).encode().ljust(100)
        self.assert_refused(self.post(exact + b" "), 413, "body_too_large")
        self.assert_accepted(self.post(exact))

    def test_the_size_is_checked_before_the_caller(self):
        self.endpoint.policy_id = self.endpoint.policy_id.copy({"max_body_size": 100})
        self.assert_refused(self.post(b" " * 101, key=None), 413, "body_too_large")

    def test_ten_megabytes_are_refused_and_the_connection_survives_it(self):
        body = json.dumps({"name": "x" * 10_000_000}).encode()
        self.assert_refused(self.post(body), 413, "body_too_large")

    def test_a_body_without_length_is_refused(self):
        response = self.call(
            f"{MESSAGES}/reception-in",
            iter([b'{"name": ', b'"x"}']),
            {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"},
            method="POST",
        )
        self.assert_refused(response, 411, "length_required")

    def test_a_body_where_none_belongs_is_refused_unread(self):
        path = f"{MESSAGES}/00000000-0000-7000-8000-000000000000"
        for header in ("Content-Length: 30000000", "Transfer-Encoding: chunked"):
            answer = self.raw_request(f"GET {path} HTTP/1.1", header, half_close=True)
            self.assertIn(b" 400 ", answer.split(b"\r\n")[0])
            self.assertIn(b"unexpected_body", answer)

    def test_a_false_length_is_refused(self):
        for length in ("x", "1e3", ""):
            answer = self.raw_request(
                f"POST {MESSAGES}/reception-in HTTP/1.1",
                f"Authorization: Bearer {self.key}",
                "Content-Type: application/json",
                f"Content-Length: {length}",
            )
            self.assertRegex(answer.splitlines()[0], rb"^HTTP/1.1 4\d\d ")
        self.assertFalse(self.messages())

    def test_a_body_shorter_than_its_length_is_not_stored(self):
        self.raw_request(
            f"POST {MESSAGES}/reception-in HTTP/1.1",
            f"Authorization: Bearer {self.key}",
            "Content-Type: application/json",
            "Content-Length: 100",
            body=b'{"name": "x"}',
            half_close=True,
        )
        self.assertFalse(self.messages())

    def test_broken_json_is_refused_after_the_caller_is_known(self):
        self.assert_refused(self.post(b"{"), 400, "invalid_json")
        self.assert_refused(self.post(b"{", key=None), 401, "missing_credentials")
        self.assert_refused(self.post(b""), 400, "invalid_json")

    def test_deep_and_huge_json(self):
        self.assert_refused(self.post(b"[" * 500_000), 400, "json_too_deep")
        self.assert_refused(self.post(b'{"a":' * 100_000), 400, "json_too_deep")
        self.assert_refused(self.post(b'{"a": 1e9999}'), 400, "number_out_of_range")
        self.assert_refused(
            self.post(b'{"a": ' + b"7" * 500_000 + b"}"), 400, "number_out_of_range"
        )
        self.assert_refused(self.post(b"[1]"), 400, "not_an_object")

    def test_wrong_encodings(self):
        self.assert_refused(
            self.post('{"name": "é"}'.encode("latin-1")), 400, "invalid_encoding"
        )
        self.assert_refused(
            self.post('{"name": "é"}'.encode("utf-16")), 400, "invalid_encoding"
        )
        self.assert_refused(self.post(b'{"name": "\\u0000"}'), 400, "invalid_text")
        self.assert_refused(self.post(b'{"name": "\\udc00"}'), 400, "invalid_text")
        charset = "application/json; charset=utf-16"
        self.assert_refused(
            self.post(b"{}", content_type=charset), 415, "unsupported_charset"
        )

    def test_broken_cloudevents(self):
        for body in (
            b"{}",
            b'{"specversion": "1.0"}',
            b'{"specversion": "1.0", "id": "\\n"}',
        ):
            self.assert_refused(
                self.post(body, content_type=CLOUDEVENTS), 400, "invalid_cloudevent"
            )

    def test_ids_that_are_no_ids(self):
        for value in ("\xe9", "x" * 256, '""', "a\x7fb", "a b"):
            self.assert_refused(
                self.post({"name": "A"}, webhook_id=value), 400, "bad_id"
            )

    def test_endpoint_codes_that_cannot_be(self):
        for code in (
            "%00",
            "%ff%fe",
            "reception-in%00",
            "x" * 4000,
            "reception-in'--",
            "%F0%9F%92%A9",
        ):
            self.assert_refused(
                self.post({"name": "A"}, code=code), 404, "unknown_endpoint"
            )

    def test_unknown_addresses(self):
        for path in (
            "/integration/v1",
            "/integration/v1/",
            "/integration/v1/nothing",
            "/integration/v1/messages",
            "/integration/v1/messages/reception-in/more/of/it",
            "/integration/v1/%ff",
        ):
            for method in ("GET", "POST", "DELETE"):
                response = self.call(
                    path, b"{}" if method == "POST" else None, method=method
                )
                self.assert_refused(response, 404, "unknown_route")

    def test_other_methods_are_told_which_ones_there_are(self):
        for method in ("PUT", "DELETE", "PATCH"):
            response = self.call(f"{MESSAGES}/reception-in", b"{}", method=method)
            self.assert_refused(response, 405, "method_not_allowed")
            self.assertIn("POST", response.headers["Allow"])

    def test_a_missing_key_ring_loses_nothing(self):
        self.event_type.sensitivity = "phi"
        self.use_settings(encryption_key=None)
        with self.assertLogs(PROBLEM, logging.ERROR):
            response = self.post({"name": "A"}, webhook_id="m-1")
        self.assert_refused(response, 503, "keyring_missing")
        self.assertNotIn("odoo.conf", response.text)
        self.assertIn("Retry-After", response.headers)
        self.use_settings()
        self.assert_accepted(self.post({"name": "A"}, webhook_id="m-1"))

    def test_an_error_of_ours_is_answered_without_details(self):
        for error, status, code in (
            (KeyError("secret"), 500, "internal_error"),
            (UserError("secret"), 500, "internal_error"),
            (AccessError("secret"), 403, "forbidden"),
            (ZeroDivisionError(), 500, "internal_error"),
        ):
            with patch.object(receive, "keep", side_effect=error):
                with self.assertLogs(PROBLEM, logging.INFO) as logs:
                    response = self.post({"name": "A"})
            self.assert_refused(response, status, code)
            self.assertNotIn("secret", response.text + str(logs.output))

    def test_a_database_in_trouble_asks_to_come_back(self):
        with patch.object(
            receive, "keep", side_effect=psycopg2.OperationalError("secret")
        ):
            with mute_logger("odoo.http"):
                response = self.post({"name": "A"})
        self.assert_refused(response, 503, "temporarily_unavailable")
        self.assertNotIn("secret", response.text)

    def test_other_paths_keep_odoos_own_answers(self):
        response = self.call("/integration/v10/nothing")
        self.assertEqual(response.status_code, 404)
        self.assertNotEqual(
            response.headers["Content-Type"], "application/problem+json"
        )

    def raw_request(self, *head, body=b"", half_close=False):
        """Send what no HTTP client would; return all that comes back."""
        address = urlsplit(self.base_url())
        cookie = f"Cookie: test_request_key={self.http_request_key}"
        lines = [*head, f"Host: {address.netloc}", cookie, "Connection: close", "", ""]
        with self.allow_requests(all_requests=True):
            with socket.create_connection(
                (address.hostname, address.port), 20
            ) as connection:
                connection.sendall("\r\n".join(lines).encode("latin-1") + body)
                if half_close:
                    connection.shutdown(socket.SHUT_WR)
                return b"".join(iter(lambda: connection.recv(65536), b""))


_texts = st.text(
    st.characters(codec="latin-1", exclude_characters="\r\n\0"), max_size=60
)
_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4)
    | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


def is_object(body):
    """Tell whether Python reads a JSON object."""
    try:
        return isinstance(json.loads(body), dict)
    except (ValueError, RecursionError):
        return False


@tagged("post_install", "-at_install")
class TestFuzz(ReceptionCase):
    """Generated requests; nothing that is not a JSON object may be stored."""

    def assert_client_error(self, response):
        self.assertTrue(400 <= response.status_code < 500, response.text[:500])
        self.assert_problem(response, response.status_code)
        self.assertFalse(self.messages())

    def test_random_bytes(self):
        @FUZZ
        @given(
            st.binary(max_size=300).filter(lambda body: not is_object(body)),
            st.sampled_from(["application/json", CLOUDEVENTS]),
        )
        def check(body, content_type):
            self.assert_client_error(self.post(body, content_type=content_type))

        check()

    def test_random_content_types(self):
        @FUZZ
        @given(_texts.filter(lambda text: "json" not in text.lower()))
        def check(content_type):
            self.assert_client_error(
                self.post(b'{"name": "A"}', content_type=content_type.strip())
            )

        check()

    def test_random_form_bodies(self):
        @FUZZ
        @given(st.binary(max_size=300))
        def check(body):
            for content_type in (
                "application/x-www-form-urlencoded",
                "multipart/form-data; boundary=b",
            ):
                self.assert_client_error(self.post(body, content_type=content_type))

        check()

    def test_random_credentials(self):
        @FUZZ
        @given(_texts, _texts, _texts, _texts)
        def check(authorization, msg_id, timestamp, signature):
            headers = {
                "webhook-id": msg_id.strip(),
                "webhook-timestamp": timestamp.strip(),
                "webhook-signature": signature.strip(),
            }
            body = b'{"name": "A"}'
            self.assert_client_error(self.post(body, key=None, **headers))
            self.assert_client_error(
                self.post(body, key=None, Authorization=authorization.strip())
            )
            self.assert_client_error(
                self.post(body, key=None, Authorization=f"Bearer {signature}".strip())
            )

        check()

    def test_random_cloudevents(self):
        @FUZZ
        @given(
            st.fixed_dictionaries(
                {},
                optional={
                    name: _values
                    for name in (
                        "specversion",
                        "id",
                        "source",
                        "type",
                        "data",
                        "subject",
                        "time",
                    )
                },
            )
        )
        def check(event):
            body = json.dumps(event).encode()
            self.assert_client_error(self.post(body, content_type=CLOUDEVENTS))

        check()

    def test_random_objects_are_stored_or_refused(self):
        @FUZZ
        @given(st.dictionaries(st.text(max_size=8), _values, max_size=4))
        def check(document):
            response = self.post(json.dumps(document).encode())
            if response.status_code == 202:
                return
            self.assert_problem(response, 400)

        check()

    def test_random_paths(self):
        @FUZZ
        @given(st.binary(min_size=1, max_size=40))
        def check(tail):
            path = "".join(f"%{byte:02x}" for byte in tail)
            for method in ("GET", "POST"):
                headers = {
                    "Authorization": f"Bearer {self.key}",
                    "Content-Type": "application/json",
                }
                response = self.call(
                    f"/integration/v1/{path}",
                    b"{}" if method == "POST" else None,
                    headers,
                    method,
                )
                self.assert_client_error(response)

        check()
