# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""A supplier's invoice laid on his orders, before a bill is made of it."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from odoo.fields import Command

from odoo.addons.healthcare_integration_base.protocol.cause import Cause
from odoo.addons.healthcare_integration_base.protocol.errors import Filtered, Rejected

from . import identify
from .resolve import check_own, digest

CENT = Decimal("0.01")
CHARGES = {
    "freight": "Freight",
    "handling": "Handling",
    "packing": "Packing",
    "insurance": "Insurance",
    "small_order": "Small order surcharge",
    "other": "Charge",
}


@dataclass
class Line:
    """One line of the invoice and what it bills.

    :param order_line: line of a purchase order; empty: nothing ordered fits
    """

    row: dict[str, Any]
    path: str
    order_line: Any
    product: Any
    unit: Any
    taxes: Any  # account.tax; None: as ordered


def check_totals(data) -> None:
    """Refuse an invoice that does not add up in itself.

    :raise Rejected: ``line_total_mismatch``, ``invoice_total_mismatch`` with the paths
    """
    wrong = [
        f"/lines/{index}/net_amount"
        for index, row in enumerate(data["lines"])
        if abs(_net(row) - Decimal(row["net_amount"])) > CENT
    ]
    if wrong:
        raise Rejected(
            "A line is not quantity times price less discount.",
            code="line_total_mismatch",
            details=[{"path": path, "message": "does not add up"} for path in wrong],
        )
    net = sum(Decimal(row["net_amount"]) for row in data["lines"])
    net += sum(Decimal(row["amount"]) for row in data.get("charges", []))
    total = net + Decimal(data.get("tax_amount", "0"))
    for name, value in (("net_amount", net), ("total_amount", total)):
        if name in data and abs(Decimal(data[name]) - value) > CENT:
            raise Rejected(
                "The invoice does not add up.",
                code="invoice_total_mismatch",
                details=[
                    {
                        "path": f"/{name}",
                        "message": "is not the sum of lines, charges and tax",
                    }
                ],
            )


def _net(row) -> Decimal:
    discount = 1 - Decimal(row.get("discount_percent", "0")) / 100
    return Decimal(row["quantity"]) * Decimal(row["unit_price"]) * discount


def move_type_of(data) -> str:
    """Return the type of bill that stands for the document."""
    return "in_refund" if data.get("document_type") == "credit_note" else "in_invoice"


def check_number(env, partner, data) -> None:
    """Refuse a number that the supplier has used before.

    :raise Filtered: ``invoice_repeated``: same number, same content
    :raise Rejected: ``invoice_number_reused``: another content, or entered by hand; a case
    """
    known = (
        env["account.move"]
        .sudo()
        .search(
            [
                ("ref", "=", data["number"]),
                ("move_type", "=", move_type_of(data)),
                ("commercial_partner_id", "=", partner.commercial_partner_id.id),
                ("company_id", "=", env.company.id),
                ("state", "!=", "cancel"),
            ],
            limit=1,
        )
    )
    if not known:
        return
    if known.integration_invoice_digest == digest(data):
        raise Filtered("This invoice is known already.", code="invoice_repeated")
    number = data["number"]
    raise Rejected(
        "There is another bill of this number.",
        code="invoice_number_reused",
        cause=Cause(
            "invoice_number_reused",
            number,
            env._("Invoice number %s came again with another content", number),
            amount=Decimal(data["total_amount"]),
            currency=data["currency"],
            document=("account.move", known.id),
        ),
    )


