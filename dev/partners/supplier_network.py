# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""A supplier network: takes purchase orders in, acknowledges them, ships.

Settings:

===================  ==========================================================
``secrets``          with which we sign what we send (``whsec_…``)
``acknowledge_url``  our endpoint for acknowledgements; without it none is sent
``ship_url``         our endpoint for ship notices
``invoice_url``      our endpoint for its invoices
``signing_secret``   signs its acknowledgements (``whsec_…``)
``api_key``          goes with its ship notices and invoices
``delay_days``       by how much the promised date of an order's last line is later
                     than asked for (5; 0 = everything accepted as ordered)
``ship_after``       seconds from the acknowledgement to the ship notice; without
                     it the notice goes out on command only
===================  ==========================================================
"""

from __future__ import annotations

import asyncio
import base64
import datetime
import json
import secrets
from decimal import Decimal

from . import outgoing, server

CENT = Decimal("0.01")
RELEASED = "healthcare.supply.purchase_order.released."


class SupplierNetwork(server.Partner):
    """Verifies, answers, and then calls back."""

    name = "supplier_network"

    def __init__(self, log) -> None:
        super().__init__(log)
        self.calls_log = log.parent / "calls" / log.name
        self.orders: dict[str, dict] = {}
        self.seen: set[str] = set()
        self.acknowledgements: dict[str, outgoing.Call] = {}
        self.answers: dict[str, list[dict]] = {}

    def handle(self, path: str, headers, body: bytes) -> dict:
        """Take an event in, each id once; acknowledge a new order afterwards."""
        try:
            event = json.loads(body)
            kind, data = event["type"], event["data"]
        except (ValueError, KeyError, TypeError):
            return {"status": 400, "json": {"error": "not a CloudEvent"}}
        if kind.startswith(RELEASED) and headers["webhook-id"] not in self.seen:
            number = data["order"]["number"]
            self.orders[number] = data
            if self.settings.get("acknowledge_url"):
                self.spawn(self._acknowledge_and_ship(number))
        self.seen.add(headers["webhook-id"])
        return {"status": 202}

    # what the supplier says

    def acknowledgement(self, number: str) -> dict:
        """Return the acknowledgement of an order: the last line comes later than asked for."""
        lines = [
            {
                "line_ref": line["line_ref"],
                "status": "accepted",
                "quantity": line["quantity"],
            }
            for line in self.orders[number]["lines"]
        ]
        delay = self.settings.get("delay_days", 5)
        if delay:
            asked = _date(self.orders[number]["lines"][-1])
            promised = asked + datetime.timedelta(days=delay)
            lines[-1].update(status="changed", promised_date=promised.isoformat())
        return {
            "purchase_order": number,
            "supplier_reference": f"SO-{number}",
            "status": "accepted_with_changes" if delay else "accepted",
            "acknowledged_at": outgoing.instant(),
            "lines": lines,
        }

    def ship_notice(self, number: str) -> dict:
        """Return the ship notice of a whole order, each line in two lots."""
        today = datetime.date.today()
        return {
            "shipment_number": f"ASN-{number}",
            "purchase_order": number,
            "shipped_at": outgoing.instant(),
            "expected_at": outgoing.instant(days=2),
            "carrier": "Simulated Freight",
            "tracking_number": f"TRK{secrets.randbelow(10**10):010d}",
            "lines": [
                {
                    "line_ref": line["line_ref"],
                    "quantity": line["quantity"],
                    "lots": _lots(
                        f"{number}-{line['line_ref']}", line["quantity"], today
                    ),
                }
                for line in self.orders[number]["lines"]
            ],
        }

    def invoice(self, number: str, percent: Decimal) -> dict:
        """Return the invoice of a whole order, each price too high by some percent."""
        order = self.orders[number]
        lines = [_invoiced(line, percent) for line in order["lines"]]
        net = sum(Decimal(line["net_amount"]) for line in lines)
        rate = _tax_rate(order["order"])
        tax = (net * rate / 100).quantize(CENT)
        if rate:
            for line in lines:
                line["taxes"] = [{"rate": format(rate.normalize(), "f")}]
        return {
            "number": f"INV-{number}",
            "issue_date": datetime.date.today().isoformat(),
            "purchase_order": number,
            "currency": order["order"]["currency"],
            "lines": lines,
            "net_amount": str(net),
            "tax_amount": str(tax),
            "total_amount": str(net + tax),
        }

    async def _acknowledge_and_ship(self, number: str) -> None:
        await self.acknowledge(number)
        if self.settings.get("ship_after") is not None:
            await asyncio.sleep(self.settings["ship_after"])
            await self.control_ship({"order": number})

    async def acknowledge(self, number: str) -> dict:
        """Send the acknowledgement of an order, the first time or again, always the same."""
        call = self.acknowledgements.get(number)
        if call is None:
            call = outgoing.Call.of(
                self.settings["acknowledge_url"], self.acknowledgement(number)
            )
            self.acknowledgements[number] = call
        return await self._send(number, call, self._signed(call))

    async def _send(
        self, number: str, call: outgoing.Call, headers: dict[str, str]
    ) -> dict:
        answer = await outgoing.send(call, headers, self.calls_log)
        self.answers.setdefault(number, []).append(answer)
        return answer

    def _signed(self, call: outgoing.Call) -> dict[str, str]:
        return outgoing.signature_headers(self.settings["signing_secret"], call)

    def _with_key(self, call: outgoing.Call) -> dict[str, str]:
        return outgoing.key_headers(self.settings["api_key"], call)

    # commands

    async def control_acknowledge(self, data: dict) -> dict:
        """Acknowledge an ``order``; a second time repeats the same message, same id."""
        return await self.acknowledge(self._known(data))

    async def control_ship(self, data: dict) -> dict:
        """Send the ship notice of an ``order``; tell what it said as well."""
        number = self._known(data)
        notice = self.ship_notice(number)
        call = outgoing.Call.of(self.settings["ship_url"], notice)
        answer = await self._send(number, call, self._with_key(call))
        return {**answer, "notice": notice}

    async def control_bill(self, data: dict) -> dict:
        """Send the invoice of an ``order``, too high by some ``percent``; tell what it said."""
        number = self._known(data)
        invoice = self.invoice(number, Decimal(data.get("percent", "0")))
        call = outgoing.Call.of(self.settings["invoice_url"], invoice)
        answer = await self._send(number, call, self._with_key(call))
        return {**answer, "invoice": invoice}

    async def control_forge(self, data: dict) -> dict:
        """Send an acknowledgement of an ``order`` signed with a secret nobody knows."""
        number = self._known(data)
        call = outgoing.Call.of(
            self.settings["acknowledge_url"], self.acknowledgement(number)
        )
        wrong = f"whsec_{base64.b64encode(secrets.token_bytes(32)).decode()}"
        return await self._send(number, call, outgoing.signature_headers(wrong, call))

    def control_state(self, data: dict) -> dict:
        """Tell which orders are known and how our controllers answered, by order."""
        return {
            **super().control_state(data),
            "orders": sorted(self.orders),
            "answers_by_order": self.answers,
        }

    def _known(self, data: dict) -> str:
        if data.get("order") not in self.orders:
            raise ValueError(f"no such order here: {data.get('order')}")
        return data["order"]


def _date(line: dict) -> datetime.date:
    return datetime.date.fromisoformat(line["requested_date"][:10])


def _invoiced(line: dict, percent: Decimal) -> dict:
    """Return the line of an invoice for a line of an order, dearer by some percent."""
    price = (Decimal(line["unit_price"]) * (100 + percent) / 100).quantize(CENT)
    return {
        "line_ref": line["line_ref"],
        "quantity": line["quantity"],
        "unit_price": str(price),
        "net_amount": str((price * Decimal(line["quantity"])).quantize(CENT)),
    }


def _tax_rate(order: dict) -> Decimal:
    """Return the rate in percent that an order's amounts tell, the same for all lines."""
    net, tax = Decimal(order["untaxed_amount"]), Decimal(order["tax_amount"])
    return (100 * tax / net).quantize(Decimal(1)) if net else Decimal(0)


def _lots(prefix: str, quantity: str, today: datetime.date) -> list[dict]:
    """Return two lots that make up the quantity, or one where it cannot be halved."""
    whole, half = Decimal(quantity), Decimal(quantity) // 2
    parts = [whole - half, half] if half else [whole]
    return [
        {
            "lot": f"{prefix}-{letter}",
            "expiry_date": (
                today + datetime.timedelta(days=365 + 90 * index)
            ).isoformat(),
            "quantity": format(part, "f"),
        }
        for index, (letter, part) in enumerate(zip("AB", parts, strict=False))
    ]


if __name__ == "__main__":
    server.main(SupplierNetwork)
