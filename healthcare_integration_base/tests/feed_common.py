# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""A feed with messages, and a client that fetches them over HTTP."""

import json

from odoo import Command
from odoo.tests import HttpCase

from ..protocol import signing
from .common import IntegrationCase

FEEDS = "/integration/v1/feeds"


class FeedCase(IntegrationCase, HttpCase):
    """One outgoing endpoint of transport feed, subscribed; a client of its system."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company = cls.env["res.company"].create({"name": "Hospital Feed"})
        cls.supplier = cls.env["res.partner"].create({"name": "Medline"})
        cls.system = cls.make_system(
            company_id=cls.company.id, partner_id=cls.supplier.id
        )
        cls.event_type = cls.make_event_type()
        cls.secret = signing.generate_secret()
        credential = cls.make_credential("signing_secret", secret=cls.secret)
        cls.feed = cls.make_feed(
            "orders-feed", credential_ids=[Command.link(credential.id)]
        )
        cls.subscription = cls.make_subscription(cls.feed, cls.event_type)
        cls.client = cls.make_client(
            system_id=cls.system.id, endpoint_ids=[Command.set(cls.feed.ids)]
        )
        cls.key = cls.client._generate_key("test", None)

    @classmethod
    def make_feed(cls, code, **vals):
        """Return an active feed of the system, with a policy of two retries."""
        policy = cls.env["integration.policy"].create(
            {"name": cls.next_code("policy"), "retry_schedule": "5s 5m"}
        )
        values = {"system_id": cls.system.id, "policy_id": policy.id, **vals}
        feed = cls.make_endpoint(code=code, transport="feed", url=False, **values)
        feed._transition("active")
        return feed

    def publish(self, count=1, key=None, feed=None, event_type=None, **vals):
        """Return new pending messages of a feed, oldest first."""
        feed, event_type = feed or self.feed, event_type or self.event_type
        rows = []
        for number in range(count):
            event = self.make_event(event_type, {"number": f"P{number}"})
            rows.append(
                {
                    "direction": "out",
                    "endpoint_id": feed.id,
                    "subscription_id": feed.subscription_ids[:1].id or None,
                    "event_id": event.id,
                    "event_type_id": event_type.id,
                    "company_id": self.company.id,
                    "ordering_key": key,
                    **vals,
                }
            )
        ids = self.env["integration.message"]._enqueue(rows)
        self.env.invalidate_all()
        return self.env["integration.message"].browse(ids)

    # -- calling -----------------------------------------------------------------------

    def call(self, path, body=None, key=None, content_type="application/json"):
        headers = {"Authorization": f"Bearer {key or self.key}"}
        if body is None:
            response = self.url_open(path, headers=headers)
        else:
            data = body if isinstance(body, bytes) else json.dumps(body).encode()
            headers["Content-Type"] = content_type
            response = self.url_open(path, data=data, headers=headers, method="POST")
        self.env.invalidate_all()
        return response

    def fetch(self, query="", key=None, code="orders-feed"):
        return self.call(f"{FEEDS}/{code}{query and '?' + query}", key=key)

    def items(self, query="", key=None):
        """Return the items of a page."""
        response = self.fetch(query, key)
        self.assertEqual(response.status_code, 200, response.text[:500])
        return response.json()["items"]

    def say(self, body, key=None, code="orders-feed"):
        return self.call(f"{FEEDS}/{code}/acknowledgements", body, key)

    def acknowledge(self, items, result="delivered", key=None, **more):
        """Acknowledge fetched items under their leases; return the answers."""
        words = [
            {"uid": i["uid"], "result": result, "lease": i["lease"], **more}
            for i in items
        ]
        response = self.say({"items": words}, key)
        self.assertEqual(response.status_code, 200, response.text[:500])
        return response.json()["items"]

    # -- looking -----------------------------------------------------------------------

    def entry(self, message):
        """Return the queue entry of a message as a row, None if there is none."""
        self.env.cr.execute(
            "SELECT * FROM integration_queue_entry WHERE message_id = %s", [message.id]
        )
        return self.env.cr.dictfetchone()

    def leases_end(self):
        """Let the time of all leases pass."""
        self.env.cr.execute(
            "UPDATE integration_queue_entry SET lease_until = now() - interval '1 hour'"
            " WHERE lease_until IS NOT NULL"
        )

    def retries_are_due(self):
        """Let the time until the next attempts pass."""
        self.env.cr.execute(
            "UPDATE integration_queue_entry SET due_at = now() - interval '1 hour'"
            " WHERE due_at IS NOT NULL"
        )

    def assert_problem(self, response, status, code):
        self.assertEqual(response.status_code, status, response.text[:500])
        self.assertEqual(response.headers["Content-Type"], "application/problem+json")
        self.assertEqual(response.json()["code"], code)
        self.assertNotIn("Traceback", response.text)
        return response.json()

    def other_client(self, system=None, endpoints=None, **vals):
        """Return a key of another client, by default of the same system and feed."""
        endpoints = self.feed if endpoints is None else endpoints
        client = self.make_client(
            system_id=(system or self.system).id,
            endpoint_ids=[Command.set(endpoints.ids)],
            **vals,
        )
        self.last_client = client
        return client._generate_key("test", None)


class AcknowledgementCase(FeedCase):
    """Messages the partner has taken, and its words about them."""

    def deliver(self, count=1, **vals):
        """Return messages that the partner has fetched and taken."""
        messages = self.publish(count, **vals)
        while any(message.state == "pending" for message in messages):
            self.acknowledge(self.items())
        return messages

    def post(self, message, body, key=None, **kwargs):
        uid = message if isinstance(message, str) else message.uid
        path = f"/integration/v1/messages/{uid}/acknowledgements"
        return self.call(path, body, key, **kwargs)

    def state(self, message, status, **more):
        """Acknowledge with success; return the answer."""
        response = self.post(message, {"status": status, **more})
        self.assertEqual(response.status_code, 200, response.text[:500])
        return response.json()

    def cases(self, code):
        return self.env["integration.exception"].search([("code", "=", code)])

    def expect(self, what, hours=24.0):
        self.subscription.write(
            {"expected_acknowledgement": what, "expected_hours": hours}
        )
        self.env.flush_all()

    def hours_pass(self):
        self.env.cr.execute(
            "UPDATE integration_message SET acknowledgement_due_at ="
            " acknowledgement_due_at - interval '100 days'"
        )
        self.env["integration.acknowledgement"]._cron_overdue()
        self.env.invalidate_all()
