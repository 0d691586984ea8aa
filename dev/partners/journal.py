# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""What a partner received, one JSON object a line."""

from __future__ import annotations

import base64
import datetime
import json
from collections.abc import Mapping
from pathlib import Path

#: Headers that carry a credential; the signature headers are no secret.
SECRET_HEADERS = frozenset(
    {"authorization", "proxy-authorization", "cookie", "x-api-key"}
)


def now() -> str:
    """Return the time in UTC, ISO 8601."""
    return (
        datetime.datetime.now(datetime.timezone.utc).isoformat().replace("+00:00", "Z")
    )


def visible_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Return the headers by lower-case name, credentials replaced by `***`."""
    return {
        name.lower(): "***" if name.lower() in SECRET_HEADERS else value
        for name, value in headers.items()
    }


class Journal:
    """Appends to a file, line by line, so that others may read it meanwhile."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()

    def write(self, entry: Mapping) -> None:
        """Append one line."""
        with self.path.open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(entry, ensure_ascii=False) + "\n")

    def received(
        self, path, headers, body: bytes, *, verified: bool, answered, at
    ) -> None:
        """Note a request.

        :param answered: the status of the answer, None where none was given
        :param at: when the request came in
        """
        self.write(
            {
                "received_at": at,
                "path": path,
                "headers": visible_headers(headers),
                "body_base64": base64.b64encode(body).decode(),
                "verified": verified,
                "answered": answered,
            }
        )


def read(path: Path) -> list[dict]:
    """Return the complete lines of a journal, the body decoded as `body` (bytes)."""
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    entries = [json.loads(line) for line in lines if line.endswith("}")]
    for entry in entries:
        if "body_base64" in entry:
            entry["body"] = base64.b64decode(entry["body_base64"])
    return entries
