# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""An endpoint that takes messages, two clients, and a handler to watch."""

import json
import time
from contextlib import nullcontext
from unittest.mock import patch

from odoo import Command
from odoo.tests import HttpCase, new_test_user

from ..engine import payload, receive, run
from ..protocol import signing
from ..protocol.drain_types import Options
from .common import IntegrationCase

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"  # of the vectors of Standard Webhooks
MESSAGES = "/integration/v1/messages"
CODE = "partner.contact.announced"
HANDLER = "_integration_apply_contact"
SCHEMA = {
    "type": "object",
    "required": ["name"],
    "properties": {"name": {"type": "string", "maxLength": 40}},
}


def apply_contact(self, data, message):
    """What a connector's handler does: find or make the document, return it."""
    return self.create({"name": data["name"], "ref": data.get("ref")})


def raising(exception):
    """Return a handler that writes something and then fails."""

    def handler(self, data, message):
        self.create({"name": "left behind"})
        raise exception

    return handler


class InboxCase(IntegrationCase):
    """An incoming endpoint, a client of it, and a handler that makes partners."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.set_handler(apply_contact)
        cls.company = cls.env["res.company"].create({"name": "Hospital Two"})
        cls.supplier = cls.env["res.partner"].create({"name": "Medline"})
        cls.system = cls.make_system(
            partner_id=cls.supplier.id, company_id=cls.company.id
        )
        cls.event_type = cls.make_event_type(
            code=CODE,
            direction="in",
            schema_text=json.dumps(SCHEMA),
            handler_model="res.partner",
            handler_method=HANDLER,
        )
        cls.endpoint = cls.make_inbox("reception-in")
        cls.user = new_test_user(
            cls.env,
            "reception_machine",
            groups="base.group_user,base.group_partner_manager",
            company_id=cls.company.id,
            company_ids=[Command.set(cls.company.ids)],
        )
        cls.client = cls.make_client("Network", cls.endpoint)
        cls.key = cls.client._generate_key("test", None)

    @classmethod
    def set_handler(cls, function):
        registry_class = cls.env.registry["res.partner"]
        cls.startClassPatcher(
            patch.object(registry_class, HANDLER, function, create=True)
        )

    def handle_with(self, function):
        """Have messages applied by this function for the rest of the test."""
        self.startPatcher(
            patch.object(self.env.registry["res.partner"], HANDLER, function)
        )

    @classmethod
    def make_inbox(cls, code, **values):
        """Return an active incoming endpoint."""
        vals = {
            "code": code,
            "system_id": cls.system.id,
            "direction": "in",
            "state": "active",
        }
        vals["event_type_id"] = cls.event_type.id
        return cls.make_endpoint(**{**vals, **values})

    @classmethod
    def make_client(cls, name, endpoints, **values):
        """Return a client that may use the endpoints."""
        return cls.env["integration.client"].create(
            {
                "name": name,
                "system_id": cls.system.id,
                "user_id": cls.user.id,
                "endpoint_ids": [Command.set(endpoints.ids)],
                **values,
            }
        )

    @classmethod
    def make_signing_client(cls, name, endpoints, secret=SECRET):
        """Return a client that signs its calls."""
        credential = cls.make_credential(
            "signing_secret", name=name, secret=secret, company_id=cls.company.id
        )
        return cls.make_client(
            name, endpoints, credential_ids=[Command.set(credential.ids)]
        )

    # -- looking and working ------------------------------------------------------

    def messages(self):
        """Return the incoming messages, oldest first."""
        self.env.invalidate_all()
        return self.env["integration.message"].search(
            [("direction", "=", "in")], order="id"
        )

    def stored_body(self, message):
        """Return the bytes of a message in the clear."""
        return payload.clear(payload.load(self.env.cr, message.ids)[message.id])

    def raw_body(self, message):
        """Return the bytes of a message as they are in the database."""
        return bytes(payload.load(self.env.cr, message.ids)[message.id]["body"])

    def queued(self, message):
        """Return how many queue entries a message has."""
        return self.env["integration.queue.entry"].search_count(
            [("message_id", "=", message.id)]
        )

    def age(self, message, days):
        """Make a message look as if it came in some days ago."""
        self.env.cr.execute(
            "UPDATE integration_message SET created_at = created_at - %s * interval '1 day'"
            " WHERE id = ANY(%s)",
            (days, message.ids),
        )

    def make_due(self):
        """Let the time pass until every waiting message is due."""
        self.env.cr.execute(
            "UPDATE integration_queue_entry SET due_at = now() - interval '1 hour'"
        )

    def one_connection(self):
        """Have all cursors be the test's own."""
        return self.enter_registry_test_mode()

    def apply_all(self):
        """Drain the lane of incoming messages once."""
        self.env.flush_all()
        with self.one_connection():
            run.run_lane(
                self.env, "in", Options(max_seconds=60, linger=0), threaded=False
            )
        self.env.invalidate_all()

    def hand_in(self, body, message_id=None, content_type="application/json"):
        """Store a message as the controller does; return it."""
        body = json.dumps(body).encode() if isinstance(body, dict) else body
        arrival = receive.Arrival(body, content_type, message_id)
        self.env.flush_all()
        with self.one_connection():
            receipt = receive.accept(self.env, self.endpoint, self.client, arrival)
        return self.env["integration.message"].search([("uid", "=", receipt.uid)])

    def applied(self, body, handler=None, **values):
        """Hand in and apply one message; return it."""
        if handler:
            self.handle_with(handler)
        message = self.hand_in(body, **values)
        self.apply_all()
        return message

    def assert_dead(self, message, error_class, code):
        self.assertRecordValues(
            message,
            [
                {
                    "state": "dead",
                    "last_error_class": error_class,
                    "last_error_code": code,
                }
            ],
        )
        self.assertEqual(message.attempt_ids.mapped("outcome"), ["failure"])
        self.assertTrue(message.exception_id)
        self.assertEqual(self.queued(message), 0)
        self.assertFalse(self.env["res.partner"].search([("name", "=", "left behind")]))


