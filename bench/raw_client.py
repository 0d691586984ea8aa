# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""The raw limit: the same bytes, sent by nothing but an aiohttp client.

`python -m bench.raw_client URL FILE CONCURRENCY TIMES`: so many requests at a time for
each path of the file, all of it so many times; prints how many were answered with 200.
"""

from __future__ import annotations

import asyncio
import json
import sys

import aiohttp

#: The client makes these itself.
OWN = ("host", "content-length", "connection")


async def main(url: str, path: str, concurrency: int, times: int) -> int:
    """Send all; return how many were accepted."""
    with open(path) as stream:
        letters = [json.loads(line) for line in stream] * times
    by_path: dict[str, list] = {}
    for letter in letters:
        headers = {k: v for k, v in letter["headers"].items() if k.lower() not in OWN}
        by_path.setdefault(letter["path"], []).append(
            (headers, letter["body"].encode())
        )
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(
        connector=connector, auto_decompress=False
    ) as session:
        lines = [
            send(session, url + target, waiting)
            for target, waiting in by_path.items()
            for _slot in range(concurrency)
        ]
        return sum(await asyncio.gather(*lines))


async def send(session: aiohttp.ClientSession, url: str, waiting: list) -> int:
    """Send one after the other until nothing waits."""
    accepted = 0
    while waiting:
        headers, body = waiting.pop()
        async with session.post(url, data=body, headers=headers) as answer:
            await answer.read()
            accepted += answer.status == 200
    return accepted


if __name__ == "__main__":
    target, file, *numbers = sys.argv[1:]
    print(asyncio.run(main(target, file, *map(int, numbers))))
