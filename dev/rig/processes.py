# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Real Odoo servers as child processes, and a caller's way into them."""

from __future__ import annotations

import configparser
import http.cookiejar
import json
import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path

from . import databases, paths
from .progress import RigError, tail


def free_port() -> int:
    """Return a loopback port nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def port_is_free(port: int) -> bool:
    """Tell whether a server could listen on a loopback port."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def poll(predicate, deadline: float = 30.0, interval: float = 0.1, what: str = ""):
    """Call `predicate` until it returns something true; return that.

    :param deadline: seconds to try for
    :raises TimeoutError: it stayed false; the message tells `what`
    """
    end = time.monotonic() + deadline
    while True:
        found = predicate()
        if found:
            return found
        if time.monotonic() > end:
            raise TimeoutError(f"not within {deadline} s: {what or predicate}")
        time.sleep(interval)


class OdooServer:
    """One Odoo server process (with its workers) upon one database.

    :param database: the database it serves; the job runner takes its jobs only
    :param overrides: `{section: {option: value}}` over the rig's configuration;
        the value None removes an option
    :param workers: 0 for threads, else the number of prefork workers
    """

    def __init__(
        self,
        database: str,
        *,
        overrides: dict[str, dict] | None = None,
        workers: int = 0,
        port: int | None = None,
        name: str = "odoo",
        folder: Path | None = None,
        env: dict[str, str] | None = None,
        arguments: tuple[str, ...] = (),
    ) -> None:
        self.database = database
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.env = env or {}
        self.arguments = arguments
        self.process: subprocess.Popen | None = None
        folder = folder or paths.LOCAL / "test-logs"
        folder.mkdir(parents=True, exist_ok=True)
        self.log = folder / f"{name}.log"
        self.conf = folder / f"{name}.conf"
        own = {"workers": workers, "http_port": self.port, "gevent_port": free_port()}
        self._write_conf({"options": own}, overrides or {})

    def _write_conf(self, *layers) -> None:
        conf = configparser.ConfigParser(interpolation=None)
        conf.read(paths.CONF)
        for layer in layers:
            for section, options in layer.items():
                if not conf.has_section(section):
                    conf.add_section(section)
                for option, value in options.items():
                    if value is None:
                        conf.remove_option(section, option)
                    else:
                        conf.set(section, option, str(value))
        with open(
            os.open(self.conf, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w"
        ) as f:
            conf.write(f)

    def start(self, deadline: float = 120.0) -> OdooServer:
        """Start the server and wait until it answers; its log is appended to."""
        self.launch()
        self.wait_ready(deadline)
        return self

    def launch(self) -> None:
        """Start the server without waiting."""
        command = [
            paths.VENV_PYTHON,
            paths.RUN_ODOO,
            "-c",
            self.conf,
            "-d",
            self.database,
        ]
        environment = {**os.environ, **databases.odoo_environment(), **self.env}
        environment.pop("ODOO_RC", None)
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*map(str, command), *self.arguments],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=environment,
                cwd=paths.LOCAL,
                start_new_session=True,
            )

    def wait_ready(self, deadline: float = 120.0) -> None:
        """Wait until the server answers for its database."""
        try:
            poll(self._ready_or_dead, deadline, what=f"Odoo at {self.url}")
        except (TimeoutError, RigError) as error:
            self.kill9()
            raise RigError(f"{error}\n{tail(self.log, 30)}") from error

    def _ready_or_dead(self) -> bool:
        if self.process.poll() is not None:
            raise RigError(f"Odoo ended with exit status {self.process.returncode}")
        # a light page that needs the database: no assets to build first
        return self.answers("/web/manifest.webmanifest")

    def answers(self, path: str = "/web/health") -> bool:
        """Tell whether a page is answered with 200."""
        try:
            with urllib.request.urlopen(self.url + path, timeout=30) as answer:
                return answer.status == 200
        except (urllib.error.URLError, OSError):
            return False

    def running(self) -> bool:
        """Tell whether the server's main process is alive."""
        return self.process is not None and self.process.poll() is None

    def kill9(self) -> None:
        """Kill the server and all its workers at once, as a power cut would."""
        self._signal(signal.SIGKILL)
        self.process.wait(30)

    def terminate(self, deadline: float = 30.0) -> None:
        """Stop the server in an orderly way; kill it if it does not listen."""
        if self.running():
            os.kill(self.process.pid, signal.SIGTERM)
            try:
                self.process.wait(deadline)
            except subprocess.TimeoutExpired:
                pass
        if self.process is not None:
            self.kill9()

    def _signal(self, number: int) -> None:
        try:
            os.killpg(self.process.pid, number)
        except ProcessLookupError:
            pass

    def login(self, login: str = "admin", password: str = "admin") -> Rpc:
        """Return a session of a user."""
        return Rpc(self.url, self.database, login, password)

    def __enter__(self) -> OdooServer:
        return self if self.running() else self.start()

    def __exit__(self, *exc) -> None:
        self.terminate()


class RpcError(Exception):
    """Odoo answered a call with an error; `name` is the exception's class."""

    def __init__(self, error: dict) -> None:
        data = error.get("data") or {}
        self.name = data.get("name", "")
        self.debug = data.get("debug", "")
        super().__init__(data.get("message") or error.get("message"))


class Rpc:
    """A user's session, through the very routes the web client uses."""

    def __init__(self, url: str, database: str, login: str, password: str) -> None:
        self.url = url
        self._opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}),
            urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()),
        )
        self.session = self.post(
            "/web/session/authenticate",
            {"db": database, "login": login, "password": password},
        )

    def post(self, path: str, params: dict, timeout: float = 300):
        """Call a JSON-RPC route.

        :raises RpcError: Odoo raised
        """
        body = json.dumps(
            {"jsonrpc": "2.0", "method": "call", "params": params, "id": 1}
        )
        request = urllib.request.Request(
            self.url + path, body.encode(), {"Content-Type": "application/json"}
        )
        with self._opener.open(request, timeout=timeout) as answer:
            reply = json.load(answer)
        if "error" in reply:
            raise RpcError(reply["error"])
        return reply.get("result")

    def call(self, model: str, method: str, *args, **kwargs):
        """Call a public method of a model, as a click or a form does."""
        return self.post(
            f"/web/dataset/call_kw/{model}/{method}",
            {"model": model, "method": method, "args": list(args), "kwargs": kwargs},
        )

    def search_read(self, model: str, domain=(), fields=(), **kwargs) -> list[dict]:
        """Return records as dictionaries."""
        return self.call(model, "search_read", list(domain), list(fields), **kwargs)