class ReceptionCase(InboxCase, HttpCase):
    """The same, called over HTTP."""

    def one_connection(self):
        """Nothing to do: a HttpCase is like that all the time."""
        return nullcontext()

    # -- calling ------------------------------------------------------------------

    def call(self, path, body=None, headers=None, method=None):
        return self.url_open(path, data=body, headers=headers or {}, method=method)

    def post(
        self,
        body,
        *,
        key=True,
        code="reception-in",
        content_type="application/json",
        **headers,
    ):
        """POST a body with the client's key; headers as keyword arguments, _ for -."""
        if isinstance(body, dict):
            body = json.dumps(body).encode()
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if content_type:
            sent["Content-Type"] = content_type
        if key:
            sent["Authorization"] = f"Bearer {self.key if key is True else key}"
        return self.call(f"{MESSAGES}/{code}", body, sent, "POST")

    def signed(self, body, msg_id="msg_1", timestamp=None, secret=SECRET):
        """Return the headers of a signed request."""
        key = signing.decode_secret(secret)
        return signing.headers([key], msg_id, int(timestamp or time.time()), body)

    def ask(self, uid, key=None):
        return self.call(
            f"{MESSAGES}/{uid}", headers={"Authorization": f"Bearer {key or self.key}"}
        )

    # -- expecting ----------------------------------------------------------------

    def assert_problem(self, response, status, code=None):
        """The answer is problem+json with this status and code, and tells nothing else."""
        self.assertEqual(response.status_code, status, response.text[:500])
        self.assertEqual(response.headers["Content-Type"], "application/problem+json")
        problem = response.json()
        self.assertEqual(problem["status"], status)
        self.assertEqual(
            problem["type"], f"urn:healthcare-integration:problem:{problem['code']}"
        )
        self.assertTrue(problem["title"] and problem["detail"])
        self.assertNotIn("Traceback", response.text)
        if code:
            self.assertEqual(problem["code"], code)
        return problem

    def assert_accepted(self, response):
        self.assertEqual(response.status_code, 202, response.text[:500])
        answer = response.json()
        self.assertEqual(response.headers["Location"], f"{MESSAGES}/{answer['uid']}")
        return answer["uid"]
