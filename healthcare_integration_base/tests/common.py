# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Test kit of the suite, also for authors of connectors.

``IntegrationCase`` makes the records a test needs and runs with settings of its own: a
key ring, the environment ``test`` and loopback addresses allowed. What odoo.conf says
does not matter.
"""

from unittest.mock import patch

from odoo import Command
from odoo.tests import TransactionCase, new_test_user
from odoo.tools import SQL

from .. import runtime
from ..controllers import gate
from ..protocol import envelope, ids, keyring, signing

MODULE = "healthcare_integration_base"
GROUPS = (
    "viewer",
    "exception_handler",
    "operator",
    "payload_reader",
    "mapper",
    "approver",
    "administrator",
    "auditor",
)


def node_settings(**options):
    """Return settings as odoo.conf would hold them; None leaves an option out."""
    result = {
        "environment": "test",
        "allowed_networks": "127.0.0.0/8,::1/128",
        "encryption_key": keyring.generate(),
        **options,
    }
    return {name: value for name, value in result.items() if value is not None}


# Children first.
TRAFFIC = (
    "integration_queue_entry",
    "integration_payload",
    "integration_attempt",
    "integration_message",
    "integration_exception",
    "integration_event",
)


class IntegrationCase(TransactionCase):
    """Factories of integration records, each with sensible values for what is not given."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.settings = node_settings()
        cls.startClassPatcher(
            patch.object(runtime, "settings", lambda: dict(cls.settings))
        )
        cls.serial = 0
        cls.clear_slate()

    def setUp(self):
        super().setUp()
        gate.forget()

    @classmethod
    def clear_slate(cls):
        """Leave no traffic, running endpoint or secret of others, e.g. of demo data."""
        cls.env.flush_all()
        for table in TRAFFIC:
            cls.env.cr.execute(SQL("DELETE FROM %s", SQL.identifier(table)))
        others = SQL(
            "UPDATE integration_endpoint SET state = 'draft' WHERE state <> 'draft'"
        )
        cls.env.cr.execute(others)
        cls.env.cr.execute("UPDATE integration_subscription SET active = false")
        # under a key that the settings of the tests do not have
        cls.env.cr.execute("UPDATE integration_credential SET secret_token = NULL")
        cls.env.invalidate_all()
        cls.env.registry.clear_cache()

    @classmethod
    def next_code(cls, prefix):
        """Return a code that no other record of the class has."""
        cls.serial += 1
        return f"{prefix}-{cls.serial}"

    def use_settings(self, **options):
        """Run the rest of the test with other settings; None takes an option away."""
        settings = {**self.settings, **options}
        settings = {
            name: value for name, value in settings.items() if value is not None
        }
        patcher = patch.object(runtime, "settings", lambda: dict(settings))
        patcher.start()
        self.addCleanup(patcher.stop)

    @classmethod
    def make_user(cls, *groups, company=None, login=None):
        """Return a user in groups of this addon, given by their short names."""
        company = company or cls.env.company
        names = ["base.group_user", *(f"{MODULE}.group_{group}" for group in groups)]
        return new_test_user(
            cls.env,
            login or cls.next_code("user"),
            context={"no_reset_password": True},
            groups=",".join(names),
            company_id=company.id,
            company_ids=[Command.set(company.ids)],
        )

    @classmethod
    def make_system(cls, **vals):
        """Return a system of the environment ``test``."""
        code = cls.next_code("system")
        return cls.env["integration.system"].create(
            {"name": code, "code": code, "environment": "test", **vals}
        )

    @classmethod
    def make_endpoint(cls, **vals):
        """Return an endpoint: outgoing to a closed loopback port, state draft."""
        code = cls.next_code("endpoint")
        if "system_id" not in vals:
            vals["system_id"] = cls.make_system().id
        if vals.get("direction", "out") == "out":
            vals.setdefault("url", "http://127.0.0.1:9/in")
        return cls.env["integration.endpoint"].create(
            {"name": code, "code": code, **vals}
        )

    @classmethod
    def make_credential(cls, kind="bearer", **vals):
        """Return a credential with a secret of the right form."""
        secret = (
            signing.generate_secret() if kind == "signing_secret" else "s3cret-token"
        )
        parts = {"basic": {"username": "odoo"}, "header": {"header_name": "X-Api-Key"}}
        return cls.env["integration.credential"].create(
            {
                "name": cls.next_code("credential"),
                "kind": kind,
                "secret": secret,
                **parts.get(kind, {}),
                **vals,
            }
        )

    @classmethod
    def make_event_type(cls, **vals):
        """Return an outgoing event type about partners."""
        code = f"test.partner{cls.next_code('').replace('-', '')}.changed"
        model = cls.env["ir.model"]._get("res.partner")
        return cls.env["integration.event.type"].create(
            {"name": code, "code": code, "model_id": model.id, **vals}
        )

    @classmethod
    def make_event(cls, event_type, data, **vals):
        """Return an event with these canonical data; None makes one without."""
        event = cls.env["integration.event"].create(
            {
                "uid": ids.uuid7(),
                "type_id": event_type.id,
                "version": event_type.version,
                "occurred_at": "2026-11-20 12:00:00",
            }
        )
        event.write(vals)
        if data is not None:
            event._set_data(envelope.dumps(data).decode())
        return event

    @classmethod
    def make_subscription(cls, endpoint=None, event_types=None, **vals):
        """Return a subscription of an endpoint to event types."""
        endpoint = endpoint or cls.make_endpoint()
        event_types = event_types or cls.make_event_type()
        return cls.env["integration.subscription"].create(
            {
                "name": cls.next_code("subscription"),
                "endpoint_id": endpoint.id,
                "event_type_ids": [Command.set(event_types.ids)],
                **vals,
            }
        )

    @classmethod
    def make_mapping(cls, expression='{"number": number}', **vals):
        """Return a draft mapping with a JSONata expression."""
        if "event_type_id" not in vals:
            vals["event_type_id"] = cls.make_event_type().id
        return cls.env["integration.mapping"].create(
            {
                "name": cls.next_code("mapping"),
                "kind": "jsonata",
                "expression_text": expression,
                **vals,
            }
        )

    @classmethod
    def make_client(cls, **vals):
        """Return a client that acts as a user of its own."""
        if "system_id" not in vals:
            vals["system_id"] = cls.make_system().id
        if "user_id" not in vals:
            system = cls.env["integration.system"].browse(vals["system_id"])
            vals["user_id"] = cls.make_user(company=system.company_id or None).id
        return cls.env["integration.client"].create(
            {"name": cls.next_code("client"), **vals}
        )

    def audit_entries(self, record, action=None):
        """Return the audit entries about a record, oldest first."""
        domain = [("res_model", "=", record._name), ("res_id", "=", record.id)]
        if action:
            domain.append(("action", "=", action))
        return self.env["integration.audit.entry"].search(domain, order="id")
