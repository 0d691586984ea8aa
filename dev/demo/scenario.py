# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""A working day: from a purchase order to the paid bill, with what goes wrong on the way.

Each step does what somebody clicks and then looks at both sides: at Odoo, with that
person's rights, and at the partner's own log.
"""

from __future__ import annotations

import dataclasses
import datetime
import json
from collections.abc import Callable
from typing import Any

from dev.partners import journal

from . import fabric as names
from .fabric import Configurator, Fabric, row
from .people import Company
from .processes import PartnerProcess
from .report import Report, Skipped, expect, until
from .rpc import RpcError, User

QUANTITIES = (10, 4, 20)


@dataclasses.dataclass
class World:
    """What the steps work with."""

    admin: User
    users: dict[str, User]
    company: Company
    configurator: Configurator
    fabric: Fabric
    partners: dict[str, PartnerProcess]


class Scenario:
    """The steps; what one leaves for later ones is kept in attributes."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.buyer = world.users["buyer"]
        self.warehouse = world.users["warehouse"]
        self.accountant = world.users["accountant"]
        self.integrator = world.users["integrator"]
        self.supplier = world.partners["supplier_network"]
        self.finance = world.partners["finance"]
        self.logistics = world.partners["logistics"]
        self.order: dict[str, Any] = {}
        self.picking = 0
        self.bill = 0
        self.dead = 0
        self.acknowledged: dict[str, Any] = {}

    def run(self, report: Report) -> None:
        """Run all steps; one that lacks what an earlier one leaves fails with that reason."""
        for name, step in self.steps():
            report.run(name, step)

    def steps(self) -> list[tuple[str, Callable[[], str]]]:
        """Return the steps in order."""
        return [
            ("purchase order confirmed: delivered, signature verified", self.confirm_order),
            ("supplier acknowledges with one changed date", self.take_acknowledgement),
            ("supplier sends the ship notice with lots", self.take_ship_notice),
            ("part received: goods received, backorder", self.receive_part),
            ("vendor bill posted, finance answers 503, 503, 200", self.post_bill),
            ("bill paid, finance answers 422: dead, case in the finance queue", self.pay_bill),
            ("mapping corrected, approved, replayed: delivered, case closed", self.correct),
            ("supplier repeats its acknowledgement: answered, applied once", self.repeat),
            ("wrong signature: 401, nothing stored", self.forge),
            ("confirmation rolled back: nothing sent", self.roll_back),
        ]

    # the order

    def confirm_order(self) -> str:
        """A buyer confirms an order of several lines."""
        order = self.draft_order(self.world.company.supplier)
        self.buyer.call("purchase.order", "button_confirm", [order])
        self.order = self.buyer.one("purchase.order", order, "name", "state", "picking_ids")
        expect(self.order["state"] == "purchase", f"the order is {self.order['state']}")
        message = self.delivered("orders", "purchase.order", order)
        entries = self.received(self.supplier, self.order["name"])
        expect(len(entries) == 1, f"the supplier got {len(entries)} requests, not one")
        event = json.loads(entries[0]["body"])
        self.check_order(entries[0], event, message)
        return f"{self.order['name']}, {len(event['data']['lines'])} lines, {message['uid']}"

    def check_order(self, entry: dict, event: dict, message: dict) -> None:
        """Check what the supplier got: who sent it, which event, what is in it."""
        expect(entry["verified"] and entry["answered"] == 202, "the signature did not verify")
        expect(entry["headers"]["webhook-id"] == message["uid"], "webhook-id is not the message's")
        expect(event["type"] == f"healthcare.{names.RELEASED}.v1", f"type {event['type']}")
        lines = event["data"]["lines"]
        quantities = [line["quantity"] for line in lines]
        expect(quantities == [str(number) for number in QUANTITIES], f"quantities {quantities}")
        expect(len({line["line_ref"] for line in lines}) == len(lines), "line references repeat")

    def draft_order(self, supplier: int) -> int:
        """Return a new draft order of all products."""
        lines = [
            (0, 0, {"product_id": product, "product_qty": quantity})
            for product, quantity in zip(self.world.company.products, QUANTITIES, strict=True)
        ]
        return self.buyer.create("purchase.order", partner_id=supplier, order_line=lines)

    def take_acknowledgement(self) -> str:
        """The supplier calls by itself once it has the order."""
        number = self.need(self.order.get("name"), "an order")
        answer = until(lambda: self.answers(number), f"the supplier's call about {number}")[0]
        self.acknowledged = answer
        expect(answer["status"] == 202, f"answered {answer['status']}: {answer.get('body')}")
        self.applied("acknowledgements", number)
        asked, lines = self.asked_dates(), self.order_lines()
        changed = [line for line in lines if line["date_planned"][:10] != asked[line["id"]]]
        expect(len(changed) == 1, f"{len(changed)} lines have another date, not one")
        order = self.buyer.one("purchase.order", self.order["id"], "acknowledged")
        expect(order["acknowledged"], "the order is not marked as acknowledged")
        old, new = asked[changed[0]["id"]], changed[0]["date_planned"][:10]
        return f"{number}: {changed[0]['product_id'][1]} {old} -> {new}"

    def asked_dates(self) -> dict[int, str]:
        """Return the dates the supplier was asked for, by order line."""
        event = json.loads(self.received(self.supplier, self.order["name"])[0]["body"])
        refs = {line["line_ref"]: line["requested_date"] for line in event["data"]["lines"]}
        return {line["id"]: refs[line["integration_line_ref"]] for line in self.order_lines()}

    def order_lines(self) -> list[dict]:
        """Return the lines of the order."""
        wanted = ["product_id", "date_planned", "integration_line_ref"]
        domain = [("order_id", "=", self.order["id"])]
        return self.buyer.search_read("purchase.order.line", domain, wanted)

    # the goods

    def take_ship_notice(self) -> str:
        """The supplier ships; the warehouse sees lots and expiry dates, nothing is received."""
        number = self.need(self.order.get("name"), "an order")
        answer = self.supplier.control("ship", order=number)
        expect(answer["status"] == 202, f"answered {answer['status']}: {answer.get('body')}")
        self.applied("ship_notices", number)
        self.picking = self.order["picking_ids"][0]
        lines = self.move_lines(self.picking)
        lots = {line["lot_name"] or (line["lot_id"] and line["lot_id"][1]) for line in lines}
        expect(len(lots - {False}) == 6, f"lots proposed: {sorted(map(str, lots))}")
        expect(all(line["expiration_date"] for line in lines), "a lot has no expiry date")
        expect(not any(line["picked"] for line in lines), "something counts as received")
        state = self.warehouse.one("stock.picking", self.picking, "name", "state")
        expect(state["state"] == "assigned", f"the receipt is {state['state']}")
        return f"{state['name']}: {', '.join(sorted(lots))}"

    def move_lines(self, picking: int) -> list[dict]:
        """Return the detailed operations of a transfer."""
        wanted = ["product_id", "lot_id", "lot_name", "expiration_date", "quantity", "picked"]
        return self.warehouse.search_read(
            "stock.move.line", [("picking_id", "=", picking)], wanted, order="id"
        )

    def receive_part(self) -> str:
        """A warehouse worker takes in one lot of two items and leaves the rest for later."""
        picking = self.need(self.picking, "a receipt with lots")
        arrived = [line for line in self.move_lines(picking) if self.lot(line).endswith("-A")][:2]
        expect(len(arrived) == 2, "the lots of the ship notice are not on the receipt")
        for line in arrived:
            self.warehouse.write("stock.move.line", line["id"], picked=True)
        dialog = self.warehouse.call("stock.picking", "button_validate", [picking])
        expect(isinstance(dialog, dict), "no question about a backorder was asked")
        self.warehouse.follow(dialog, "process")
        rows = self.warehouse.search_read(
            "stock.picking", [("backorder_id", "=", picking)], ["name"], limit=1
        )
        expect(rows, "there is no backorder")
        receipt = self.delivered("logistics", "stock.picking", picking)
        backorder = self.delivered("logistics", "stock.picking", rows[0]["id"])
        self.check_receipt(receipt, arrived)
        self.logged(self.logistics, backorder)
        return f"{len(arrived)} lots in; backorder {rows[0]['name']}"

    @staticmethod
    def lot(line: dict) -> str:
        """Return the name of a detailed operation's lot."""
        return line["lot_name"] or (line["lot_id"] and line["lot_id"][1]) or ""

    def check_receipt(self, message: dict, arrived: list[dict]) -> None:
        """Check that the logistics provider was told of the very lots that came."""
        event = json.loads(self.logged(self.logistics, message)["body"])
        expect(event["type"] == f"healthcare.{names.RECEIVED}.v1", f"type {event['type']}")
        told = {lot["lot"] for line in event["data"]["lines"] for lot in line["lots"]}
        lots = {self.lot(line) for line in arrived}
        expect(told == lots, f"told of the lots {sorted(told)}, received {sorted(lots)}")

    # the money

    def post_bill(self) -> str:
        """An accountant bills what came; the finance system is down twice."""
        order = self.need(self.order.get("id"), "an order")
        action = self.accountant.call("purchase.order", "action_create_invoice", [order])
        bill = action["res_id"]
        today = datetime.date.today().isoformat()
        reference = f"INV-{self.order['name']}"
        self.accountant.write("account.move", bill, invoice_date=today, ref=reference)
        script = [{"status": 503}, {"status": 503}, {"status": 200}]
        self.finance.control("answers", answers=script)
        self.accountant.call("account.move", "action_post", [bill])
        self.bill = bill
        message = self.delivered("finance", "account.move", bill)
        attempts = self.attempts(message)
        expect(attempts == [503, 503, 200], f"attempts were answered {attempts}")
        entries = self.entries(self.finance, message)
        expect([e["answered"] for e in entries] == attempts, "the partner's log differs")
        expect(len({e["body_base64"] for e in entries}) == 1, "the bytes differ between attempts")
        booked = self.finance.control("state")["booked"]
        expect(message["uid"] in booked, "the finance system has not booked the bill")
        return f"three attempts, one delivery, booked as {booked[message['uid']]}"

    def pay_bill(self) -> str:
        """An accountant pays; the finance system has come to want a cost center."""
        bill = self.need(self.bill, "a posted bill")
        rules = {"document_type": "[A-Z_]+", "cost_center": "[0-9]{4}"}
        self.finance.control("settings", requires=rules)
        dialog = self.accountant.call("account.move", "action_register_payment", [bill])
        action = self.accountant.follow(dialog, "action_create_payments")
        message = self.message("finance", "account.payment", action["res_id"], "dead")
        expect(self.attempts(message) == [422], f"attempts {self.attempts(message)}")
        self.dead = message["id"]
        case = self.case(message)
        expect(case["state"] == "open", f"the case is {case['state']}")
        queue = case["queue_id"] and case["queue_id"][0]
        expect(queue == self.world.fabric.finance_queue, f"the case is in {case['queue_id']}")
        return f"{message['last_error_class']}/{message['last_error_code']}, case: {case['name']}"

    def case(self, message: dict) -> dict:
        """Return the case of a message, as somebody who works the queue sees it."""
        case = until(
            lambda: self.accountant.one("integration.message", message["id"], "exception_id")[
                "exception_id"
            ],
            "the case of the dead message",
        )
        return self.accountant.one(
            "integration.exception", case[0], "name", "state", "queue_id", "category"
        )

    def correct(self) -> str:
        """The mapper adds the field, somebody else approves it, the message is replayed."""
        dead = self.need(self.dead, "a dead message")
        draft = self.new_version()
        self.world.configurator.approve(draft)
        self.integrator.call("integration.message", "action_replay", [dead])
        replay = until(lambda: self.replay_of(dead), "the replay gets through")
        document = json.loads(self.logged(self.finance, replay)["body"])
        expect(document.get("cost_center") == "4100", f"sent: {sorted(document)}")
        old = self.integrator.one("integration.message", dead, "state", "superseded", "uid")
        expect(old["state"] == "dead" and old["superseded"], f"the original is {old['state']}")
        expect(old["uid"] != replay["uid"], "the replay has the id of the original")
        case = until(lambda: self.closed_case(dead), "the case closes")
        return f"mapping version {replay['mapping_version']}, case {case['state']}"

    def new_version(self) -> int:
        """Make the corrected mapping; check that its author cannot approve it."""
        mapping = self.world.fabric.mappings[names.PAYMENT_SENT]
        active = self.integrator.one("integration.mapping", mapping, "state")
        expect(active["state"] == "active", f"the mapping is {active['state']}")
        draft = self.integrator.call("integration.mapping", "action_new_version", [mapping])["res_id"]
        line = row(99, "cost_center", "", "none", "4100")
        self.integrator.write("integration.mapping", draft, line_ids=[(0, 0, line)])
        try:
            self.integrator.call("integration.mapping", "action_approve", [draft])
        except RpcError:
            return draft
        expect(False, "the author approved the mapping")
        return 0

    def replay_of(self, message_id: int) -> dict | None:
        """Return the delivered replay of a message."""
        domain = [("replay_of_id", "=", message_id), ("state", "=", "delivered")]
        rows = self.integrator.search_read(
            "integration.message", domain, ["uid", "mapping_version"], limit=1
        )
        return rows[0] if rows else None

    def closed_case(self, message_id: int) -> dict | None:
        """Return the case of a message once it is resolved."""
        case = self.case({"id": message_id})
        return case if case["state"] == "resolved" else None

    # what must not happen

    def repeat(self) -> str:
        """The supplier's acknowledgement comes a second time."""
        number = self.need(self.acknowledged and self.order["name"], "an acknowledgement")
        before = self.inbound("acknowledgements")
        moved = self.postpone_all()
        answer = self.supplier.control("acknowledge", order=number)
        expect(answer["status"] == 202, f"answered {answer['status']}: {answer.get('body')}")
        expect(answer["message_id"] == self.acknowledged["message_id"], "another id was sent")
        expect(answer["location"] == self.acknowledged["location"], "another message was made")
        expect(self.inbound("acknowledgements") == before, "it was stored a second time")
        dates = {line["date_planned"] for line in self.order_lines()}
        expect(dates == {moved}, "it was applied a second time")
        return f"same answer, {answer['location']}"

    def postpone_all(self) -> str:
        """Have the buyer give all lines one later date, which a second application would undo."""
        later = datetime.datetime.now() + datetime.timedelta(days=60)
        moved = later.strftime("%Y-%m-%d 12:00:00")
        ids = [line["id"] for line in self.order_lines()]
        self.buyer.call("purchase.order.line", "write", ids, {"date_planned": moved})
        return moved

    def forge(self) -> str:
        """Somebody without the secret sends an acknowledgement."""
        number = self.need(self.order.get("name"), "an order")
        before = self.world.admin.count("integration.message", [])
        answer = self.supplier.control("forge", order=number)
        expect(answer["status"] == 401, f"answered {answer['status']}")
        expect(answer["content_type"] == "application/problem+json", answer["content_type"])
        after = self.world.admin.count("integration.message", [])
        expect(after == before, f"{after - before} messages were stored")
        return json.loads(answer["body"])["code"]

    def roll_back(self) -> str:
        """A buyer confirms two orders at once; the second is refused, so neither is confirmed."""
        good = self.draft_order(self.world.company.supplier)
        refused = self.draft_order(self.world.company.other_supplier)
        confirm = self.world.admin.ref("purchase.action_confirm_rfqs")
        reason = self.refusal(lambda: self.buyer.click(confirm, "purchase.order", [good, refused]))
        orders = self.buyer.call("purchase.order", "read", [good, refused], ["name", "state"])
        expect({order["state"] for order in orders} == {"draft"}, f"not rolled back: {orders}")
        events = [("res_model", "=", "purchase.order"), ("res_id", "in", [good, refused])]
        expect(not self.buyer.count("integration.event", events), "there are events")
        # The good one alone, later: whatever the refused click left behind would come first.
        self.buyer.call("purchase.order", "button_confirm", [good])
        self.delivered("orders", "purchase.order", good)
        sent = [len(self.received(self.supplier, order["name"])) for order in orders]
        expect(sent == [1, 0], f"the supplier got {sent[0]} and {sent[1]} requests")
        return f"refused: {reason[:80]}"

    @staticmethod
    def refusal(click: Callable[[], Any]) -> str:
        """Return what the user reads when a click is refused."""
        try:
            click()
        except RpcError as error:
            return str(error)
        expect(False, "the click was not refused")
        return ""

    # looking

    @staticmethod
    def need(value: Any, what: str) -> Any:
        """Return what an earlier step left.

        :raises Skipped: it left nothing
        """
        if not value:
            raise Skipped(f"not tried: an earlier step left no {what.removeprefix('an ').removeprefix('a ')}")
        return value

    def message(self, endpoint: str, model: str, record: int, state: str) -> dict:
        """Wait for the message about a record to get into a state; return it."""
        domain = [
            ("endpoint_id", "=", self.world.fabric.endpoints[endpoint]),
            ("res_model", "=", model),
            ("res_id", "=", record),
        ]
        wanted = ["uid", "state", "attempt_count", "last_error_class", "last_error_code"]
        seen: list[dict] = []

        def probe():
            seen[:] = self.integrator.search_read("integration.message", domain, wanted)
            return [message for message in seen if message["state"] == state]

        try:
            return until(probe, f"a message of {model},{record} is {state}")[0]
        except Exception as error:
            states = [(m["state"], m["last_error_code"], m["attempt_count"]) for m in seen]
            raise type(error)(f"{error}; messages: {states or 'none'}") from None

    def delivered(self, endpoint: str, model: str, record: int) -> dict:
        """Wait for the message about a record to be delivered; return it."""
        return self.message(endpoint, model, record, "delivered")

    def applied(self, endpoint: str, number: str) -> None:
        """Wait until the partner's message about an order is applied."""
        location = self.answers(number)[-1]["location"]
        uid = location.rpartition("/")[2]

        def probe():
            rows = self.integrator.search_read(
                "integration.message",
                [("uid", "=", uid)],
                ["state", "last_error_code", "last_error", "endpoint_id"],
            )
            return rows and rows[0]["state"] != "pending" and rows[0]

        row_ = until(probe, f"message {uid} is processed")
        expect(row_["endpoint_id"][0] == self.world.fabric.endpoints[endpoint], "wrong endpoint")
        reason = f"{row_['last_error_code']}: {row_['last_error']}"
        expect(row_["state"] == "done", f"the message is {row_['state']} ({reason})")

    def inbound(self, endpoint: str) -> int:
        """Return how many messages came in through an endpoint."""
        wanted = [("endpoint_id", "=", self.world.fabric.endpoints[endpoint])]
        return self.integrator.count("integration.message", wanted)

    def attempts(self, message: dict) -> list[int]:
        """Return the HTTP status of each attempt."""
        rows = self.integrator.search_read(
            "integration.attempt", [("message_id", "=", message["id"])], ["status"], order="number"
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
        entries = [entry for entry in self.entries(partner, message) if entry["answered"] < 300]
        expect(len(entries) == 1, f"{partner.name} took {message['uid']} {len(entries)} times")
        expect(entries[0]["verified"], f"{partner.name} could not verify {message['uid']}")
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