class Plan:
    """Which bill is made of an invoice.

    :param env: the client's user in its one company
    :param data: canonical data of ``supply.supplier_invoice.submitted``
    :raise Rejected: order, item, unit, tax or currency unknown (most with a cause), or it
        does not add up
    :raise Filtered: applied before
    """

    def __init__(self, env, data, message):
        self.env, self.data, self.message = env, data, message
        self.partner = identify.supplier(
            env, message, data.get("supplier"), "/supplier"
        )
        check_own(message, self.partner, "supplier_unknown", "/supplier")
        check_number(env, self.partner, data)
        check_totals(data)
        self.currency = self._currency()
        self.orders = self._orders()
        self.products = self._products()
        self._taken: set[int] = set()
        self.lines = [self._line(i, row) for i, row in enumerate(data["lines"])]
        self.charges = [
            (row, self._taxes(row, f"/charges/{index}", None))
            for index, row in enumerate(data.get("charges", []))
        ]

    def _currency(self):
        code = self.data["currency"]
        currency = self.env["res.currency"].search([("name", "=", code)], limit=1)
        if not currency:
            raise Rejected(
                "This currency is not in use.",
                code="currency_unknown",
                details=[{"path": "/currency", "message": "is not in use"}],
            )
        return currency

    def _orders(self) -> dict[str, Any]:
        """Return the orders the invoice names, by number."""
        named = {row.get("purchase_order") for row in self.data["lines"]}
        numbers = sorted({self.data.get("purchase_order"), *named} - {None})
        orders = self.env["purchase.order"].search(
            [
                ("name", "in", numbers),
                ("partner_id", "child_of", self.partner.commercial_partner_id.id),
                ("company_id", "=", self.env.company.id),
                ("state", "=", "purchase"),
            ]
        )
        found = {order.name: order for order in orders}
        for number in numbers:
            if number not in found:
                raise self._unknown_order(number)
        return found

    def _unknown_order(self, number: str) -> Rejected:
        title = self.env._(
            "%(supplier)s bills order %(order)s, which is not an open order of his",
            supplier=self.partner.display_name,
            order=number,
        )
        return Rejected(
            "There is no such purchase order.",
            code="purchase_order_unknown",
            cause=Cause(
                "purchase_order_unknown",
                number,
                title,
                amount=Decimal(self.data["total_amount"]),
                currency=self.data["currency"],
            ),
        )

    # -- lines --------------------------------------------------------------------------

    def _products(self) -> dict[int, Any]:
        """Return the items of the lines that have no line of an order to go by."""
        wanted = [
            (index, row)
            for index, row in enumerate(self.data["lines"])
            if "item" in row and "line_ref" not in row
        ]
        refs = [(row["item"], f"/lines/{index}/item") for index, row in wanted]
        found = identify.items(self.env, self.message, refs, supplier=self.partner)
        return dict(zip([i for i, _row in wanted], found, strict=True))

    def _line(self, index: int, row: dict[str, Any]) -> Line:
        path = f"/lines/{index}"
        found = self.products.get(index)
        order_line = self._order_line(row, path, found and found.product)
        product = order_line.product_id or (
            found.product if found else self.env["product.product"]
        )
        return Line(
            row,
            path,
            order_line,
            product,
            self._unit(row, path, order_line, product, found),
            self._taxes(row, path, order_line),
        )

    def _order_line(self, row, path, product):
        number = row.get("purchase_order") or self.data.get("purchase_order")
        lines = self.env["purchase.order.line"]
        if number:
            lines = self.orders[number].order_line.filtered("product_id")
        if "line_ref" in row:
            return self._by_reference(lines, row["line_ref"], path)
        lines = lines.filtered(lambda line: product and line.product_id == product)
        # of several lines of the same item each is billed once, those with most to bill first
        free = lines.filtered(lambda line: line.id not in self._taken) or lines
        found = free.sorted(lambda line: -line.qty_to_invoice)[:1]
        self._taken.update(found.ids)
        return found

    def _by_reference(self, lines, reference: str, path: str):
        found = lines.filtered(lambda line: line.integration_line_ref == reference)
        if not found:
            raise Rejected(
                "The order has no such line.",
                code="line_unknown",
                details=[{"path": f"{path}/line_ref", "message": "not on the order"}],
            )
        self._taken.update(found.ids)
        return found

    def _unit(self, row, path, order_line, product, found):
        code, where = row.get("unit"), f"{path}/unit"
        if not product:
            return self.env["uom.uom"]
        if order_line:
            return identify.ordered_unit(
                self.env, self.message, code, order_line, where
            )
        if code:
            return identify.unit(self.env, self.message, code, product, where)
        return (found and found.uom) or product.uom_id

    def _taxes(self, row, path, order_line):
        """Return the taxes the sender names; the order's own where they say the same."""
        refs = row.get("taxes")
        if refs is None:
            return None
        ours = order_line.tax_ids if order_line else self.env["account.tax"]
        if self._same_rates(ours, refs):
            return ours
        taxes = self.env["account.tax"]
        for number, ref in enumerate(refs):
            taxes |= identify.tax(
                self.env, self.message, ref, "purchase", f"{path}/taxes/{number}"
            )
        return taxes

    @staticmethod
    def _same_rates(taxes, refs) -> bool:
        if not refs or any("code" in ref or "country" in ref for ref in refs):
            return False
        ours = sorted(tax.amount for tax in taxes if tax.amount_type == "percent")
        stated = sorted(float(ref["rate"]) for ref in refs)
        return len(taxes) == len(stated) and ours == stated

    # -- values -------------------------------------------------------------------------

    def values(self) -> dict[str, Any]:
        """Return the values of the draft bill."""
        data = self.data
        numbers = ", ".join(sorted(self.orders))
        due = data.get("due_date")
        vals = {
            "move_type": move_type_of(data),
            "company_id": self.env.company.id,
            "partner_id": self._biller().id,
            "ref": data["number"],
            "invoice_date": data["issue_date"],
            "currency_id": self.currency.id,
            "invoice_origin": numbers or False,
            "payment_reference": data["number"],
            "partner_bank_id": self.known_bank_account().id,
            "invoice_line_ids": [
                *(Command.create(self._bill_line(line)) for line in self.lines),
                *(Command.create(self._charge(*charge)) for charge in self.charges),
            ],
        }
        if due:
            vals.update(
                invoice_payment_term_id=False,
                invoice_date_due=datetime.date.fromisoformat(due),
            )
        return vals

    def _biller(self):
        """Return whom the bill is of: who has the orders, if that is one."""
        partners = self.env["res.partner"].union(
            *(order.partner_id for order in self.orders.values())
        )
        return partners if len(partners) == 1 else self.partner

    def _bill_line(self, line: Line) -> dict[str, Any]:
        row, vals = line.row, {}
        if line.order_line:
            vals = line.order_line._prepare_account_move_line()
        elif line.product:
            vals = {"product_id": line.product.id}
        if row.get("description") and not line.order_line:
            vals["name"] = row["description"]
        vals.update(
            quantity=float(row["quantity"]),
            price_unit=float(row["unit_price"]),
            discount=float(row.get("discount_percent", "0")),
        )
        if line.unit:
            vals["product_uom_id"] = line.unit.id
        if line.taxes is not None:
            vals["tax_ids"] = [Command.set(line.taxes.ids)]
        return vals

    def _charge(self, row, taxes) -> dict[str, Any]:
        vals = {
            "name": row.get("description") or CHARGES[row["kind"]],
            "quantity": 1.0,
            "price_unit": float(row["amount"]),
            "integration_charge": True,
        }
        if taxes is not None:
            vals["tax_ids"] = [Command.set(taxes.ids)]
        return vals

    def guarded_values(self) -> dict[str, Any]:
        """Return what only the match may write on the bill."""
        return {
            "integration_stated_total": self.data["total_amount"],
            "integration_stated_tax": self.data.get("tax_amount", False),
            "integration_invoice_digest": digest(self.data),
            "integration_endpoint_id": self.message.sudo().endpoint_id.id,
        }

    # -- bank account ---------------------------------------------------------------------

    def _accounts(self):
        return self.partner.sudo().commercial_partner_id.bank_ids

    def known_bank_account(self):
        """Return the supplier's bank account that the invoice names; empty if none is known."""
        stated = _plain(self.data.get("bank_account", {}).get("number", ""))
        return self._accounts().filtered(
            lambda account: stated and _plain(account.acc_number) == stated
        )[:1]

    def tell_strange_bank_account(self, move) -> None:
        """Open a case when the invoice names an account that is not known.

        A changed account is how invoices are forged: it is told, and never written.
        """
        stated = _plain(self.data.get("bank_account", {}).get("number", ""))
        if not stated or self.known_bank_account():
            return
        title = self.env._(
            "%(supplier)s asks on bill %(ref)s to be paid to an unknown account …%(end)s",
            supplier=self.partner.display_name,
            ref=move.ref,
            end=stated[-4:],
        )
        cause = Cause(
            "bank_account_changed",
            f"{move.ref} #{move.id}",
            title,
            amount=Decimal(self.data["total_amount"]),
            currency=self.data["currency"],
            document=(move._name, move.id),
        )
        self.env["integration.exception"]._raise_case(cause, message=self.message)


def _plain(number: str | None) -> str:
    return "".join(sign for sign in (number or "").upper() if sign.isalnum())
