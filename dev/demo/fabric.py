# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""What an integration administrator sets up: systems, endpoints, credentials, subscriptions.

Everything goes through the forms' own calls, and may be there from an earlier run: it
is found by its name or code and brought up to date.
"""

from __future__ import annotations

import base64
import dataclasses
import secrets
from typing import Any

from .people import Company
from .rpc import User

ACKNOWLEDGED = "supply.purchase_order.acknowledged"
NOTIFIED = "supply.shipment.notified"
INVOICED = "supply.supplier_invoice.submitted"
CONFIRMED = "supply.goods.receipt_confirmed"
LEVELS = "supply.stock.levels_reported"
RELEASED = "supply.purchase_order.released"
RECEIVED = "supply.goods.received"
BACKORDER = "supply.backorder.created"
BILL_POSTED = "supply.supplier_invoice.posted"
PAYMENT_SENT = "finance.payment.sent"

#: Retry schedule of the demonstration, shorter than any real one.
SCHEDULE = "1s 2s"
BILL_FIELDS = (
    ("document_type", "", "none", "VENDOR_BILL"),
    ("number", "invoice.number", "none", ""),
    ("supplier_reference", "invoice.supplier_reference", "none", ""),
    ("supplier", "seller.name", "none", ""),
    ("currency", "invoice.currency", "none", ""),
    ("total", "invoice.total_amount", "number", ""),
    ("due_date", "invoice.due_date", "date", ""),
    ("lines[].account", "lines[].account", "none", ""),
    ("lines[].amount", "lines[].net_amount", "number", ""),
)
PAYMENT_FIELDS = (
    ("document_type", "", "none", "PAYMENT"),
    ("number", "payment.number", "none", ""),
    ("payee", "payee.name", "none", ""),
    ("currency", "payment.currency", "none", ""),
    ("amount", "payment.amount", "number", ""),
)


@dataclasses.dataclass
class Fabric:
    """Ids of the configuration, by what they are for."""

    endpoints: dict[str, int]
    types: dict[str, int]
    mappings: dict[str, int]
    finance_queue: int
    location: str


class Configurator:
    """The administrator at work, with a second person for the approvals."""

    def __init__(
        self, admin: User, integrator: User, approver: User, company: Company
    ) -> None:
        self.admin = admin
        self.integrator = integrator
        self.approver = approver
        self.company = company

    def run(self, server: str, partners: dict[str, Any]) -> Fabric:
        """Connect the partners with our Odoo, both sides of the agreement.

        :param server: URL of our server
        :param partners: processes by name, told what they need to know
        """
        rows = self.integrator.search_read("integration.event.type", [], ["code"])
        self.types = {row["code"]: row["id"] for row in rows}
        self.policy = self.have(
            "integration.policy", "name", "Simulated partners", retry_schedule=SCHEDULE
        )
        endpoints = {
            **self.supplier_network(server, partners["supplier_network"]),
            **self.logistics(server, partners["logistics"]),
        }
        finance, mappings = self.finance(server, partners["finance"])
        queue = self.admin.ref("healthcare_integration_base.queue_finance")
        location = self.warehouse()
        return Fabric({**endpoints, **finance}, self.types, mappings, queue, location)

    # partners

    def supplier_network(self, server: str, partner) -> dict[str, int]:
        """Orders go out signed; acknowledgements come signed, ship notices with a key."""
        ours, theirs = new_secret(), new_secret()
        system = self.system(
            "demo_supplier_network",
            "Simulated supplier network",
            "supplier_network",
            partner_id=self.company.supplier,
        )
        signing = self.credential("Simulated supplier network: our signature", ours)
        orders = self.outgoing(
            system, "demo-supplier-orders", f"{partner.url}/orders", signing
        )
        self.subscription(
            orders, [RELEASED], [("partner_id", "=", self.company.supplier)]
        )
        inbound = {
            "acknowledgements": self.incoming(
                system, "demo-acknowledgements", ACKNOWLEDGED
            ),
            "ship_notices": self.incoming(system, "demo-ship-notices", NOTIFIED),
            "invoices": self.incoming(system, "demo-invoices", INVOICED),
        }
        signature = self.credential("Simulated supplier network: its signature", theirs)
        client = self.client(
            system,
            "Simulated supplier network",
            "supplier_machine",
            inbound,
            credential_ids=[(6, 0, [signature])],
        )
        receive = f"{server}/integration/v1/messages"
        partner.control(
            "settings",
            secrets=[ours],
            acknowledge_url=f"{receive}/demo-acknowledgements",
            ship_url=f"{receive}/demo-ship-notices",
            invoice_url=f"{receive}/demo-invoices",
            signing_secret=theirs,
            api_key=self.new_key(client),
        )
        return {"orders": orders, **inbound}

    def logistics(self, server: str, partner) -> dict[str, int]:
        """Receipts and backorders go out signed; counts come in with a key."""
        secret = new_secret()
        system = self.system(
            "demo_logistics",
            "Simulated logistics provider",
            "logistics",
            partner_id=self.company.operator,
        )
        signing = self.credential("Simulated logistics provider: our signature", secret)
        endpoint = self.outgoing(
            system, "demo-logistics", f"{partner.url}/events", signing
        )
        self.subscription(endpoint, [RECEIVED, BACKORDER])
        inbound = {
            "receipts": self.incoming(system, "demo-receipts", CONFIRMED),
            "levels": self.incoming(system, "demo-levels", LEVELS),
        }
        name = "Simulated logistics provider"
        client = self.client(system, name, "logistics_machine", inbound)
        receive = f"{server}/integration/v1/messages"
        partner.control(
            "settings",
            secrets=[secret],
            receipts_url=f"{receive}/demo-receipts",
            levels_url=f"{receive}/demo-levels",
            api_key=self.new_key(client),
        )
        return {"logistics": endpoint, **inbound}

    def warehouse(self) -> str:
        """Let the logistics provider run the warehouse; return where its stock is."""
        domain = [("company_id", "=", self.admin.ref("base.main_company"))]
        rows = self.admin.search_read(
            "stock.warehouse", domain, ["code", "lot_stock_id"], limit=1
        )
        self.admin.write(
            "stock.warehouse", rows[0]["id"], operator_id=self.company.operator
        )
        return rows[0]["lot_stock_id"][1]

    def finance(self, server: str, partner) -> tuple[dict[str, int], dict[str, int]]:
        """Bills and payments go out in the finance system's own form, with a token, signed."""
        token, secret = secrets.token_urlsafe(32), new_secret()
        system = self.system("demo_finance", "Simulated finance system", "finance")
        bearer = self.credential(
            "Simulated finance system: token", token, kind="bearer"
        )
        signing = self.credential("Simulated finance system: our signature", secret)
        url = f"{partner.url}/documents"
        endpoint = self.outgoing(system, "demo-finance", url, bearer, signing)
        mappings = {
            BILL_POSTED: self.mapping(
                "Finance: vendor bill", BILL_POSTED, system, BILL_FIELDS
            ),
            PAYMENT_SENT: self.mapping(
                "Finance: payment", PAYMENT_SENT, system, PAYMENT_FIELDS
            ),
        }
        for code, mapping in mappings.items():
            self.subscription(endpoint, [code], mapping_id=mapping)
        client = self.client(system, "Simulated finance system", "finance_machine", {})
        partner.control(
            "settings",
            token=token,
            secrets=[secret],
            requires={"document_type": "[A-Z_]+"},
            messages_url=f"{server}/integration/v1/messages",
            api_key=self.new_key(client),
        )
        return {"finance": endpoint}, mappings

    # forms

    def have(
        self, model: str, key: str, value: Any, by: User | None = None, **values: Any
    ) -> int:
        """Have a record with these values, found by its key.

        :param by: who makes it, the integration administrator if nobody else
        """
        by = by or self.integrator
        found = by.search(model, [(key, "=", value)], limit=1)
        if found:
            by.write(model, found[0], **values)
            return found[0]
        return by.create(model, **{key: value}, **values)

    def system(self, code: str, name: str, kind: str, **values: Any) -> int:
        """Have an external system."""
        return self.have(
            "integration.system",
            "code",
            code,
            name=name,
            kind=kind,
            environment="test",
            **values,
        )

    def client(
        self, system: int, name: str, user: str, inbound: dict[str, int], **values: Any
    ) -> int:
        """Have a client of a system that acts as a machine's user.

        An administrator of users says whom: the integration administrator has no right
        on orders or bills that he could give.
        """
        return self.have(
            "integration.client",
            "name",
            name,
            by=self.admin,
            system_id=system,
            user_id=self.company.users[user],
            endpoint_ids=[(6, 0, list(inbound.values()))],
            **values,
        )

    def credential(self, name: str, secret: str, kind: str = "signing_secret") -> int:
        """Have a credential with a new secret."""
        return self.have(
            "integration.credential", "name", name, kind=kind, secret=secret
        )

    def outgoing(self, system: int, code: str, url: str, *credentials: int) -> int:
        """Have an active endpoint that sends."""
        values = {"url": url, "policy_id": self.policy}
        return self.endpoint(
            system, code, "out", credential_ids=[(6, 0, credentials)], **values
        )

    def incoming(self, system: int, code: str, event: str) -> int:
        """Have an active endpoint that receives."""
        return self.endpoint(system, code, "in", event_type_id=self.types[event])

    def endpoint(self, system: int, code: str, direction: str, **values: Any) -> int:
        """Have an endpoint and press *Activate*."""
        name = code.removeprefix("demo-").replace("-", " ").capitalize()
        endpoint = self.have(
            "integration.endpoint",
            "code",
            code,
            name=name,
            system_id=system,
            direction=direction,
            **values,
        )
        if (
            self.integrator.one("integration.endpoint", endpoint, "state")["state"]
            != "active"
        ):
            self.integrator.call("integration.endpoint", "action_activate", [endpoint])
        return endpoint

    def subscription(
        self, endpoint: int, codes: list[str], domain=(), **values: Any
    ) -> int:
        """Have a subscription of an endpoint to event types."""
        values |= {"domain": str(list(domain)), "active": True}
        values["event_type_ids"] = [(6, 0, [self.types[code] for code in codes])]
        wanted = [
            ("endpoint_id", "=", endpoint),
            ("event_type_ids", "in", self.types[codes[0]]),
        ]
        found = self.integrator.search("integration.subscription", wanted, limit=1)
        if found:
            self.integrator.write("integration.subscription", found[0], **values)
            return found[0]
        return self.integrator.create(
            "integration.subscription", endpoint_id=endpoint, **values
        )

    def mapping(self, name: str, event: str, system: int, fields: tuple) -> int:
        """Have an active mapping: written by one person, approved by another."""
        active = [("name", "=", name), ("state", "=", "active")]
        found = self.integrator.search("integration.mapping", active, limit=1)
        if found:
            return found[0]
        mapping = self.integrator.create(
            "integration.mapping",
            name=name,
            event_type_id=self.types[event],
            system_id=system,
            line_ids=[(0, 0, row(number, *line)) for number, line in enumerate(fields)],
        )
        self.approve(mapping)
        return mapping

    def approve(self, mapping: int) -> None:
        """Have a mapping approved and activated by the second person."""
        self.approver.call("integration.mapping", "action_approve", [mapping])
        self.approver.call("integration.mapping", "action_activate", [mapping])

    def new_key(self, client: int) -> str:
        """Make an API key and read it off the dialog that shows it once."""
        dialog = self.integrator.call("integration.client", "action_new_key", [client])
        values = {"client_id": client, "name": "Demonstration"}
        shown = self.integrator.follow(dialog, "action_generate", **values)
        model, context = shown["res_model"], shown["context"]
        opened = self.integrator.call(
            model, "default_get", ["shown_key"], context=context
        )
        return opened["shown_key"]


def row(
    sequence: int, target: str, source: str, transform: str, default: str
) -> dict[str, Any]:
    """Return a row of a field table; a constant is a default without source."""
    return {
        "sequence": sequence,
        "target": target,
        "source": source or False,
        "transform": transform,
        "default": default or False,
    }


def new_secret() -> str:
    """Return a secret as Standard Webhooks wants it."""
    return f"whsec_{base64.b64encode(secrets.token_bytes(32)).decode()}"
