# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""From the bill to the payment, with a finance system that makes trouble."""

from __future__ import annotations

import datetime
import json
from functools import partial

from . import fabric as names
from .desk import Desk
from .fabric import row
from .report import expect, until


class Money(Desk):
    """What the accountant, the administrator and the approver do."""

    def post_bill(self) -> str:
        """An accountant bills what came; the finance system is down twice."""
        order = self.need(self.order.get("id"), "order")
        action = self.accountant.call(
            "purchase.order", "action_create_invoice", [order]
        )
        bill = action["res_id"]
        today = datetime.date.today().isoformat()
        reference = f"INV-{self.order['name']}"
        self.accountant.write("account.move", bill, invoice_date=today, ref=reference)
        script = [{"status": 503}, {"status": 503}, {"status": 200}]
        self.finance.control("answers", answers=script)
        self.accountant.call("account.move", "action_post", [bill])
        self.bill = bill
        message = self.delivered("finance", "account.move", bill)
        self.check_attempts(message)
        booked = self.finance.control("state")["booked"]
        expect(message["uid"] in booked, "the finance system has not booked the bill")
        return f"three attempts, one delivery, booked as {booked[message['uid']]}"

    def check_attempts(self, message: dict) -> None:
        """Check the three attempts on both sides: same id, same bytes, each signed anew."""
        attempts = self.attempts(message)
        expect(attempts == [503, 503, 200], f"attempts were answered {attempts}")
        entries = self.entries(self.finance, message)
        answered = [entry["answered"] for entry in entries]
        expect(answered == attempts, f"the partner's log tells of {answered}")
        expect(all(entry["verified"] for entry in entries), "one is not verified")
        bodies = {entry["body_base64"] for entry in entries}
        expect(len(bodies) == 1, "the bytes differ between attempts")
        times = {entry["headers"]["webhook-timestamp"] for entry in entries}
        expect(len(times) == 3, "attempts were signed for the same second")

    def pay_bill(self) -> str:
        """An accountant pays; the finance system has come to want a cost center."""
        bill = self.need(self.bill, "posted bill")
        rules = {"document_type": "[A-Z_]+", "cost_center": self.cost_center()}
        self.finance.control("settings", requires=rules)
        dialog = self.accountant.call("account.move", "action_register_payment", [bill])
        action = self.accountant.follow(dialog, "action_create_payments")
        paid = self.accountant.one("account.move", bill, "payment_state")[
            "payment_state"
        ]
        expect(paid in ("paid", "in_payment"), f"the bill is {paid}")
        message = self.message("finance", "account.payment", action["res_id"], "dead")
        expect(self.attempts(message) == [422], f"attempts {self.attempts(message)}")
        self.dead = message["id"]
        case = self.case(message)
        expect(case["state"] == "open", f"the case is {case['state']}")
        queue = case["queue_id"] and case["queue_id"][0]
        expect(
            queue == self.world.fabric.finance_queue,
            f"the case is in {case['queue_id']}",
        )
        return f"{message['last_error_class']}/{message['last_error_code']}, case: {case['name']}"

    def case(self, message: dict) -> dict:
        """Return the case of a message, as somebody who works the queue sees it."""
        case = until(
            lambda: self.accountant.one(
                "integration.message", message["id"], "exception_id"
            )["exception_id"],
            "the case of the dead message",
        )
        return self.accountant.one(
            "integration.exception", case[0], "name", "state", "queue_id", "category"
        )

    def correct(self) -> str:
        """The mapper adds the field, somebody else approves it, the message is replayed."""
        dead = self.need(self.dead, "dead message")
        draft = self.new_version()
        self.world.configurator.approve(draft)
        self.integrator.call("integration.message", "action_replay", [dead])
        replay = until(lambda: self.replay_of(dead), "the replay gets through")
        document = json.loads(self.logged(self.finance, replay)["body"])
        wanted = self.cost_center()
        expect(document.get("cost_center") == wanted, f"sent: {sorted(document)}")
        old = self.integrator.one(
            "integration.message", dead, "state", "superseded", "uid"
        )
        expect(
            old["state"] == "dead" and old["superseded"],
            f"the original is {old['state']}",
        )
        expect(old["uid"] != replay["uid"], "the replay has the id of the original")
        case = until(lambda: self.closed_case(dead), "the case closes")
        return f"mapping version {replay['mapping_version']}, case {case['state']}"

    def new_version(self) -> int:
        """Make the corrected mapping; check that its author cannot approve it."""
        mapping = self.world.fabric.mappings[names.PAYMENT_SENT]
        action = self.integrator.call(
            "integration.mapping", "action_new_version", [mapping]
        )
        draft = action["res_id"]
        line = [("mapping_id", "=", draft), ("target", "=", "cost_center")]
        for old in self.integrator.search("integration.mapping.line", line):
            self.integrator.call("integration.mapping.line", "unlink", [old])
        new = row(99, "cost_center", "", "none", self.cost_center())
        self.integrator.write("integration.mapping", draft, line_ids=[(0, 0, new)])
        approve = partial(
            self.integrator.call, "integration.mapping", "action_approve", [draft]
        )
        self.refusal(approve)
        return draft

    def cost_center(self) -> str:
        """Return the cost center the finance system wants from now on: new with each version."""
        mapping = self.world.fabric.mappings[names.PAYMENT_SENT]
        version = self.integrator.one("integration.mapping", mapping, "version")[
            "version"
        ]
        return f"41{version:02d}"

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
