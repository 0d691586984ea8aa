# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""A client that costs little: requests made beforehand, written to plain sockets.

`python -m bench.load PLAN`: the plan is JSON `{"host", "port", "path", "headers", "bodies",
"count", "concurrency", "ids", "expect"}`; prints `{"seconds", "statuses", "ms"}`.
`ids` is a prefix of ids that are given one by one in the header `webhook-id`.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections import Counter
from itertools import count as numbers


def requests_of(plan: dict) -> list[bytes]:
    """Return the bytes of all requests."""
    place = f"{plan['host']}:{plan['port']}"
    lines = [f"POST {plan['path']} HTTP/1.1", f"Host: {place}"]
    lines += [f"{name}: {value}" for name, value in plan["headers"].items()]
    head = "\r\n".join(lines)
    made = []
    for number in range(plan["count"]):
        body = plan["bodies"][number % len(plan["bodies"])].encode()
        own = f"\r\nwebhook-id: {plan['ids']}{number}" if plan.get("ids") else ""
        made.append(
            f"{head}{own}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body
        )
    return made


async def main(plan: dict) -> dict:
    """Send all, so many at a time; return how long it took and what was answered."""
    letters, next_one = requests_of(plan), numbers()
    statuses: Counter[int] = Counter()
    times: list[float] = []

    async def line() -> None:
        streams = None
        while (number := next(next_one)) < len(letters):
            started = time.perf_counter()
            streams, status = await _exchange(plan, streams, letters[number])
            times.append(time.perf_counter() - started)
            statuses[status] += 1
        if streams:
            streams[1].close()

    started = time.perf_counter()
    await asyncio.gather(*(line() for _slot in range(plan["concurrency"])))
    seconds = time.perf_counter() - started
    times.sort()
    middle, late = times[len(times) // 2], times[int(len(times) * 0.95)]
    spread = {"median": round(1000 * middle, 2), "p95": round(1000 * late, 2)}
    return {"seconds": seconds, "statuses": dict(statuses), "ms": spread}


async def _exchange(plan: dict, streams, letter: bytes):
    """Send one request; a server that closes its connections gets new ones."""
    if streams is None:
        streams = await asyncio.open_connection(plan["host"], plan["port"])
    reader, writer = streams
    writer.write(letter)
    head = await reader.readuntil(b"\r\n\r\n")
    text = head.decode("latin-1").lower()
    length = int(text.partition("content-length:")[2].partition("\r\n")[0] or 0)
    await reader.readexactly(length)
    status = int(text.split(" ", 2)[1])
    if "connection: close" in text or text.startswith("http/1.0"):
        writer.close()
        streams = None
    return streams, status


if __name__ == "__main__":
    with open(sys.argv[1]) as stream:
        chosen = json.load(stream)
    print(json.dumps(asyncio.run(main(chosen))))
