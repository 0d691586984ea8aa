# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""A feed gives what a push would send: the same bytes, order, log and guarantees."""

import base64
import json
import logging
import time

from standardwebhooks.webhooks import Webhook

from odoo.exceptions import ValidationError
from odoo.tests import tagged

from ..engine import store
from ..engine.sql import SQL, rows_of
from .feed_common import FeedCase

PROBLEM = "odoo.addons.healthcare_integration_base.controllers.problem"


@tagged("post_install", "-at_install")
class TestFeeds(FeedCase):
    def test_an_item_has_what_a_push_has(self):
        message = self.publish(key="order-1")
        (item,) = self.items()
        body = base64.b64decode(item["body_base64"])
        self.assertEqual(item["uid"], message.uid)
        self.assertEqual(item["headers"]["webhook-id"], message.uid)
        self.assertEqual(item["type"], f"healthcare.{self.event_type.code}.v1")
        self.assertEqual(item["attempt"], 1)
        self.assertEqual(item["ordering_key"], "order-1")
        self.assertEqual(item["body"], json.loads(body))
        self.assertEqual(item["body"]["data"], {"number": "P0"})
        self.assertEqual(
            Webhook(self.secret).verify(body, item["headers"]), item["body"]
        )

    def test_delivered_ends_it_with_an_attempt_by_the_client(self):
        message = self.publish()
        answer = self.acknowledge(self.items())
        self.assertEqual(
            answer, [{"uid": message.uid, "status": 200, "state": "delivered"}]
        )
        self.assertEqual(message.state, "delivered")
        self.assertTrue(message.finished_at and message.body_sha256 and message.size)
        self.assertRecordValues(
            message.attempt_ids,
            [
                {
                    "number": 1,
                    "outcome": "success",
                    "trigger": "automatic",
                    "client_id": self.client.id,
                }
            ],
        )
        self.assertIsNone(self.entry(message))
        self.assertEqual(self.items(), [])

    def test_what_is_leased_is_given_to_nobody_else(self):
        self.publish(3)
        first = self.items("limit=2")
        second = self.items("limit=2", key=self.other_client())
        self.assertEqual(len(first), 2)
        self.assertEqual(len(second), 1)
        self.assertFalse({i["uid"] for i in first} & {i["uid"] for i in second})

    def test_more_says_whether_to_ask_again_at_once(self):
        self.publish(3)
        self.assertTrue(self.fetch("limit=2").json()["more"])
        self.assertFalse(self.fetch("limit=2").json()["more"])

    def test_of_a_key_only_the_oldest_is_given(self):
        messages = self.publish(3, key="order-1")
        other = self.publish(1, key="order-2")
        items = self.items()
        self.assertEqual([i["uid"] for i in items], [messages[0].uid, other.uid])
        self.assertEqual(self.items(), [])
        self.acknowledge(items[:1])
        self.assertEqual([i["uid"] for i in self.items()], [messages[1].uid])

    def test_many_messages_of_one_key_do_not_hide_those_of_another(self):
        self.publish(5, key="order-1")
        other = self.publish(1, key="order-2")
        self.assertIn(other.uid, [i["uid"] for i in self.items("limit=2")])

    def test_an_expired_lease_is_an_unknown_attempt_and_gives_the_same_bytes(self):
        message = self.publish()
        (first,) = self.items()
        self.leases_end()
        (second,) = self.items()
        self.assertEqual(second["uid"], first["uid"])
        self.assertEqual(second["body_base64"], first["body_base64"])
        self.assertEqual(second["attempt"], 2)
        self.assertNotEqual(second["lease"], first["lease"])
        self.assertRecordValues(
            message.attempt_ids,
            [
                {
                    "number": 1,
                    "outcome": "unknown",
                    "error_code": "lease_expired",
                    "client_id": self.client.id,
                }
            ],
        )

    def test_a_consumer_that_never_acknowledges_does_not_kill_a_message(self):
        message = self.publish()
        for _turn in range(8):
            self.assertEqual(len(self.items()), 1)
            self.leases_end()
        self.assertEqual(message.state, "pending")
        self.assertEqual(len(self.items()), 1)

    def test_the_sweep_ends_leases(self):
        message = self.publish()
        self.items()
        self.leases_end()
        self.env["integration.drain"]._sweep()
        self.assertIsNone(self.entry(message)["claim"])
        self.assertEqual(message.attempt_count, 1)

    def test_the_sweep_leaves_lasting_leases_alone(self):
        message = self.publish()
        self.items("lease=3600")
        self.env.cr.execute(
            "UPDATE integration_queue_entry SET claimed_at = now() - interval '30 minutes'"
        )
        self.env["integration.drain"]._sweep()
        self.assertTrue(self.entry(message)["claim"])

    def test_late_but_nobody_else_had_it(self):
        message = self.publish()
        items = self.items()
        self.leases_end()
        self.assertEqual(self.acknowledge(items)[0]["state"], "delivered")
        self.assertEqual(message.state, "delivered")
        self.assertEqual(
            message.attempt_ids.sorted("id").mapped("outcome"), ["unknown", "success"]
        )
        self.assertEqual(message.attempt_count, 1)

    def test_late_and_somebody_else_has_it(self):
        message = self.publish()
        late = self.items()
        self.leases_end()
        key = self.other_client()
        current = self.items(key=key)
        (answer,) = self.acknowledge(late)
        self.assertEqual((answer["status"], answer["code"]), (409, "lease_lost"))
        self.assertEqual(message.state, "pending")
        self.assertEqual(self.acknowledge(current, key=key)[0]["state"], "delivered")

    def test_an_acknowledgement_may_be_repeated(self):
        message = self.publish()
        items = self.items()
        self.acknowledge(items)
        self.assertEqual(self.acknowledge(items)[0]["status"], 200)
        self.assertEqual(len(message.attempt_ids), 1)
        (answer,) = self.acknowledge(items, "failed")
        self.assertEqual((answer["status"], answer["code"]), (409, "already_finished"))

    def test_failed_comes_again_by_the_retry_schedule(self):
        message = self.publish()
        (answer,) = self.acknowledge(self.items(), "failed", reason="Disk full")
        self.assertEqual(answer["state"], "pending")
        self.assertIn("next_attempt_at", answer)
        self.assertEqual(self.items(), [])
        self.assertEqual(message.last_error_code, "partner_failed")
        self.assertIn("Disk full", message.last_error)
        self.assertEqual(message.attempt_ids.outcome, "failure")
        self.assertTrue(message.attempt_ids.next_attempt_at)
        self.retries_are_due()
        (item,) = self.items()
        self.assertEqual((item["uid"], item["attempt"]), (message.uid, 2))

    def test_failed_too_often_is_dead_with_a_case(self):
        message = self.publish()
        for _turn in range(3):
            self.retries_are_due()
            self.acknowledge(self.items(), "failed")
        self.assertEqual(message.state, "dead")
        self.assertTrue(message.exception_id)

    def test_rejected_is_dead_with_a_case_and_parks_its_key(self):
        first, second = self.publish(2, key="order-1")
        self.acknowledge(self.items(), "rejected", reason="Unknown item")
        self.assertEqual(first.state, "dead")
        self.assertEqual(first.last_error_class, "rejected")
        self.assertTrue(first.exception_id)
        self.assertEqual(bytes(first.sudo().attempt_ids.response), b"Unknown item")
        self.assertEqual(self.items(), [])
        first.action_skip()
        self.assertEqual([i["uid"] for i in self.items()], [second.uid])

    def test_a_replay_of_a_rejected_one_is_given_in_its_place(self):
        first, second = self.publish(2, key="order-1")
        self.acknowledge(self.items(), "rejected")
        first.action_replay()
        (item,) = self.items()
        replay = self.env["integration.message"].search(
            [("replay_of_id", "=", first.id)]
        )
        self.assertEqual(item["uid"], replay.uid)
        self.acknowledge([item])
        self.assertEqual(first.exception_id.state, "resolved")
        self.assertEqual([i["uid"] for i in self.items()], [second.uid])

    def test_up_to_a_cursor(self):
        messages = self.publish(3)
        items = self.items()
        answer = self.say({"cursor": items[1]["cursor"]}).json()
        self.assertEqual(answer, {"delivered": 2})
        self.assertEqual(
            messages.mapped("state"), ["delivered", "delivered", "pending"]
        )
        self.assertEqual(self.say({"cursor": "0"}).json(), {"delivered": 0})

    def test_a_cursor_acknowledges_nothing_of_another_consumer(self):
        message = self.publish()
        self.items()
        answer = self.say({"cursor": "9999999999999999"}, key=self.other_client())
        self.assertEqual(answer.json(), {"delivered": 0})
        self.assertEqual(message.state, "pending")

    def test_a_cursor_does_not_make_delivered_of_failed(self):
        message = self.publish()
        items = self.items()
        self.acknowledge(items, "failed")
        self.say({"cursor": items[0]["cursor"]})
        self.assertEqual(message.state, "pending")

    def test_an_interrupted_consumer_goes_on_after_its_cursor(self):
        self.publish(3)
        first = self.fetch("limit=2").json()
        again = self.fetch(f"cursor={first['items'][0]['cursor']}").json()
        uids = [i["uid"] for i in again["items"]]
        self.assertEqual(uids[0], first["items"][1]["uid"])
        self.assertEqual(len(uids), 2)
        self.assertEqual(again["items"][0]["attempt"], 1)
        (answer,) = self.acknowledge(first["items"][1:])
        self.assertEqual(answer["code"], "lease_lost")
        self.assertEqual(self.acknowledge(again["items"])[0]["state"], "delivered")

    def test_only_wanted_types(self):
        other_type = self.make_event_type()
        self.publish()
        wanted = self.publish(event_type=other_type)
        query = f"types={other_type.code},healthcare.{other_type.code}.v1"
        self.assertEqual([i["uid"] for i in self.items(query)], [wanted.uid])

    def test_paused_gives_nothing_and_says_so_but_takes_acknowledgements(self):
        message = self.publish(2)
        items = self.items("limit=1")
        self.feed.action_pause()
        page = self.fetch().json()
        self.assertEqual((page["items"], page["reason"]), ([], "paused"))
        self.assertEqual(self.acknowledge(items)[0]["state"], "delivered")
        self.feed.action_resume()
        self.assertEqual([i["uid"] for i in self.items()], [message[1].uid])

    def test_in_test_only_what_an_operator_sends(self):
        self.feed._transition("test")
        self.publish()
        self.assertEqual(self.items(), [])
        self.feed.action_send_test()
        (item,) = self.items()
        self.assertEqual(item["type"], "healthcare.integration.endpoint.tested.v1")
        self.acknowledge([item])
        attempt = self.env["integration.attempt"].search([], order="id desc", limit=1)
        self.assertEqual(attempt.trigger, "manual")

    def test_no_drain_is_woken_by_a_feed_or_finds_work_in_it(self):
        self.publish()
        with self.subTest("wake"):
            data = self.env.cr.postcommit.data
            self.assertFalse(data.get("integration.lanes"))
        rows = rows_of(self.env.cr, store.endpoints_with_work(SQL("TRUE")))
        self.assertNotIn(self.feed.id, [row["id"] for row in rows])

    def test_what_cannot_be_rendered_is_dead_and_stops_no_other(self):
        bad = self.publish()
        bad.event_id.sudo().write({"data": False, "error": "broken"})
        good = self.publish()
        self.assertEqual([i["uid"] for i in self.items()], [good.uid])
        self.assertEqual(bad.state, "dead")
        self.assertTrue(bad.exception_id)

    def test_without_the_key_ring_nothing_stays_leased(self):
        message = self.publish()
        self.use_settings(encryption_key=None)
        with self.assertLogs(PROBLEM, logging.ERROR):
            response = self.fetch()
        self.assertEqual(response.status_code, 503)
        self.assertIsNone(self.entry(message)["claim"])

    def test_the_endpoint_shows_when_it_was_fetched(self):
        self.assertFalse(self.feed.last_fetched_at)
        self.items()
        self.assertTrue(self.feed.last_fetched_at)
        self.assertTrue(
            self.feed.feed_url.endswith("/integration/v1/feeds/orders-feed")
        )

    def test_a_feed_is_outgoing(self):
        with self.assertRaises(ValidationError):
            self.make_endpoint(
                direction="in", transport="feed", system_id=self.system.id
            )

    def test_a_signature_authenticates(self):
        credential = self.make_credential(
            "signing_secret", secret=self.secret, company_id=self.company.id
        )
        self.client.credential_ids = credential
        self.publish()
        from ..protocol import signing

        headers = signing.headers(
            [signing.decode_secret(self.secret)], "fetch_1", int(time.time()), b""
        )
        response = self.url_open("/integration/v1/feeds/orders-feed", headers=headers)
        self.assertEqual(len(response.json()["items"]), 1)
