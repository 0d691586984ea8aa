# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""A third-party logistics provider: takes every signed message in, keeps count by type."""

from __future__ import annotations

import json
from collections import Counter

from . import server


class Logistics(server.Partner):
    """Takes in what is signed."""

    name = "logistics"

    def __init__(self, log) -> None:
        super().__init__(log)
        self.counts: Counter[str] = Counter()

    def handle(self, path: str, headers, body: bytes) -> dict:
        """Count the event."""
        try:
            kind = json.loads(body)["type"]
        except (ValueError, KeyError, TypeError):
            return {"status": 400, "json": {"error": "not a CloudEvent"}}
        self.counts[kind] += 1
        return {"status": 202}

    def control_state(self, data: dict) -> dict:
        """Tell how many events of which type came."""
        return {**super().control_state(data), "counts": dict(self.counts)}


if __name__ == "__main__":
    server.main(Logistics)
