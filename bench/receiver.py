# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""The receiving side of the delivery benchmark, a process of its own.

Answers 200 with an empty body and remembers the moment, the path and the request.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time

from aiohttp import web


class Receiver:
    """Counts what arrives."""

    def __init__(self) -> None:
        self.requests: list[tuple[float, str, dict[str, str], bytes]] = []

    async def take(self, request: web.Request) -> web.Response:
        """Take one message."""
        at = time.time()
        body = await request.read()
        self.requests.append((at, request.path, dict(request.headers), body))
        return web.Response()

    async def control(self, request: web.Request) -> web.Response:
        """Do what the benchmark asks for."""
        command = getattr(self, "do_" + request.match_info["command"])
        return web.json_response(await command(request.query))

    async def do_reset(self, _query) -> bool:
        """Forget all."""
        self.requests = []
        return True

    async def do_count(self, _query) -> int:
        """Return how many came."""
        return len(self.requests)

    async def do_wait(self, query) -> bool:
        """Tell whether so many came within so many seconds."""
        end = time.monotonic() + float(query["seconds"])
        while len(self.requests) < int(query["count"]):
            if time.monotonic() > end:
                return False
            await asyncio.sleep(0.02)
        return True

    async def do_arrivals(self, _query) -> list[dict]:
        """Return what came, in order."""
        return [
            {"at": at, "path": path, "id": headers.get("webhook-id"), "size": len(body)}
            for at, path, headers, body in self.requests
        ]

    async def do_keep(self, query) -> int:
        """Write the requests as lines of JSON."""
        with open(query["path"], "w") as stream:
            for _at, path, headers, body in self.requests:
                line = {"path": path, "headers": headers, "body": body.decode()}
                stream.write(json.dumps(line) + "\n")
        return len(self.requests)


async def main(port: int) -> None:
    """Serve until the process is stopped."""
    receiver = Receiver()
    app = web.Application()
    app.router.add_get("/control/{command}", receiver.control)
    app.router.add_post("/{path:.*}", receiver.take)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port, backlog=512).start()
    print(json.dumps({"url": f"http://127.0.0.1:{port}"}), flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
