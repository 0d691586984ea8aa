# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Where the steps of the scenario look: at Odoo as its users, and at the partners' logs."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from typing import Any

from dev.partners import journal

from .fabric import Configurator, Fabric
from .people import Company
from .processes import PartnerProcess
from .report import Failed, Skipped, expect, until
from .rpc import RpcError, User


@dataclasses.dataclass
class World:
    """What the steps work with."""

    admin: User
    users: dict[str, User]
    company: Company
    configurator: Configurator
    fabric: Fabric
    partners: dict[str, PartnerProcess]


class Desk:
    """Everybody's session, the partners, and what one step leaves for later ones."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.buyer = world.users["buyer"]
        self.warehouse = world.users["warehouse"]
        self.accountant = world.users["accountant"]
        self.clerk = world.users["clerk"]
        self.stock_keeper = world.users["stock_keeper"]
        self.integrator = world.users["integrator"]
        self.supplier = world.partners["supplier_network"]
        self.finance = world.partners["finance"]
        self.logistics = world.partners["logistics"]
        self.order: dict[str, Any] = {}
        self.acknowledged: dict[str, Any] = {}
        self.picking = 0
        self.bill = 0
        self.dead = 0
        self.billed: dict[str, Any] = {}
        self.clerks_bill = 0
        self.booked: dict[str, Any] = {}
        self.unknown = ""
        self.unknown_case = 0
        self.reports: list[str] = []

    @staticmethod
    def refusal(click: Callable[[], Any]) -> str:
        """Return what the user reads when a click is refused."""
        try:
            click()
        except RpcError as error:
            return str(error)
        expect(False, "the click was not refused")
        return ""

    @staticmethod
    def need(value: Any, what: str) -> Any:
        """Return what an earlier step left.

        :raises Skipped: it left nothing
        """
        if not value:
            raise Skipped(f"not tried: there is no {what}, see the steps before")
        return value

    def message(self, endpoint: str, model: str, record: int, state: str) -> dict:
        """Wait for the message about a record to get into a state; return it."""
        domain = [
            ("endpoint_id", "=", self.world.fabric.endpoints[endpoint]),
            ("res_model", "=", model),
            ("res_id", "=", record),
        ]
        wanted = [
            "uid",
            "state",
            "attempt_count",
            "last_error_class",
            "last_error_code",
        ]
        seen: list[dict] = []

        def probe():
            seen[:] = self.integrator.search_read("integration.message", domain, wanted)
            return [message for message in seen if message["state"] == state]

        try:
            return until(probe, f"a message of {model},{record} is {state}")[0]
        except Failed as error:
            rows = [(m["state"], m["last_error_code"]) for m in seen]
            raise Failed(f"{error}; messages: {rows or 'none'}") from None

    def delivered(self, endpoint: str, model: str, record: int) -> dict:
        """Wait for the message about a record to be delivered; return it."""
        return self.message(endpoint, model, record, "delivered")

    def applied(self, endpoint: str, answer: dict) -> dict:
        """Wait until a message we accepted from the partner is applied; return it.

        :param answer: what we answered the partner
        """
        status = answer["status"]
        expect(status == 202, f"answered {status}: {answer.get('body')}")
        uid = answer["location"].rpartition("/")[2]
        wanted = ["state", "last_error_code", "last_error", "endpoint_id"]

        def probe():
            domain = [("uid", "=", uid), ("state", "!=", "pending")]
            return self.integrator.search_read("integration.message", domain, wanted)

        message = until(probe, f"message {uid} is processed")[0]
        own = self.world.fabric.endpoints[endpoint]
        expect(message["endpoint_id"][0] == own, "it came in by another endpoint")
        reason = f"{message['last_error_code']}: {message['last_error']}"
        expect(message["state"] == "done", f"it is {message['state']} ({reason})")
        return message

    def inbound(self, endpoint: str) -> int:
        """Return how many messages came in through an endpoint."""
        wanted = [("endpoint_id", "=", self.world.fabric.endpoints[endpoint])]
        return self.integrator.count("integration.message", wanted)

    def attempts(self, message: dict) -> list[int]:
        """Return the HTTP status of each attempt."""
        rows = self.integrator.search_read(
            "integration.attempt",
            [("message_id", "=", message["id"])],
            ["status"],
            order="number",
        )
        return [attempt["status"] for attempt in rows]

    def answers(self, number: str) -> list[dict]:
        """Return how we answered the supplier's calls about an order."""
        return self.supplier.control("state")["answers_by_order"].get(number, [])

    @staticmethod
    def entries(partner: PartnerProcess, message: dict) -> list[dict]:
        """Return the partner's log lines of a message."""
        return [
            entry
            for entry in journal.read(partner.log)
            if entry["headers"].get("webhook-id") == message["uid"]
        ]

    def logged(self, partner: PartnerProcess, message: dict) -> dict:
        """Return the partner's log line of a delivered message; it must be verified."""
        entries = [
            entry for entry in self.entries(partner, message) if entry["answered"] < 300
        ]
        expect(
            len(entries) == 1,
            f"{partner.name} took {message['uid']} {len(entries)} times",
        )
        expect(
            entries[0]["verified"], f"{partner.name} could not verify {message['uid']}"
        )
        return entries[0]

    @staticmethod
    def received(partner: PartnerProcess, number: str) -> list[dict]:
        """Return the log lines of released orders with a number."""
        found = []
        for entry in journal.read(partner.log):
            event = json.loads(entry["body"])
            if event.get("data", {}).get("order", {}).get("number") == number:
                found.append(entry)
        return found
