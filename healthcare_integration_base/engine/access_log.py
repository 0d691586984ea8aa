# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""The access log's buffer: requests only append to it, a thread of its own writes it.

About once a second, or when many calls have come together, the thread inserts them in one
statement and notes when keys were last used. What a killed process had not written yet, at
most a second of it, is lost; no request waits for the log.
"""

from __future__ import annotations

import atexit
import logging
import os
import threading
from collections import Counter, deque
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from psycopg2.extensions import ISOLATION_LEVEL_READ_COMMITTED
from psycopg2.pool import PoolError

from odoo.modules.registry import Registry
from odoo.sql_db import Cursor
from odoo.tools import SQL

from . import sql

_logger = logging.getLogger(__name__)

FLUSH_SECONDS = 1.0
FLUSH_ROWS = 500
# Beyond this the oldest calls are dropped: the database does not take them.
MOST_ROWS = 20_000
# Different strangers in a minute; all others are counted together.
MOST_STRANGERS = 50
LAST_USE_SECONDS = 60
OTHERS = "others"

_TYPES = {
    "created_at": "timestamp",
    "client_id": "int",
    "key_id": "int",
    "company_id": "int",
    "auth": "text",
    "method": "text",
    "route": "text",
    "scope": "text",
    "status": "int",
    "outcome": "text",
    "code": "text",
    "address": "text",
    "duration_ms": "float8",
    "bytes_in": "int",
    "bytes_out": "int",
    "request_id": "text",
    "hits": "int",
}


@dataclass(frozen=True)
class Entry:
    """One call; ``client_id`` is None if nobody knows who made it."""

    created_at: datetime
    method: str
    route: str
    status: int
    outcome: str
    address: str
    duration_ms: float = 0.0
    bytes_in: int = 0
    bytes_out: int = 0
    client_id: int | None = None
    key_id: int | None = None
    company_id: int | None = None
    auth: str | None = None
    scope: str | None = None
    code: str | None = None
    request_id: str | None = None
    hits: int = 1


class Buffer:
    """What one process has to write into the log of one database."""

    def __init__(self, dbname: str):
        self.dbname, self.pid = dbname, os.getpid()
        self._entries: deque[Entry] = deque(maxlen=MOST_ROWS)
        self._strangers: Counter[tuple] = Counter()
        self._lock = threading.Lock()
        self._writing = threading.Lock()
        self._wake = threading.Event()
        self._thread: threading.Thread | None = None

    def add(self, entry: Entry, *, threaded: bool) -> None:
        """Take an entry; it is in the table a second later.

        :param threaded: start the thread that writes, if there is none yet
        """
        with self._lock:
            if entry.client_id:
                self._entries.append(entry)
            else:
                self._strangers[self._kind_of_stranger(entry)] += 1
            if threaded and not self._thread:
                self._start()
        if len(self._entries) >= FLUSH_ROWS:
            self._wake.set()

    def _kind_of_stranger(self, entry: Entry) -> tuple:
        minute = entry.created_at.replace(second=0, microsecond=0)
        what = (entry.method, entry.route, entry.status, entry.outcome, entry.code)
        kind = (minute, entry.address, *what)
        if kind in self._strangers or len(self._strangers) < MOST_STRANGERS:
            return kind
        return (minute, OTHERS, *what)

    @property
    def is_threaded(self) -> bool:
        """Tell whether a thread writes it, so that it is not a test's."""
        return self._thread is not None

    def _start(self) -> None:
        name = f"integration.access_log.{self.dbname}"
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while True:
            self._wake.wait(FLUSH_SECONDS)
            self._wake.clear()
            try:
                self.flush()
            except PoolError:
                # No connection is free, or the server stops and has taken them all back.
                _logger.info("The access log waits for a connection")
            except Exception as error:
                # Its text may quote values; the rows stay for the next time.
                _logger.warning("The access log waits: %s", type(error).__name__)

    def flush(self, cr=None) -> None:
        """Write all there is; the test's cursor may be given instead of an own one."""
        with self._writing:
            entries, strangers = self._take()
            if not entries and not strangers:
                return
            try:
                self._write(entries, strangers, cr)
            except Exception:
                self._give_back(entries, strangers)
                raise

    def _take(self) -> tuple[list[Entry], Counter]:
        with self._lock:
            entries, strangers = list(self._entries), self._strangers
            self._entries.clear()
            self._strangers = Counter()
        return entries, strangers

    def _give_back(self, entries: list[Entry], strangers: Counter) -> None:
        with self._lock:
            self._entries.extendleft(reversed(entries[-MOST_ROWS:]))
            self._strangers.update(strangers)

    def _write(self, entries, strangers, cr) -> None:
        if cr is not None:
            _store(cr, entries, strangers)
            return
        with Registry(self.dbname).cursor() as own:
            if isinstance(own, Cursor):
                own.connection.set_isolation_level(ISOLATION_LEVEL_READ_COMMITTED)
            _store(own, entries, strangers)


