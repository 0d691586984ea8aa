# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""From the order to the goods in the warehouse."""

from __future__ import annotations

import json

from . import fabric as names
from .desk import Desk
from .report import expect, until

QUANTITIES = (10, 4, 20)


class Procurement(Desk):
    """What the buyer and the warehouse worker do."""

    def confirm_order(self) -> str:
        """A buyer confirms an order of several lines."""
        order = self.draft_order(self.world.company.supplier)
        self.buyer.call("purchase.order", "button_confirm", [order])
        self.order = self.buyer.one(
            "purchase.order", order, "name", "state", "picking_ids"
        )
        expect(self.order["state"] == "purchase", f"the order is {self.order['state']}")
        message = self.delivered("orders", "purchase.order", order)
        entries = self.received(self.supplier, self.order["name"])
        expect(len(entries) == 1, f"the supplier got {len(entries)} requests, not one")
        event = json.loads(entries[0]["body"])
        self.check_order(entries[0], event, message)
        return f"{self.order['name']}, {len(event['data']['lines'])} lines, {message['uid']}"

    def check_order(self, entry: dict, event: dict, message: dict) -> None:
        """Check what the supplier got: who sent it, which event, what is in it."""
        expect(
            entry["verified"] and entry["answered"] == 202,
            "the signature did not verify",
        )
        expect(
            entry["headers"]["webhook-id"] == message["uid"],
            "webhook-id is not the message's",
        )
        expect(
            event["type"] == f"healthcare.{names.RELEASED}.v1", f"type {event['type']}"
        )
        lines = event["data"]["lines"]
        quantities = [line["quantity"] for line in lines]
        expect(
            quantities == [str(number) for number in QUANTITIES],
            f"quantities {quantities}",
        )
        expect(
            len({line["line_ref"] for line in lines}) == len(lines),
            "line references repeat",
        )

    def draft_order(self, supplier: int) -> int:
        """Return a new draft order of all products."""
        lines = [
            (0, 0, {"product_id": product, "product_qty": quantity})
            for product, quantity in zip(
                self.world.company.products, QUANTITIES, strict=True
            )
        ]
        return self.buyer.create(
            "purchase.order", partner_id=supplier, order_line=lines
        )

    def take_acknowledgement(self) -> str:
        """The supplier calls by itself once it has the order."""
        number = self.need(self.order.get("name"), "order")
        self.acknowledged = until(
            lambda: self.answers(number), f"the supplier's call about {number}"
        )[0]
        self.applied("acknowledgements", self.acknowledged)
        asked = self.asked_dates()
        changed = [
            (line["product_id"][1], asked[line["id"]], line["date_planned"][:10])
            for line in self.order_lines()
            if line["date_planned"][:10] != asked[line["id"]]
        ]
        expect(len(changed) == 1, f"{len(changed)} lines have another date, not one")
        order = self.buyer.one("purchase.order", self.order["id"], "acknowledged")
        expect(order["acknowledged"], "the order is not marked as acknowledged")
        return "{}: {} {} -> {}".format(number, *changed[0])

    def asked_dates(self) -> dict[int, str]:
        """Return the dates the supplier was asked for, by order line."""
        event = json.loads(self.received(self.supplier, self.order["name"])[0]["body"])
        refs = {
            line["line_ref"]: line["requested_date"] for line in event["data"]["lines"]
        }
        return {
            line["id"]: refs[line["integration_line_ref"]]
            for line in self.order_lines()
        }

    def order_lines(self) -> list[dict]:
        """Return the lines of the order."""
        wanted = ["product_id", "date_planned", "integration_line_ref"]
        domain = [("order_id", "=", self.order["id"])]
        return self.buyer.search_read("purchase.order.line", domain, wanted)

    def take_ship_notice(self) -> str:
        """The supplier ships; the warehouse sees lots and expiry dates, nothing is received."""
        number = self.need(self.order.get("name"), "order")
        answer = self.supplier.control("ship", order=number)
        self.applied("ship_notices", answer)
        self.picking = self.order["picking_ids"][0]
        lines = self.move_lines(self.picking)
        told, proposed = self.told_lots(answer["notice"]), self.proposed_lots(lines)
        expect(told == proposed, f"told of {told}, proposed are {proposed}")
        expect(
            not any(line["picked"] for line in lines), "something counts as received"
        )
        picking = self.warehouse.one("stock.picking", self.picking, "name", "state")
        expect(picking["state"] == "assigned", f"the receipt is {picking['state']}")
        return (
            f"{picking['name']}: {', '.join(lot for lot, _day, _quantity in proposed)}"
        )

    @staticmethod
    def told_lots(notice: dict) -> list[tuple[str, str, float]]:
        """Return lot, expiry date and quantity of each lot in a ship notice."""
        lots = [lot for line in notice["lines"] for lot in line["lots"]]
        rows = [
            (lot["lot"], lot["expiry_date"], float(lot["quantity"])) for lot in lots
        ]
        return sorted(rows)

    def proposed_lots(self, lines: list[dict]) -> list[tuple[str, str, float]]:
        """Return lot, expiry date and quantity of each detailed operation."""
        rows = [
            (self.lot(line), str(line["expiration_date"])[:10], line["quantity"])
            for line in lines
        ]
        return sorted(rows)

    def move_lines(self, picking: int) -> list[dict]:
        """Return the detailed operations of a transfer."""
        wanted = [
            "product_id",
            "lot_id",
            "lot_name",
            "expiration_date",
            "quantity",
            "picked",
        ]
        return self.warehouse.search_read(
            "stock.move.line", [("picking_id", "=", picking)], wanted, order="id"
        )

    def receive_part(self) -> str:
        """A warehouse worker takes in one lot of two items and leaves the rest for later."""
        picking = self.need(self.picking, "receipt with lots")
        arrived = [
            line for line in self.move_lines(picking) if self.lot(line).endswith("-A")
        ][:2]
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
        expect(
            event["type"] == f"healthcare.{names.RECEIVED}.v1", f"type {event['type']}"
        )
        told = {lot["lot"] for line in event["data"]["lines"] for lot in line["lots"]}
        lots = {self.lot(line) for line in arrived}
        expect(
            told == lots, f"told of the lots {sorted(told)}, received {sorted(lots)}"
        )
