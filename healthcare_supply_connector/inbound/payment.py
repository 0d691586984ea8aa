# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Payment advices and what gateways tell, before anything is recorded."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from odoo.fields import Command, Domain

from odoo.addons.healthcare_integration_base.protocol.errors import Filtered, Rejected

from . import identify
from .resolve import check_own, digest, past

INVOICES = {
    "received": ("out_invoice", "out_refund", "out_receipt"),
    "sent": ("in_invoice", "in_refund", "in_receipt"),
}
PROGRESS = ("authorised", "failed", "captured", "refunded")


def _currency(env, code: str):
    found = env["res.currency"].search([("name", "=", code)], limit=1)
    if not found:
        raise Rejected(
            "This currency is not in use.",
            code="currency_unknown",
            details=[{"path": "/currency", "message": "is not in use"}],
        )
    return found


def invoice(advice, number: str):
    """Return the posted invoice of the payer with a number, a payment reference or his own."""
    same = Domain.OR(
        [(name, "=", number)] for name in ("name", "payment_reference", "ref")
    )
    domain = same & Domain(
        [
            ("move_type", "in", INVOICES[advice.direction]),
            ("company_id", "=", advice.company_id.id),
            ("state", "=", "posted"),
        ]
    )
    if advice.partner_id:
        partner = advice.partner_id.commercial_partner_id
        domain &= Domain("commercial_partner_id", "=", partner.id)
    found = advice.env["account.move"].search(domain, limit=2)
    return found if len(found) == 1 else found.browse()


def existing(advice, refund: bool = False):
    """Return the payment that was entered for an advice already, by reference and amount."""
    reference = advice.payment_reference or advice.name
    inbound = (advice.direction == "received") != refund
    found = advice.env["account.payment"].search(
        [
            "|",
            ("payment_reference", "=", reference),
            ("memo", "=", reference),
            ("company_id", "=", advice.company_id.id),
            ("payment_type", "=", "inbound" if inbound else "outbound"),
            ("state", "not in", ("canceled", "rejected")),
            ("currency_id", "=", advice.currency_id.id),
        ]
    )
    return found.filtered(
        lambda one: not advice.currency_id.compare_amounts(one.amount, advice.amount)
    )[:1]


class Advice:
    """A remittance advice.

    :param data: canonical data of ``finance.payment.advised``
    :raise Rejected: payer or currency unknown, sums, reference used for something else
    :raise Filtered: applied before
    """

    def __init__(self, env, data, message):
        self.env, self.data, self.message = env, data, message
        self.direction = data.get("direction", "received")
        find = identify.customer if self.direction == "received" else identify.supplier
        self.partner = find(env, message, data.get("payer"), "/payer")
        check_own(message, self.partner, f"{find.__name__}_unknown", "/payer")
        self._check_number()
        self._check_sum()
        self.currency = _currency(env, data["currency"])

    def _check_number(self) -> None:
        known = (
            self.env["integration.payment.advice"]
            .sudo()
            .search(
                [
                    ("name", "=", self.data["advice_number"]),
                    ("kind", "=", "remittance"),
                    ("partner_id", "child_of", self.partner.commercial_partner_id.id),
                    ("company_id", "=", self.env.company.id),
                ],
                limit=1,
            )
        )
        if known and known.digest == digest(self.data):
            raise Filtered("This advice is known already.", code="advice_repeated")
        if known:
            raise Rejected(
                "There is another advice of this number.", code="advice_number_reused"
            )

    def _check_sum(self) -> None:
        total = sum(Decimal(row["amount"]) for row in self.data["invoices"])
        if total != Decimal(self.data["amount"]):
            raise Rejected(
                "The invoices do not add up to the payment.",
                code="advice_total_mismatch",
                details=[
                    {"path": "/amount", "message": "is not the sum of the invoices"}
                ],
            )

    def values(self) -> dict[str, Any]:
        """Return the values of the advice and its lines."""
        data, message = self.data, self.message.sudo()
        return {
            "name": data["advice_number"],
            "kind": "remittance",
            "direction": self.direction,
            "partner_id": self.partner.id,
            "date": data["date"],
            "amount": float(data["amount"]),
            "currency_id": self.currency.id,
            "method": data.get("method"),
            "payment_reference": data.get("payment_reference"),
            "company_id": self.env.company.id,
            "endpoint_id": message.endpoint_id.id,
            "message_uid": message.uid,
            "digest": digest(data),
            "line_ids": [
                Command.create(
                    {
                        "number": row["number"],
                        "amount": float(row["amount"]),
                        "deduction": float(row.get("deduction", "0")),
                        "reason": row.get("reason"),
                    }
                )
                for row in data["invoices"]
            ],
        }


