# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""A finance system: books documents once, and misbehaves on command.

Settings: `token` (the bearer we must show), `secrets` (where requests are signed as well),
`requires` (`{"cost_center": "^[0-9]{4}$"}`:
fields a document must have, with the pattern of their value), `messages_url` and `api_key`
(where and with what it tells us that a document is posted).
"""

from __future__ import annotations

import json
import re

from . import outgoing, server, verification


class Finance(server.Partner):
    """Books what it is sent, each message id once."""

    name = "finance"

    def __init__(self, log) -> None:
        super().__init__(log)
        self.calls_log = log.parent / "calls" / log.name
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

    async def control_acknowledge(self, data: dict) -> dict:
        """Tell us that the document of message ``uid`` is posted, under which number."""
        answer = {
            "status": "posted",
            "reference": self.booked[data["uid"]],
            "occurred_at": outgoing.instant(),
        }
        url = f"{self.settings['messages_url']}/{data['uid']}/acknowledgements"
        call = outgoing.Call.of(url, answer)
        headers = outgoing.key_headers(self.settings["api_key"], call)
        return await outgoing.send(call, headers, self.calls_log)

    def control_state(self, data: dict) -> dict:
        """Tell what is booked."""
        return {**super().control_state(data), "booked": self.booked}


if __name__ == "__main__":
    server.main(Finance)
