# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""A finance system: books documents once, and misbehaves on command.

Settings: `token` (the bearer we must show), `secrets` (where requests are signed as well),
`requires` (`{"cost_center": "^[0-9]{4}$"}`:
fields a document must have, with the pattern of their value).
"""

from __future__ import annotations

import json
import re

from . import server, verification


class Finance(server.Partner):
    """Books what it is sent, each message id once."""

    name = "finance"

    def __init__(self, log) -> None:
        super().__init__(log)
        self.booked: dict[str, str] = {}

    def verify(self, headers, body: bytes) -> bool:
        """Tell whether the request shows our token and, where agreed, is signed."""
        known = verification.has_bearer(self.settings.get("token", ""), headers)
        return known and (
            not self.settings.get("secrets") or super().verify(headers, body)
        )

    def handle(self, path: str, headers, body: bytes) -> dict:
        """Book the document, or tell what is wrong with it."""
        try:
            document = json.loads(body)
        except ValueError:
            return {"status": 400, "json": {"error": "not JSON"}}
        errors = self._errors(document)
        if errors:
            return {
                "status": 422,
                "json": {"title": "document refused", "errors": errors},
            }
        key = headers.get("webhook-id") or headers.get("Idempotency-Key")
        reference = self.booked.setdefault(key, f"FIN-{len(self.booked) + 1:06d}")
        return {"status": 200, "json": {"reference": reference}}

    def _errors(self, document) -> list[dict]:
        if not isinstance(document, dict):
            return [{"field": "", "error": "not an object"}]
        return [
            {"field": field, "error": "missing or not of the agreed form"}
            for field, pattern in self.settings.get("requires", {}).items()
            if not re.fullmatch(pattern, str(document.get(field) or ""))
        ]

    def control_state(self, data: dict) -> dict:
        """Tell what is booked."""
        return {**super().control_state(data), "booked": self.booked}


if __name__ == "__main__":
    server.main(Finance)
