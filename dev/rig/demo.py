# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""`make demo` and `make run`: the database `demo`, a server, simulated partners."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

from . import databases, paths, processes
from .progress import RigError, run, say, step, tail

DATABASE = "demo"
PORT = 8069
PARTNERS_LOG = paths.LOGS / "partners.log"


def scenario(source: Path, arguments) -> int:
    """Run the main job end to end upon a fresh database; return its exit status."""
    with step(f"database {DATABASE}"):
        databases.drop(DATABASE)
        databases.ensure_copy(DATABASE, databases.ensure_demo_template(source))
    return subprocess.call(
        [str(paths.VENV_PYTHON), "-m", "dev.demo", *arguments],
        env={**os.environ, **_environment(_demo_port())},
        cwd=paths.ROOT,
    )


def _demo_port() -> int:
    """Return the usual port, or another one where that is taken."""
    if "HI_HTTP_PORT" in os.environ:
        return _wanted_port()
    return PORT if processes.port_is_free(PORT) else processes.free_port()


def _wanted_port() -> int:
    port = int(os.environ.get("HI_HTTP_PORT", PORT))
    if not processes.port_is_free(port):
        raise RigError(
            f"port {port} is taken by another program",
            "stop that program, or choose another port: make run HI_HTTP_PORT=8070",
        )
    return port


def _environment(port: int) -> dict[str, str]:
    return {
        **databases.odoo_environment(),
        "PYTHONPATH": str(paths.ROOT),
        "HI_DB": DATABASE,
        "HI_ODOO_CONF": str(paths.CONF),
        "HI_HTTP_PORT": str(port),
        "HI_DEMO_FOLDER": str(paths.LOCAL / "demo"),
    }


def serve(source: Path) -> int:
    """Keep a server with demo data and partners running until Ctrl-C."""
    port = _wanted_port()
    _current_database(source)
    server = processes.OdooServer(
        DATABASE,
        port=port,
        name="run",
        folder=paths.LOGS,
        overrides={"options": {"dbfilter": f"^{DATABASE}$"}},
    )
    partners = _start_partners(port)
    try:
        server.start()
        say(
            f"http://localhost:{port}  database {DATABASE}, admin / admin  (Ctrl-C stops)"
        )
        return _watch(server, partners)
    except KeyboardInterrupt:
        return 0
    finally:
        # a second Ctrl-C must not leave half of it running
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)
        say("stopping")
        _stop(partners)
        server.terminate()


def _watch(server: processes.OdooServer, partners: subprocess.Popen) -> int:
    """Wait for the server's end; tell when the partners end before it."""
    told = False
    while server.running():
        if partners.poll() is not None and not told:
            told = True
            say(f"the simulated partners ended: see {PARTNERS_LOG}")
            say(tail(PARTNERS_LOG, 3))
        time.sleep(0.5)
    say(f"the server ended: see {server.log}")
    return server.process.returncode or 1


def _current_database(source: Path) -> None:
    """Have the database; what people did in it is kept when our addons change."""
    template = databases.ensure_demo_template(source)
    if databases.ensure_copy(DATABASE, template):
        return
    with step(f"database {DATABASE}: update our addons"):
        run(
            [paths.VENV_PYTHON, paths.RUN_ODOO, "-d", DATABASE, "--stop-after-init"]
            + ["-u", ",".join(addon.name for addon in paths.addons())]
            + ["--no-http", "--max-cron-threads=0"],
            log="update-demo",
            env=databases.odoo_environment(),
            cwd=paths.LOCAL,
        )
        databases.note(DATABASE, template)


def _start_partners(port: int) -> subprocess.Popen:
    """Start the simulated partners, which connect themselves with the database."""
    paths.LOGS.mkdir(parents=True, exist_ok=True)
    with PARTNERS_LOG.open("wb") as log:
        return subprocess.Popen(
            [str(paths.VENV_PYTHON), "-m", "dev.partners"],
            env={**os.environ, **_environment(port)},
            cwd=paths.ROOT,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def _stop(partners: subprocess.Popen) -> None:
    partners.terminate()
    try:
        partners.wait(10)
    except subprocess.TimeoutExpired:
        os.killpg(partners.pid, signal.SIGKILL)
        partners.wait()
