# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""A working day: from a purchase order to the paid bill, with what goes wrong on the way.

Each step does what somebody clicks and then looks at both sides: at Odoo, with that
person's rights, and at the partner's own log.
"""

from __future__ import annotations

from collections.abc import Callable

from .causes import TOO_MUCH, Causes
from .money import Money
from .procurement import Procurement
from .refusals import Refusals
from .report import Report


class Scenario(Procurement, Money, Causes, Refusals):
    """The steps in their order."""

    def run(self, report: Report) -> None:
        """Run all steps; one that lacks what an earlier one leaves fails with that reason."""
        for name, step in self.steps():
            report.run(name, step)

    def steps(self) -> list[tuple[str, Callable[[], str]]]:
        """Return the steps in order."""
        return [
            (
                "purchase order confirmed: delivered, signature verified",
                self.confirm_order,
            ),
            ("supplier acknowledges with one changed date", self.take_acknowledgement),
            ("supplier sends the ship notice with lots", self.take_ship_notice),
            ("part received: goods received, backorder", self.receive_part),
            ("vendor bill posted, finance answers 503, 503, 200", self.post_bill),
            (
                "bill paid, finance answers 422: dead, case in the finance queue",
                self.pay_bill,
            ),
            (
                "mapping corrected, approved, replayed: delivered, case closed",
                self.correct,
            ),
            (
                "logistics provider confirms a receipt: lots in stock, no echo",
                self.confirm_receipt,
            ),
            (
                f"supplier bills {TOO_MUCH} % too much: bill blocked, case for the clerk",
                self.bill_too_high,
            ),
            (
                "clerk accepts the difference: case resolved, bill posted",
                self.accept_difference,
            ),
            ("finance acknowledges the bill as posted", self.acknowledge_posting),
            (
                "stock reported under an unknown item number: one case",
                self.report_unknown_item,
            ),
            (
                "stock keeper picks the product: both reports replayed",
                self.pick_product,
            ),
            (
                "supplier repeats its acknowledgement: answered, applied once",
                self.repeat,
            ),
            ("wrong signature: 401, nothing stored", self.forge),
            ("confirmation rolled back: nothing sent", self.roll_back),
        ]