class Status:
    """What a gateway tells of one payment.

    :param data: canonical data of ``finance.payment.status_updated``
    :raise Rejected: payer or currency unknown, the time lies in the future
    :raise Filtered: stale, or told before
    """

    def __init__(self, env, data, message):
        self.env, self.data, self.message = env, data, message
        self.at = past(data["occurred_at"], "/occurred_at")
        self.reference = data["payment_reference"]
        key = f"payment {self.reference}"
        env["integration.freshness"]._check(message, key, data["occurred_at"])

    def record(self):
        """Return the record of this payment, empty for a new one.

        :raise Filtered: ``status_repeated``, or ``status_superseded``: it is further already
        """
        found = (
            self.env["integration.payment.advice"]
            .sudo()
            .search(
                [
                    ("kind", "=", "gateway"),
                    ("name", "=", self.reference),
                    ("endpoint_id", "=", self.message.sudo().endpoint_id.id),
                    ("company_id", "=", self.env.company.id),
                ],
                limit=1,
            )
            .with_env(self.env)
        )
        if found and found.status == self.data["status"]:
            raise Filtered("This is known already.", code="status_repeated")
        if found and self._is_behind(found):
            raise Filtered("The payment is further already.", code="status_superseded")
        return found

    def _is_behind(self, found) -> bool:
        told = self.data["status"]
        return PROGRESS.index(told) < PROGRESS.index(found.status) and told != "failed"

    def changes(self, advice) -> dict[str, Any]:
        """Return what changes on a payment that is known."""
        vals: dict[str, Any] = {
            "status": self.data["status"],
            "date": self.at.date(),
            "reason": self._reason(),
        }
        # a refund may be of a part; the amount that was captured stays with its payment
        if "amount" in self.data:
            vals["amount"] = float(self.data["amount"])
        return vals

    def values(self) -> dict[str, Any]:
        """Return the values of a payment told of for the first time."""
        data, message = self.data, self.message.sudo()
        partner = self._partner()
        code = data.get("currency")
        currency = _currency(self.env, code) if code else self.env.company.currency_id
        lines = []
        if "invoice" in data and "amount" in data:
            row = {"number": data["invoice"], "amount": float(data["amount"])}
            lines = [Command.create(row)]
        return {
            "name": self.reference,
            "kind": "gateway",
            "partner_id": partner.id,
            "date": self.at.date(),
            "amount": float(data.get("amount", "0")),
            "currency_id": currency.id,
            "payment_reference": self.reference,
            "status": data["status"],
            "reason": self._reason(),
            "company_id": self.env.company.id,
            "endpoint_id": message.endpoint_id.id,
            "message_uid": message.uid,
            "line_ids": lines,
        }

    def _partner(self):
        """Return who pays: named, or whose invoice it is; a partner speaks for itself."""
        found = self._payer()
        check_own(self.message, found, "customer_unknown", "/payer")
        return found

    def _payer(self):
        if "payer" in self.data:
            return identify.customer(
                self.env, self.message, self.data["payer"], "/payer"
            )
        number = self.data.get("invoice")
        if not number:
            return self.env["res.partner"]
        found = self.env["account.move"].search(
            [
                ("name", "=", number),
                ("move_type", "in", INVOICES["received"]),
                ("company_id", "=", self.env.company.id),
                ("state", "=", "posted"),
            ],
            limit=1,
        )
        return found.commercial_partner_id

    def _reason(self) -> str | bool:
        parts = (self.data.get("reason_code"), self.data.get("reason"))
        return ": ".join(part for part in parts if part) or False
