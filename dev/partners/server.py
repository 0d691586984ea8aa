# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""What every simulated partner has: a server on loopback, a log, a control API.

Requests to `/control/…` steer the simulator and are not logged; all others are
the partner's own interface.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
from pathlib import Path

from aiohttp import web

from . import answers, journal, verification

MAX_BODY = 16 * 1024 * 1024


class Partner:
    """A partner's server.

    A leaf overrides `verify` and `handle`, and adds its own commands: methods
    named `control_<name>(data) -> dict`, called by `POST /control/<name>`.
    """

    name = "partner"

    def __init__(self, log: Path) -> None:
        self.journal = journal.Journal(log)
        self.settings: dict = {}
        self.script: list[dict] = []
        self.tasks: set[asyncio.Task] = set()

    # the partner's interface

    def verify(self, headers, body: bytes) -> bool:
        """Tell whether a request comes from our Odoo: signed by one of the `secrets`."""
        return verification.signed_by(self.settings.get("secrets", ()), headers, body)

    def handle(self, path: str, headers, body: bytes) -> dict:
        """Take in a verified request; return the answer (see `answers`)."""
        return {"status": 202}

    async def receive(self, request: web.Request) -> web.StreamResponse:
        """Verify, log and answer one request."""
        at, body = journal.now(), await request.read()
        verified = self.verify(request.headers, body)
        answer = self._answer(request, body, verified)
        answered = (
            None if answer.keys() & {"garbage", "drop"} else answer.get("status", 200)
        )
        self.journal.received(
            request.path,
            request.headers,
            body,
            verified=verified,
            answered=answered,
            at=at,
        )
        return await answers.give(request, answer)

    def _answer(self, request: web.Request, body: bytes, verified: bool) -> dict:
        if not verified:
            return {"status": 401, "json": {"error": "who are you?"}}
        if self.script:
            scripted = self.script.pop(0)
            if scripted.get("status", 200) >= 300 or answers.MISBEHAVIOURS & set(
                scripted
            ):
                return scripted
        return self.handle(request.path, request.headers, body)

    # control

    async def control(self, request: web.Request) -> web.Response:
        """Run a command."""
        command = getattr(self, f"control_{request.match_info['command']}", None)
        if command is None:
            return web.json_response({"error": "no such command"}, status=404)
        try:
            result = command(await request.json() if request.can_read_body else {})
            result = await result if asyncio.iscoroutine(result) else result
        except (ValueError, KeyError, TypeError) as error:
            return web.json_response(
                {"error": f"{type(error).__name__}: {error}"}, status=400
            )
        return web.json_response(result)

    def control_settings(self, data: dict) -> dict:
        """Change settings: what the two sides agreed upon by other means, secrets included."""
        self.settings.update(data)
        return {"settings": sorted(self.settings)}

    def control_answers(self, data: dict) -> dict:
        """Give these `answers` to the next requests, then the usual ones again."""
        self.script = [answers.check(answer) for answer in data["answers"]]
        return {"answers": len(self.script)}

    def control_state(self, data: dict) -> dict:
        """Tell what is left to do."""
        return {
            "name": self.name,
            "answers": len(self.script),
            "tasks": len(self.tasks),
        }

    def spawn(self, coroutine) -> None:
        """Do something after the request at hand is answered."""
        task = asyncio.ensure_future(coroutine)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    # process

    def application(self) -> web.Application:
        """Return the web application."""
        app = web.Application(client_max_size=MAX_BODY)
        app.router.add_post("/control/{command}", self.control)
        app.router.add_route("*", "/{tail:.*}", self.receive)
        return app

    async def serve(self, port: int) -> None:
        """Serve on loopback until told to stop by a signal; tell the URL on stdout."""
        runner = web.AppRunner(self.application(), access_log=None, shutdown_timeout=1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", port)
        await site.start()
        bound = site._server.sockets[0].getsockname()[1]  # noqa: SLF001 (the port 0 became)
        print(
            json.dumps({"partner": self.name, "url": f"http://127.0.0.1:{bound}"}),
            flush=True,
        )
        stop = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        await stop.wait()
        await runner.cleanup()


def main(kind: type[Partner], arguments: list[str] | None = None) -> None:
    """Run a partner as a process."""
    parser = argparse.ArgumentParser(prog=f"python -m dev.partners.{kind.name}")
    parser.add_argument(
        "--port", type=int, default=0, help="on 127.0.0.1; 0 = any free one"
    )
    parser.add_argument(
        "--log", type=Path, required=True, help="log of what is received"
    )
    parser.add_argument(
        "--settings", type=Path, help="JSON file of settings to start with"
    )
    options = parser.parse_args(arguments)
    partner = kind(options.log)
    if options.settings:
        partner.control_settings(json.loads(options.settings.read_text()))
    asyncio.run(partner.serve(options.port))
