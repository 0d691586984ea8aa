# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""A third-party logistics provider: runs the warehouse, tells what came in and what is there.

It takes every signed message in and keeps count by type. Settings:

===============  ==============================================================
``secrets``      with which we sign what we send (``whsec_…``)
``receipts_url`` our endpoint for its goods receipts
``levels_url``   our endpoint for its stock levels
``api_key``      goes with its calls
===============  ==============================================================
"""

from __future__ import annotations

import json
from collections import Counter

from . import outgoing, server


class Logistics(server.Partner):
    """Takes in what is signed; confirms receipts and reports levels on command."""

    name = "logistics"

    def __init__(self, log) -> None:
        super().__init__(log)
        self.calls_log = log.parent / "calls" / log.name
        self.counts: Counter[str] = Counter()

    def handle(self, path: str, headers, body: bytes) -> dict:
        """Count the event."""
        try:
            kind = json.loads(body)["type"]
        except (ValueError, KeyError, TypeError):
            return {"status": 400, "json": {"error": "not a CloudEvent"}}
        self.counts[kind] += 1
        return {"status": 202}

    def receipt(self, notice: dict) -> dict:
        """Return the confirmation that everything of a supplier's ship notice came in."""
        return {
            "reference": f"GR-{notice['shipment_number']}",
            "purchase_order": notice["purchase_order"],
            "received_at": outgoing.instant(),
            "lines": [
                {key: line[key] for key in ("line_ref", "quantity", "lots")}
                for line in notice["lines"]
            ],
        }

    async def control_confirm(self, data: dict) -> dict:
        """Confirm the receipt of what a ship ``notice`` told of."""
        return await self._call("receipts_url", self.receipt(data["notice"]))

    async def control_report(self, data: dict) -> dict:
        """Report ``lines`` of stock at a ``location``, under the number ``report``."""
        levels = {key: data[key] for key in ("report", "location", "lines")}
        return await self._call(
            "levels_url", {**levels, "counted_at": outgoing.instant()}
        )

    async def _call(self, setting: str, document: dict) -> dict:
        call = outgoing.Call.of(self.settings[setting], document)
        headers = outgoing.key_headers(self.settings["api_key"], call)
        return await outgoing.send(call, headers, self.calls_log)

    def control_state(self, data: dict) -> dict:
        """Tell how many events of which type came."""
        return {**super().control_state(data), "counts": dict(self.counts)}


if __name__ == "__main__":
    server.main(Logistics)
