# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""A partner on a loopback port: answers as told, remembers what came."""

import json
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass(frozen=True)
class Received:
    """One request as the partner saw it."""

    path: str
    headers: dict
    body: bytes = field(repr=False)

    @property
    def id(self):
        """The message's id."""
        return self.headers["webhook-id"]

    def json(self):
        """Return the body read as JSON."""
        return json.loads(self.body)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128  # of five, many connections at a time would be dropped


class LoopbackPartner:
    """Answers the next request with the next answer, and 200 when none is left.

    An answer is a status, or ``(status, headers, body)``, or a number of seconds to wait
    before 200, as a float.
    """

    def __init__(self):
        self.answers = []
        self.requests = []
        self._server = _Server(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(
            target=self._server.serve_forever, args=(0.05,), daemon=True
        ).start()

    def close(self):
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()

    def _handler(partner):  # noqa: N805 - the handler's own self is another
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                headers = {name.lower(): value for name, value in self.headers.items()}
                partner.requests.append(Received(self.path, headers, body))
                answer = partner.answers.pop(0) if partner.answers else 200
                if isinstance(answer, float):
                    time.sleep(answer)
                    answer = 200
                status, extra, content = (
                    answer if isinstance(answer, tuple) else (answer, {}, b"")
                )
                try:
                    self._respond(status, extra, content)
                except OSError:
                    self.close_connection = True  # the sender gave up: that is the test

            def _respond(self, status, extra, content):
                self.send_response(status)
                for name, value in {
                    **extra,
                    "Content-Length": str(len(content)),
                }.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *arguments):
                """Keep the test's output clean."""

        return Handler
