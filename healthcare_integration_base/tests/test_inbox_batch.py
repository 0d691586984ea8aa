# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Many messages in one request: a result per line, bad lines cost no other one."""

import json
from unittest.mock import patch

from odoo.tests import tagged

from ..controllers import intake
from .reception_common import CODE, MESSAGES, ReceptionCase

NDJSON = "application/x-ndjson"


def lines(*documents):
    """Return documents as a batch; bytes are taken as they are."""
    parts = [
        one if isinstance(one, bytes) else json.dumps(one).encode() for one in documents
    ]
    return b"\n".join(parts)


def event(uid, name, **attributes):
    return {
        "specversion": "1.0",
        "id": uid,
        "source": "urn:partner",
        "type": f"healthcare.{CODE}.v1",
        "data": {"name": name},
        **attributes,
    }


@tagged("post_install", "-at_install")
class TestInboxBatch(ReceptionCase):
    def send(self, body, content_type=NDJSON, key=None, code="reception-in", **headers):
        headers = {name.replace("_", "-"): text for name, text in headers.items()}
        headers["Content-Type"] = content_type
        headers.setdefault("Authorization", f"Bearer {key or self.key}")
        return self.call(f"{MESSAGES}/{code}/batch", body, headers, "POST")

    def results(self, response):
        self.assertEqual(response.status_code, 200, response.text[:500])
        self.assertEqual(response.headers["Content-Type"], NDJSON)
        return [json.loads(line) for line in response.text.splitlines()]

    def test_each_line_becomes_a_message_in_its_order(self):
        names = [f"Partner {number}" for number in range(25)]
        found = self.results(self.send(lines(*({"name": name} for name in names))))
        self.assertEqual([one["line"] for one in found], list(range(1, 26)))
        self.assertEqual({one["status"] for one in found}, {202})
        messages = self.messages()
        self.assertEqual(messages.mapped("uid"), [one["uid"] for one in found])
        self.assertEqual(
            [json.loads(self.stored_body(one))["name"] for one in messages], names
        )
        self.assertEqual([self.queued(one) for one in messages], [1] * 25)
        self.assertEqual(messages.company_id, self.company)

    def test_bad_lines_cost_no_other_one(self):
        body = lines(
            {"name": "first"},
            b"not json",
            b"\xff\xfe",
            b"",
            b"[1]",
            b"   ",
            b'{"name": NaN}',
            {"name": "last"},
        )
        found = self.results(self.send(body))
        self.assertEqual(
            [(one["line"], one["status"]) for one in found],
            [(1, 202), (2, 400), (3, 400), (5, 400), (7, 400), (8, 202)],
        )
        codes = [one["problem"]["code"] for one in found if "problem" in one]
        self.assertEqual(
            codes, ["invalid_json", "invalid_encoding", "not_an_object", "invalid_json"]
        )
        self.assertEqual(len(self.messages()), 2)

    def test_what_is_applied_is_what_the_lines_say(self):
        found = self.results(
            self.send(
                lines(
                    {"name": "Plain"},
                    event("e-1", "Event"),
                    {"message_id": "m-1", "content": {"name": "Wrapped"}},
                )
            )
        )
        self.assertEqual({one["status"] for one in found}, {202})
        self.apply_all()
        self.assertEqual(set(self.messages().mapped("state")), {"done"})
        self.assertEqual(
            self.messages().mapped("res_name"), ["Plain", "Event", "Wrapped"]
        )
        ids = self.messages().mapped("external_id")
        self.assertEqual(ids[1:], ["e-1", "m-1"])

    def test_the_same_line_twice_is_one_message(self):
        body = lines(event("e-1", "A"), event("e-1", "A"), event("e-1", "other"))
        found = self.results(self.send(body))
        self.assertEqual([one["status"] for one in found], [202, 202, 409])
        self.assertEqual(found[0]["uid"], found[1]["uid"])
        self.assertEqual(found[2]["problem"]["code"], "id_reused")
        self.assertEqual(len(self.messages()), 1)

    def test_a_batch_sent_again_gets_the_same_answer(self):
        body = lines(event("e-1", "A"), {"name": "B"}, b"nonsense")
        first = self.send(body)
        second = self.send(body)
        self.assertEqual(first.text, second.text)
        self.assertEqual(len(self.messages()), 2)

    def test_a_part_of_it_may_have_come_before(self):
        self.send(lines(event("e-1", "A")))
        found = self.results(self.send(lines(event("e-2", "B"), event("e-1", "A"))))
        self.assertEqual([one["status"] for one in found], [202, 202])
        self.assertEqual(self.messages().mapped("external_id"), ["e-1", "e-2"])

    def test_a_single_message_and_a_line_have_the_same_ids(self):
        document = event("e-1", "A")
        uid = self.assert_accepted(
            self.post(
                json.dumps(document).encode(),
                content_type="application/cloudevents+json",
            )
        )
        found = self.results(self.send(lines(document)))
        self.assertEqual(found[0]["uid"], uid)

    def test_an_id_is_free_again_when_its_window_is_over(self):
        self.endpoint.dedupe_days = 7
        self.send(lines(event("e-1", "A")))
        self.age(self.messages(), 8)
        found = self.results(self.send(lines(event("e-1", "B"), event("e-1", "C"))))
        self.assertEqual([one["status"] for one in found], [202, 409])
        self.assertEqual(len(self.messages()), 2)

    def test_types_are_judged_line_by_line(self):
        found = self.results(
            self.send(
                lines(
                    event("e-1", "A", type="healthcare.no.such.v1"), event("e-2", "B")
                )
            )
        )
        self.assertEqual([one["status"] for one in found], [400, 202])
        self.assertEqual(found[0]["problem"]["code"], "unknown_event_type")

    def test_a_long_line_is_refused_alone(self):
        self.endpoint.policy_id.max_body_size = 200
        found = self.results(self.send(lines({"name": "x" * 300}, {"name": "short"})))
        self.assertEqual([one["status"] for one in found], [413, 202])

    def test_lines_about_one_thing_keep_their_order(self):
        self.send(
            lines(
                *(
                    event(f"e-{number}", f"N{number}", partitionkey="k")
                    for number in range(3)
                )
            )
        )
        self.assertEqual(self.messages().mapped("ordering_key"), ["k"] * 3)
        entries = self.env["integration.queue.entry"].search([], order="seq")
        self.assertEqual(
            entries.mapped("message_id").ids, self.messages().ids, "in their order"
        )

    def test_too_many_lines_are_refused_and_none_is_stored(self):
        self.startPatcher(patch.object(intake, "MAX_MESSAGES", 3))
        response = self.send(lines(*({"name": f"{n}"} for n in range(4))))
        self.assert_problem(response, 413, "too_many_lines")
        self.assertFalse(self.messages())

    def test_what_is_no_batch_is_refused(self):
        good = lines({"name": "A"})
        self.assert_problem(self.send(b""), 400, "empty_batch")
        self.assert_problem(self.send(b"\n\n \r\n"), 400, "empty_batch")
        for content_type in ("application/json", "text/plain", "application/xml"):
            self.assert_problem(
                self.send(good, content_type=content_type),
                415,
                "unsupported_media_type",
            )
        self.assert_problem(
            self.send(good, content_type=f"{NDJSON}; charset=latin-1"),
            415,
            "unsupported_charset",
        )
        self.assertFalse(self.messages())

    def test_only_clients_of_the_endpoint_may_send_one(self):
        good = lines({"name": "A"})
        self.make_inbox("other-in")
        self.assert_problem(self.send(good, code="other-in"), 404, "unknown_endpoint")
        self.assert_problem(self.send(good, code="no-such"), 404, "unknown_endpoint")
        self.assert_problem(
            self.send(good, Authorization="Bearer hik_00000000_" + "x" * 43), 401
        )
        self.assertFalse(self.messages())

    def test_a_protected_type_is_stored_as_ciphertext(self):
        self.event_type.sensitivity = "phi"
        found = self.results(self.send(lines({"name": "Jane"}, {"name": "Jane"})))
        self.assertEqual(found[0]["uid"], found[1]["uid"])
        message = self.messages()
        self.assertNotIn(b"Jane", self.raw_body(message))
        self.assertEqual(json.loads(self.stored_body(message)), {"name": "Jane"})
