# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Partners call in, and what they say is wrong: cases that a clerk and a stock keeper finish."""

from __future__ import annotations

from decimal import Decimal

from .desk import Desk
from .report import expect, until

TOO_MUCH = 3  # percent


class Causes(Desk):
    """What the logistics provider, the supplier's billing and two colleagues do."""

    def confirm_receipt(self) -> str:
        """The logistics provider counts what the supplier shipped: the receipt is done."""
        order = self.draft_order(self.world.company.supplier)
        self.buyer.call("purchase.order", "button_confirm", [order])
        self.delivered("orders", "purchase.order", order)
        self.billed = self.buyer.one("purchase.order", order, "name", "picking_ids")
        number, picking = self.billed["name"], self.billed["picking_ids"][0]
        for answer in until(lambda: self.answers(number), f"a call about {number}"):
            self.applied("acknowledgements", answer)
        shipped = self.supplier.control("ship", order=number)
        self.applied("ship_notices", shipped)
        notice = shipped["notice"]
        self.applied("receipts", self.logistics.control("confirm", notice=notice))
        done = self.warehouse.one("stock.picking", picking, "name", "state")
        expect(done["state"] == "done", f"the receipt is {done['state']}")
        lots = sum(len(line["lots"]) for line in notice["lines"])
        got = self.move_lines(picking)
        expect(len(got) == lots, f"{len(got)} lots are in, {lots} were confirmed")
        self.check_no_echo(picking)
        return f"{done['name']}: {lots} lots in stock, not told back to whom we know it from"

    def check_no_echo(self, picking: int) -> None:
        """Check that the logistics provider is not told what it has told us."""
        about = [("res_model", "=", "stock.picking"), ("res_id", "=", picking)]
        ours = ("endpoint_id", "=", self.world.fabric.endpoints["logistics"])
        echoed = self.integrator.count("integration.message", [*about, ours])
        expect(not echoed, f"{echoed} messages went back to the logistics provider")

    def bill_too_high(self) -> str:
        """The supplier bills more than agreed: the bill is blocked, a clerk gets a case."""
        number = self.need(self.billed.get("name"), "order that came in")
        answer = self.supplier.control("bill", order=number, percent=str(TOO_MUCH))
        self.applied("invoices", answer)
        invoice = answer["invoice"]
        bills = self.clerk.search_read(
            "account.move",
            [("ref", "=", invoice["number"]), ("move_type", "=", "in_invoice")],
            ["state", "integration_match_state", "amount_total"],
        )
        expect(len(bills) == 1, f"{len(bills)} bills have the number")
        bill = bills[0]
        self.clerks_bill = bill["id"]
        state = bill["integration_match_state"]
        expect(state == "blocked", f"the bill's match is {state}")
        total = Decimal(str(bill["amount_total"]))
        wanted = Decimal(invoice["total_amount"])
        expect(total == wanted, f"the bill is over {total}, not {wanted}")
        reason = self.refusal(
            lambda: self.clerk.call("account.move", "action_post", [bill["id"]])
        )
        case = self.case_of_bill()
        queue = case["queue_id"] and case["queue_id"][0]
        expect(
            queue == self.world.fabric.finance_queue,
            f"the case is in {case['queue_id']}",
        )
        expect(case["amount"] > 0, "the case does not say what is at stake")
        expect(reason, "nobody is told why the bill cannot be posted")
        return f"{case['name']}; at stake: {case['amount']:.2f}"

    def case_of_bill(self) -> dict:
        """Return the case of the blocked bill, as the clerk sees it."""
        about = [
            ("res_model", "=", "account.move"),
            ("res_id", "=", self.clerks_bill),
        ]
        wanted = ["name", "state", "code", "amount", "queue_id", "resolution"]
        cases = self.clerk.search_read("integration.exception", about, wanted)
        expect(len(cases) == 1, f"{len(cases)} cases are about the bill")
        return cases[0]

    def accept_difference(self) -> str:
        """The clerk takes the case on, accepts the difference and posts the bill."""
        bill = self.need(self.clerks_bill, "blocked bill")
        case = self.case_of_bill()
        self.clerk.call("integration.exception", "action_take", [case["id"]])
        # from now on the finance system wants a cost center of payments only
        self.finance.control("settings", requires={"document_type": "[A-Z_]+"})
        dialog = self.clerk.call(
            "integration.exception", "action_accept_difference", [case["id"]]
        )
        reason = "Price list of this month, agreed with purchasing"
        self.clerk.follow(dialog, "action_accept_and_post", move_id=bill, reason=reason)
        done = self.clerk.one(
            "account.move", bill, "name", "state", "integration_match_state"
        )
        expect(
            (done["state"], done["integration_match_state"]) == ("posted", "approved"),
            f"the bill is {done['state']}, its match {done['integration_match_state']}",
        )
        closed = self.case_of_bill()
        expect(closed["state"] == "resolved", f"the case is {closed['state']}")
        self.booked = self.delivered("finance", "account.move", bill)
        return f"{done['name']} posted; case resolved: {closed['resolution']}"

    def acknowledge_posting(self) -> str:
        """The finance system says under which number it has posted the bill."""
        message = self.need(self.booked, "bill the finance system got")
        answer = self.finance.control("acknowledge", uid=message["uid"])
        expect(
            answer["status"] in (200, 201),
            f"answered {answer['status']}: {answer.get('body')}",
        )
        seen = self.clerk.one(
            "integration.message",
            message["id"],
            "state",
            "business_state",
            "partner_reference",
        )
        expect(
            (seen["state"], seen["business_state"]) == ("delivered", "posted"),
            f"the message is {seen['state']}, the document {seen['business_state']}",
        )
        return f"delivered and posted as {seen['partner_reference']}"

    def report_unknown_item(self) -> str:
        """The logistics provider reports stock of an item under a number nobody knows."""
        number = self.need(self.billed.get("name"), "order that came in")
        self.unknown = f"LSP-{number}"
        for count in (1, 2):
            self.report_stock(f"{number}-{count}", self.unknown)
        cases = until(self.cases_of_unknown, "the case of the unknown item")
        expect(len(cases) == 1, f"{len(cases)} cases for one cause")
        case = cases[0]
        until(
            lambda: self.cases_of_unknown()[0]["unresolved_count"] == 2,
            "both messages are in the case",
        )
        self.unknown_case = case["id"]
        return f"{case['name']}: one case, two messages waiting"

    def report_stock(self, report: str, code: str) -> None:
        """Have the logistics provider report what we have of the first product."""
        line = {"item": {"supplier_code": code}, "quantity": self.on_hand()}
        answer = self.logistics.control(
            "report",
            report=report,
            location=self.world.fabric.location,
            lines=[line],
        )
        expect(answer["status"] == 202, f"answered {answer['status']}: {answer}")
        self.reports.append(answer["location"].rpartition("/")[2])

    def on_hand(self) -> str:
        """Return how much of the first product is in the warehouse."""
        product = self.world.company.products[0]
        found = self.stock_keeper.one("product.product", product, "qty_available")
        return str(Decimal(str(found["qty_available"])))

    def cases_of_unknown(self) -> list[dict]:
        """Return the open cases about the unknown number, as the stock keeper sees them."""
        domain = [("cause_key", "like", self.unknown), ("state", "!=", "resolved")]
        return self.stock_keeper.search_read(
            "integration.exception", domain, ["name", "unresolved_count", "state"]
        )

    def pick_product(self) -> str:
        """The stock keeper picks the product; both reports are applied."""
        case = self.need(self.unknown_case, "case of the unknown item")
        dialog = self.stock_keeper.call(
            "integration.exception", "action_match_reference", [case]
        )
        product = self.world.company.products[0]
        self.stock_keeper.write(
            dialog["res_model"], dialog["res_id"], product_id=product
        )
        self.stock_keeper.follow(dialog, "action_apply")
        done = until(self.replayed, "both reports are applied")
        closed = until(lambda: self.resolved(case), "the case closes")
        return f"{len(done)} messages replayed; {closed['resolution']}"

    def replayed(self) -> list[dict]:
        """Return the applied replays of the reports, once both are."""
        domain = [
            ("replay_of_id.uid", "in", self.reports),
            ("state", "in", ("done", "filtered")),
        ]
        found = self.integrator.search_read("integration.message", domain, ["state"])
        return found if len(found) == len(self.reports) else []

    def resolved(self, case: int) -> dict | None:
        """Return the case once it is resolved."""
        seen = self.stock_keeper.one(
            "integration.exception", case, "state", "resolution"
        )
        return seen if seen["state"] == "resolved" else None
