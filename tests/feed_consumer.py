# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""A partner's consumer of a feed, as a process of its own.

    python -m tests.feed_consumer <base url> <database> <feed code> <key> <journal> <stop file>

It fetches, writes down what it has got, acknowledges, writes that down, and goes on after
any failure until the stop file is there. Each line of the journal is one JSON object.
"""

from __future__ import annotations

import hashlib
import json
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path


class Feed:
    """The two calls of a feed."""

    def __init__(self, base: str, database: str, code: str, key: str):
        self.url = f"{base}/integration/v1/feeds/{code}"
        self.headers = {
            "Authorization": f"Bearer {key}",
            "X-Odoo-Database": database,
            "Content-Type": "application/json",
        }

    def fetch(self, **parameters) -> dict:
        """Return a page."""
        query = "&".join(f"{name}={value}" for name, value in parameters.items())
        return self._call(f"{self.url}?{query}")

    def acknowledge(self, items: list[dict], result: str = "delivered") -> list[dict]:
        """Return the answers."""
        words = [
            {"uid": i["uid"], "lease": i["lease"], "result": result} for i in items
        ]
        body = json.dumps({"items": words}).encode()
        return self._call(f"{self.url}/acknowledgements", body)["items"]

    def _call(self, url: str, body: bytes | None = None) -> dict:
        request = urllib.request.Request(url, body, self.headers)  # noqa: S310
        with urllib.request.urlopen(request, timeout=30) as response:  # noqa: S310
            return json.load(response)


def fact(kind: str, item: dict) -> dict:
    """Return a line of the journal."""
    data = item["body"]["data"]
    digest = hashlib.sha256(item["body_base64"].encode()).hexdigest()
    return {
        "kind": kind,
        "uid": item["uid"],
        "number": data["number"],
        "key": data["key"],
        "body": digest,
        "at": time.time(),
    }


def consume(feed: Feed, journal, stop: Path) -> None:
    """Work until told to stop."""
    while not stop.exists():
        try:
            items = feed.fetch(limit=7, lease=10)["items"]
            for item in items:
                print(json.dumps(fact("got", item)), file=journal, flush=True)
            answers = feed.acknowledge(items) if items else []
        except (OSError, urllib.error.HTTPError, ValueError):
            time.sleep(0.2)
            continue
        for item, answer in zip(items, answers, strict=True):
            kind = "taken" if answer["status"] == 200 else answer["code"]
            print(json.dumps(fact(kind, item)), file=journal, flush=True)
        if not items:
            time.sleep(0.1)


if __name__ == "__main__":
    base, database, code, key, journal_path, stop_path = sys.argv[1:]
    with open(journal_path, "a", encoding="utf-8") as lines:
        consume(Feed(base, database, code, key), lines, Path(stop_path))