_buffers: dict[str, Buffer] = {}
_guard = threading.Lock()


def buffer(dbname: str) -> Buffer:
    """Return this process's buffer of a database; a forked process has its own."""
    known = _buffers.get(dbname)
    if known is None or known.pid != os.getpid():
        with _guard:
            known = _buffers.get(dbname)
            if known is None or known.pid != os.getpid():
                known = _buffers[dbname] = Buffer(dbname)
    return known


def note(env, entry: Entry) -> None:
    """Have a call written into the log soon.

    Tests share one connection, which no other thread may use: they call ``flush``.
    """
    buffer(env.cr.dbname).add(entry, threaded=isinstance(env.cr, Cursor))


def flush(env) -> None:
    """Write what is in the buffer through the environment's cursor, for tests."""
    buffer(env.cr.dbname).flush(env.cr)


def forget() -> None:
    """Drop what is in the buffers, for tests."""
    _buffers.clear()


@atexit.register
def _flush_all() -> None:
    for known in list(_buffers.values()):
        if known.pid == os.getpid() and known.is_threaded:
            with suppress(Exception):
                known.flush()


# -- statements ----------------------------------------------------------------------


def _store(cr, entries: list[Entry], strangers: Counter) -> None:
    if entries:
        sql.run(cr, sql.insert("integration_access_log", _rows(cr, entries), _TYPES))
        sql.run(cr, _last_use("integration_client_key", entries, "key_id"))
        sql.run(cr, _last_use("integration_client", entries, "client_id"))
    for kind, hits in strangers.items():
        sql.run(cr, _count(kind, hits))


def _rows(cr, entries: list[Entry]) -> list[dict]:
    """Return the rows; clients and keys deleted since are left out of them."""
    clients = _existing(cr, "integration_client", {e.client_id for e in entries})
    keys = _existing(cr, "integration_client_key", {e.key_id for e in entries})
    rows = [dict(vars(entry)) for entry in entries]  # asdict() would copy each value
    for row in rows:
        row["client_id"] = row["client_id"] if row["client_id"] in clients else None
        row["key_id"] = row["key_id"] if row["key_id"] in keys else None
    return rows


def _existing(cr, table: str, ids: set) -> set[int]:
    statement = SQL(
        "SELECT id FROM %s WHERE id = ANY(%s) FOR KEY SHARE",
        SQL.identifier(table),
        [one for one in ids if one],
    )
    return {row["id"] for row in sql.rows_of(cr, statement)}


def _last_use(table: str, entries: list[Entry], column: str) -> SQL:
    """Return the statement that notes a use, once a minute at most.

    Rows that somebody is changing are passed over: there is a next time.
    """
    last = {getattr(e, column): e for e in entries if e.outcome == "ok"}
    last.pop(None, None)
    rows = [
        {"id": key, "moment": e.created_at, "address": e.address}
        for key, e in last.items()
    ]
    values = sql.unnest(rows, {"id": "int", "moment": "timestamp", "address": "text"})
    return SQL(
        "UPDATE %(table)s t SET last_used_at = v.moment, last_used_from = v.address"
        " FROM %(values)s WHERE t.id = v.id AND t.id IN (SELECT id FROM %(table)s"
        " WHERE id = ANY(%(ids)s) AND (last_used_at IS NULL OR"
        " last_used_at < %(before)s) FOR NO KEY UPDATE SKIP LOCKED)",
        table=SQL.identifier(table),
        values=values,
        ids=list(last),
        before=sql.later(-LAST_USE_SECONDS),
    )


def _count(kind: tuple, hits: int) -> SQL:
    minute, address, method, route, status, outcome, code = kind
    bucket = "|".join(map(str, (minute, address, method, route, status, code)))
    return SQL(
        "INSERT INTO integration_access_log AS l (created_at, address, method, route,"
        " status, outcome, code, hits, bucket)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)"
        " ON CONFLICT (bucket) WHERE bucket IS NOT NULL"
        " DO UPDATE SET hits = l.hits + EXCLUDED.hits",
        minute,
        address,
        method,
        route,
        status,
        outcome,
        code,
        hits,
        bucket,
    )
