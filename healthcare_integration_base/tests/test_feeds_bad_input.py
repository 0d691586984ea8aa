# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""What a feed refuses, and that nobody reads or finishes what is not his."""

from odoo import Command
from odoo.tests import tagged

from .feed_common import FEEDS, FeedCase

UNKNOWN = "01934a5c-7c1e-7b6a-9d53-0d7f0c2f5c11"


@tagged("post_install", "-at_install")
class TestFeedsBadInput(FeedCase):
    def test_parameters_that_cannot_be(self):
        queries = (
            "limit=0",
            "limit=501",
            "limit=-1",
            "limit=x",
            "limit=1.5",
            "limit=٣",
            "limit=" + "9" * 4000,
            "lease=9",
            "lease=3601",
            "lease=",
            "limit=1&limit=2",
            "wait=20",
            "types=",
            "types=no.such.type",
            "types=healthcare.x.v0",
            "types=%00",
            "cursor=%00",
        )
        self.publish()
        for query in queries:
            with self.subTest(query[:40]):
                response = self.fetch(query)
                self.assertEqual(response.status_code, 400, response.text[:300])
                self.assertNotIn("Traceback", response.text)
        self.assertEqual(len(self.items()), 1)

    def test_cursors_that_cannot_be(self):
        for cursor in ("x", "-1", "1" * 17, "1.0", ""):
            with self.subTest(cursor):
                self.assert_problem(
                    self.fetch(f"cursor={cursor}"), 400, "invalid_cursor"
                )
                response = self.say({"cursor": cursor})
                self.assertIn(response.status_code, (400, 422))

    def test_a_feed_that_is_not_there(self):
        push = self.make_endpoint(system_id=self.system.id, code="pushed")
        push._transition("active")
        self.client.endpoint_ids = [Command.link(push.id)]
        for code in ("nothing", "pushed", "%00", "x" * 3000):
            with self.subTest(code[:20]):
                response = self.fetch(code=code)
                self.assertEqual(response.status_code, 404, response.text[:300])

    def test_feeds_in_set_up_or_switched_off_are_not_there(self):
        for state in ("disabled", "draft"):
            self.feed._transition(state)
            self.assert_problem(self.fetch(), 404, "unknown_feed")

    def test_a_feed_of_another_environment_waits(self):
        self.system.environment = "production"
        self.assert_problem(self.fetch(), 503, "environment_mismatch")

    def test_without_a_key_or_scope(self):
        self.assert_problem(
            self.url_open(f"{FEEDS}/orders-feed"), 401, "missing_credentials"
        )
        self.assert_problem(self.fetch(key="hik_x"), 401, "invalid_api_key")
        scope = self.client.scope_ids.filtered(lambda one: one.scope == "feeds:read")
        scope.unlink()
        self.assertEqual(self.fetch().status_code, 403)
        self.assertEqual(self.say({"cursor": "1"}).status_code, 403)

    def test_a_scope_of_some_types(self):
        other_type = self.make_event_type()
        self.publish()
        wanted = self.publish(event_type=other_type)
        scope = self.client.scope_ids.filtered(lambda one: one.scope == "feeds:read")
        scope.event_type_ids = other_type
        self.assertEqual([i["uid"] for i in self.items()], [wanted.uid])
        self.assert_problem(
            self.fetch(f"types={self.event_type.code}"), 403, "event_type_not_allowed"
        )

    def test_a_client_that_does_not_list_the_feed(self):
        key = self.other_client(endpoints=self.feed.browse())
        self.assert_problem(self.fetch(key=key), 404, "unknown_feed")
        self.assert_problem(self.say({"cursor": "1"}, key=key), 404, "unknown_feed")

    def test_a_client_of_another_system(self):
        message = self.publish()
        items = self.items()
        system = self.make_system(company_id=self.company.id)
        key = self.other_client(system=system)
        self.assert_problem(self.fetch(key=key), 404, "unknown_feed")
        body = {"items": [{"uid": items[0]["uid"], "result": "delivered"}]}
        self.assert_problem(self.say(body, key=key), 404, "unknown_feed")
        self.assertEqual(message.state, "pending")

    def test_messages_of_another_company(self):
        shared = self.make_system(company_id=False)
        feed = self.make_feed("shared-feed", system_id=shared.id)
        foreign = self.publish(feed=feed, company_id=self.env.company.id)
        own = self.publish(feed=feed)
        user = self.make_user(company=self.company)
        key = self.other_client(system=shared, endpoints=feed, user_id=user.id)
        page = self.fetch(key=key, code="shared-feed").json()
        self.assertEqual([i["uid"] for i in page["items"]], [own.uid])
        body = {"items": [{"uid": foreign.uid, "result": "delivered"}]}
        (answer,) = self.say(body, key=key, code="shared-feed").json()["items"]
        self.assertEqual((answer["status"], answer["code"]), (404, "unknown_message"))
        self.assertEqual(foreign.state, "pending")

    def test_messages_of_another_feed(self):
        other = self.make_feed("other-feed")
        message = self.publish(feed=other)
        body = {"items": [{"uid": message.uid, "result": "delivered"}]}
        (answer,) = self.say(body).json()["items"]
        self.assertEqual(answer["code"], "unknown_message")

    def test_items_are_answered_one_by_one(self):
        self.publish(2)
        items = self.items("limit=1")
        waiting = self.env["integration.message"].search(
            [("endpoint_id", "=", self.feed.id), ("uid", "!=", items[0]["uid"])]
        )
        words = [
            {"uid": UNKNOWN, "result": "delivered"},
            {"uid": waiting.uid, "result": "delivered"},
            {"uid": items[0]["uid"].upper(), "result": "delivered"},
        ]
        answers = self.say({"items": words}).json()["items"]
        self.assertEqual(
            [(one["status"], one.get("code")) for one in answers],
            [(404, "unknown_message"), (409, "not_leased"), (200, None)],
        )
        self.assertEqual(waiting.state, "pending")

    def test_bodies_that_are_refused(self):
        (item,) = (self.publish(), self.items())[1]
        word = {"uid": item["uid"], "result": "delivered"}
        bad = [
            {},
            {"items": []},
            {"items": [word], "cursor": "1"},
            {"items": [{**word, "result": "posted"}]},
            {"items": [{**word, "result": None}]},
            {"items": [{**word, "uid": "x"}]},
            {"items": [{**word, "uid": 1}]},
            {"items": [{**word, "reason": "x" * 2001}]},
            {"items": [{**word, "lease": "x" * 36}]},
            {"items": [{**word, "more": 1}]},
            {"items": [word] * 1001},
            {"items": [word, word]},
            {"items": "all"},
            {"cursor": 1},
        ]
        for body in bad:
            with self.subTest(str(body)[:60]):
                response = self.say(body)
                self.assertEqual(response.status_code, 422, response.text[:300])
        message = self.env["integration.message"].search([("uid", "=", item["uid"])])
        self.assertEqual(message.state, "pending")

    def test_bytes_that_are_no_json(self):
        for body in (b"", b"{", b"[]", b'{"a": NaN}', b"\xff", b'"x"', b"[" * 5000):
            with self.subTest(body[:10]):
                response = self.say(body)
                self.assertEqual(response.status_code, 400, response.text[:300])
        for text in ("text/plain", "application/x-ndjson", ""):
            response = self.call(
                f"{FEEDS}/orders-feed/acknowledgements", b"{}", content_type=text
            )
            self.assertEqual(response.status_code, 415)

    def test_a_reason_with_control_characters(self):
        items = (self.publish(), self.items())[1]
        words = [{"uid": items[0]["uid"], "result": "rejected", "reason": "a\u0000b"}]
        self.assertEqual(self.say({"items": words}).status_code, 400)
        (answer,) = self.acknowledge(items, "rejected", reason="a\u0007\u202eb")
        self.assertEqual(answer["state"], "dead")
