# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Calls of a partner to our controllers, signed with the standard's official library."""

from __future__ import annotations

import asyncio
import dataclasses
import datetime
import json
import uuid
from pathlib import Path

import aiohttp
from standardwebhooks.webhooks import Webhook

from . import journal

TIMEOUT = aiohttp.ClientTimeout(total=30)


@dataclasses.dataclass(frozen=True)
class Call:
    """One message to us; sent again it is the same, id and bytes."""

    url: str
    body: bytes
    message_id: str = dataclasses.field(
        default_factory=lambda: f"msg_{uuid.uuid4().hex}"
    )

    @classmethod
    def of(cls, url: str, document: dict) -> Call:
        """Return a call with a JSON document."""
        return cls(url, json.dumps(document).encode())


def instant(days: int = 0) -> str:
    """Return the time, or that some days on, as ISO 8601 in UTC."""
    moment = datetime.datetime.now(datetime.timezone.utc)
    moment += datetime.timedelta(days=days)
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")


def signature_headers(secret: str, call: Call) -> dict[str, str]:
    """Return the headers of Standard Webhooks for a call made now."""
    at = datetime.datetime.now(datetime.timezone.utc)
    return {
        "webhook-id": call.message_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": Webhook(secret).sign(
            call.message_id, at, call.body.decode()
        ),
    }


def key_headers(key: str, call: Call) -> dict[str, str]:
    """Return the headers of a call with an API key."""
    return {"Authorization": f"Bearer {key}", "webhook-id": call.message_id}


async def send(call: Call, headers: dict[str, str], log: Path) -> dict:
    """Make a call, note it, and return what came back: status (0: nothing), location, body."""
    started = journal.now()
    try:
        result = await _post(call, headers)
    except (aiohttp.ClientError, asyncio.TimeoutError) as error:
        result = {"status": 0, "error": type(error).__name__}
    result["message_id"] = call.message_id
    journal.Journal(log).write(
        {
            "sent_at": started,
            "url": call.url,
            "headers": journal.visible_headers(headers),
            **result,
        }
    )
    return result


async def _post(call: Call, headers: dict[str, str]) -> dict:
    headers = {"Content-Type": "application/json", **headers}
    async with (
        aiohttp.ClientSession(timeout=TIMEOUT) as session,
        session.post(call.url, data=call.body, headers=headers) as response,
    ):
        return {
            "status": response.status,
            "location": response.headers.get("Location"),
            "content_type": response.content_type,
            "body": (await response.text(errors="replace"))[:4000],
        }
