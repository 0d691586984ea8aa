# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""What must not happen, and does not."""

from __future__ import annotations

import datetime
import json

from .desk import Desk
from .report import expect


class Refusals(Desk):
    """Repeated, forged and undone."""

    def repeat(self) -> str:
        """The supplier's acknowledgement comes a second time."""
        number = self.need(
            self.acknowledged and self.order["name"], "an acknowledgement"
        )
        before = self.inbound("acknowledgements")
        moved = self.postpone_all()
        answer = self.supplier.control("acknowledge", order=number)
        expect(
            answer["status"] == 202,
            f"answered {answer['status']}: {answer.get('body')}",
        )
        expect(
            answer["message_id"] == self.acknowledged["message_id"],
            "another id was sent",
        )
        expect(
            answer["location"] == self.acknowledged["location"],
            "another message was made",
        )
        expect(
            self.inbound("acknowledgements") == before, "it was stored a second time"
        )
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
        number = self.need(self.order.get("name"), "order")
        before = self.world.admin.count("integration.message", [])
        answer = self.supplier.control("forge", order=number)
        expect(answer["status"] == 401, f"answered {answer['status']}")
        expect(
            answer["content_type"] == "application/problem+json", answer["content_type"]
        )
        after = self.world.admin.count("integration.message", [])
        expect(after == before, f"{after - before} messages were stored")
        return json.loads(answer["body"])["code"]

    def roll_back(self) -> str:
        """A buyer confirms two orders at once; the second is refused, so neither is confirmed."""
        good = self.draft_order(self.world.company.supplier)
        refused = self.draft_order(self.world.company.other_supplier)
        confirm = self.world.admin.ref("purchase.action_confirm_rfqs")
        reason = self.refusal(
            lambda: self.buyer.click(confirm, "purchase.order", [good, refused])
        )
        orders = self.buyer.call(
            "purchase.order", "read", [good, refused], ["name", "state"]
        )
        expect(
            {order["state"] for order in orders} == {"draft"},
            f"not rolled back: {orders}",
        )
        events = [
            ("res_model", "=", "purchase.order"),
            ("res_id", "in", [good, refused]),
        ]
        expect(not self.buyer.count("integration.event", events), "there are events")
        # The good one alone, later: whatever the refused click left behind would come first.
        self.buyer.call("purchase.order", "button_confirm", [good])
        self.delivered("orders", "purchase.order", good)
        sent = [len(self.received(self.supplier, order["name"])) for order in orders]
        expect(sent == [1, 0], f"the supplier got {sent[0]} and {sent[1]} requests")
        return f"refused: {reason[:80]}"
