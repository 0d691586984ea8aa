# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""A customer's order, before a draft sales order is made of it."""

from __future__ import annotations

from typing import Any

from odoo.fields import Command

from odoo.addons.healthcare_integration_base.protocol.cause import Cause
from odoo.addons.healthcare_integration_base.protocol.errors import Filtered, Rejected

from . import identify
from .resolve import digest, noon


class Plan:
    """Which sales order is made of a customer's order.

    :param env: the client's user in its one company
    :param data: canonical data of ``sales.order.requested``
    :param services_only: it is a service order
    :raise Rejected: customer, address, item or unit unknown
    :raise Filtered: applied before
    """

    def __init__(self, env, data, message, services_only=False):
        self.env, self.data, self.message = env, data, message
        self.customer = self._customer()
        self._check_number()
        self.address = self._address()
        self.products = self._products(services_only)

    def _customer(self):
        """Return who orders; a system of a customer orders for that customer only."""
        found = identify.customer(
            self.env, self.message, self.data.get("customer"), "/customer"
        )
        own = self.message.sudo().endpoint_id.system_id.partner_id.commercial_partner_id
        if own and found.commercial_partner_id != own:
            raise _refused(
                "customer_unknown", "/customer", "There is no such customer."
            )
        return found

    def _check_number(self) -> None:
        known = (
            self.env["sale.order"]
            .sudo()
            .search(
                [
                    ("client_order_ref", "=", self.data["order_number"]),
                    ("partner_id", "child_of", self.customer.commercial_partner_id.id),
                    ("company_id", "=", self.env.company.id),
                    ("state", "!=", "cancel"),
                ],
                limit=1,
            )
        )
        if known and known.integration_order_digest == digest(self.data):
            raise Filtered("This order is known already.", code="order_repeated")
        if known:
            number = self.data["order_number"]
            title = self.env._(
                "Order number %s came again with another content", number
            )
            raise Rejected(
                "There is another order of this number.",
                code="order_number_reused",
                cause=Cause(
                    "order_number_reused",
                    number,
                    title,
                    document=("sale.order", known.id),
                ),
            )

    def _address(self):
        """Return where to deliver: one of the customer's addresses, never a new one."""
        ref = self.data.get("delivery_address")
        if not ref:
            return None
        found = identify.customer(self.env, self.message, ref, "/delivery_address")
        if found.commercial_partner_id != self.customer.commercial_partner_id:
            raise _refused(
                "delivery_address_unknown",
                "/delivery_address",
                "This is no address of the customer.",
            )
        return found

    def _products(self, services_only: bool):
        refs = [
            (row["item"], f"/lines/{index}/item")
            for index, row in enumerate(self.data["lines"])
        ]
        found = identify.items(self.env, self.message, refs)
        for one, (_ref, path) in zip(found, refs, strict=True):
            if not one.product.sale_ok:
                raise _refused("item_not_sold", path, "An item is not for sale.")
            if services_only and one.product.type != "service":
                raise _refused("item_not_service", path, "An item is no service.")
        return found

    def values(self) -> dict[str, Any]:
        """Return the values of the draft order; prices and taxes are Odoo's own."""
        data = self.data
        vals = {
            "partner_id": self.customer.id,
            "company_id": self.env.company.id,
            "client_order_ref": data["order_number"],
            "user_id": self.customer.commercial_partner_id.user_id.id,
            "order_line": [
                Command.create(self._line(index, row))
                for index, row in enumerate(data["lines"])
            ],
        }
        if self.address:
            vals["partner_shipping_id"] = self.address.id
        if data.get("requested_date"):
            vals["commitment_date"] = noon(data["requested_date"])
        if data.get("note"):
            vals["note"] = data["note"]
        return vals

    def _line(self, index: int, row: dict[str, Any]) -> dict[str, Any]:
        found = self.products[index]
        vals = {
            "product_id": found.product.id,
            "product_uom_qty": float(row["quantity"]),
            "product_uom_id": self._unit(index, row, found).id,
            "integration_asked_price": float(row.get("unit_price", "0")),
            "integration_price_asked": "unit_price" in row,
        }
        return vals

    def _unit(self, index, row, found):
        if not row.get("unit"):
            return found.uom or found.product.uom_id
        return identify.unit(
            self.env, self.message, row["unit"], found.product, f"/lines/{index}/unit"
        )

    def cost_center(self):
        """Return the analytic account the customer's order names; None for none."""
        name = self.data.get("cost_center")
        if not name:
            return None
        return identify.cost_center(self.env, self.message, name, "/cost_center")


def _refused(code: str, path: str, text: str) -> Rejected:
    return Rejected(text, code=code, details=[{"path": path, "message": text}])
