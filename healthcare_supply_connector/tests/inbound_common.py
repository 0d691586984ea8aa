# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""From the bytes of a partner to the document: endpoints, a client, the engine's drain."""

import json
from contextlib import nullcontext

from odoo import Command

from odoo.addons.healthcare_integration_base.engine import receive, run
from odoo.addons.healthcare_integration_base.protocol.drain_types import Options


class InboundMixin:
    """What a case adds to take messages in and have them applied, as partners do."""

    @classmethod
    def make_inbox(cls, system, event_type):
        """Return an active endpoint of a system for an event type, or its code."""
        if isinstance(event_type, str):
            event_type = cls.env["integration.event.type"].search(
                [("code", "=", event_type)]
            )
        endpoint = cls.make_endpoint(
            system_id=system.id, direction="in", event_type_id=event_type.id
        )
        endpoint.action_activate()
        cls.env.flush_all()
        return endpoint

    @classmethod
    def connect(cls, system, user, *endpoints):
        """Return a client of the endpoints that acts as a user."""
        return cls.make_client(
            system_id=system.id,
            user_id=user.id,
            endpoint_ids=[Command.set([endpoint.id for endpoint in endpoints])],
        )

    def deliver(
        self, endpoint, client, *bodies, message_id=None, mimetype="application/json"
    ):
        """Take messages in and apply them; return them."""
        uids = []
        self.env.flush_all()
        with self.cursors():
            for body in bodies:
                arrival = receive.Arrival(
                    json.dumps(body).encode(),
                    mimetype,
                    message_id or self.next_code("message"),
                )
                uids.append(receive.accept(self.env, endpoint, client, arrival).uid)
        self.drain()
        return self.env["integration.message"].search([("uid", "in", uids)])

    def drain(self):
        """Apply what waits."""
        self.env.flush_all()
        with self.cursors():
            run.run_lane(
                self.env, "in", Options(max_seconds=60, linger=0), threaded=False
            )
        self.env.invalidate_all()

    def cursors(self):
        """Let the engine open cursors; a subscription or a browser has let it already."""
        return (
            nullcontext() if self._registry_patched else self.enter_registry_test_mode()
        )
