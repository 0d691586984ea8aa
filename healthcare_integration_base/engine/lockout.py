# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Who failed too often is not listened to for a while.

Failures are counted in rows, at once and for all processes; who is locked is looked up in
a list that each process reads anew every two seconds. A client that has come in from an
address before is let in from there while the address or its key is locked: whoever guesses
keys cannot shut out those who have them.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

from odoo.tools import SQL

from ..protocol.gate_settings import GateSettings
from ..runtime import autonomous
from . import sql

ADDRESS, CREDENTIAL = "address", "credential"
FRESH_SECONDS = 2.0
# A client is known at an address for as long.
KNOWN_DAYS = 30


@dataclass(frozen=True)
class _List:
    """Who is locked, with the moment it ends; both clocks of this process."""

    until: dict[tuple[str, str], float]
    read_at: float


_lists: dict[str, _List] = {}


def forget() -> None:
    """Read the list anew before the next request."""
    _lists.clear()


def seconds_left(env, kind: str, subject: str | None) -> float:
    """Return for how long somebody is still locked, 0 if he is not."""
    if not subject:
        return 0.0
    now = time.monotonic()
    known = _lists.get(env.cr.dbname)
    if known is None or now - known.read_at > FRESH_SECONDS:
        known = _lists[env.cr.dbname] = _read(env, now)
    return max(0.0, known.until.get((kind, subject), 0.0) - now)


def _read(env, now: float) -> _List:
    statement = SQL(
        "SELECT kind, subject, extract(epoch FROM locked_until - %s)::float AS seconds"
        " FROM integration_lockout WHERE locked_until > %s",
        sql.NOW,
        sql.NOW,
    )
    with autonomous(env) as own:
        rows = sql.rows_of(own.cr, statement)
    return _List({(r["kind"], r["subject"]): now + r["seconds"] for r in rows}, now)


def note_failure(
    env,
    settings: GateSettings,
    address: str,
    credential: str | None,
    client_id: int | None = None,
) -> None:
    """Count a failed authentication; lock whoever has failed too often.

    :param address: as limits count it
    :param credential: key prefix or client id, if the caller gave one of the right form
    :param client_id: whose that is, for those who look at the list
    """
    subjects = [(ADDRESS, address, settings.lockout_address_failures, None)]
    if credential:
        subjects.append((CREDENTIAL, credential, settings.lockout_failures, client_id))
    with autonomous(env) as own:
        locked = [
            _count(own.cr, settings, subject, address)
            for subject in subjects
            if subject[2]
        ]
    if any(locked):
        forget()


def _count(cr, settings: GateSettings, subject: tuple, address: str) -> bool:
    kind, name, most, client_id = subject
    again = SQL(
        "CASE WHEN l.window_started_at > %s THEN l.failures + 1 ELSE 1 END",
        sql.later(-settings.lockout_window),
    )
    statement = SQL(
        "INSERT INTO integration_lockout AS l (kind, subject, client_id, failures,"
        " window_started_at, last_failed_at, last_address, locked_until)"
        " VALUES (%(kind)s, %(name)s, %(client)s, 1, %(now)s, %(now)s, %(address)s,"
        " CASE WHEN %(most)s <= 1 THEN %(until)s END)"
        " ON CONFLICT (kind, subject) DO UPDATE SET failures = %(again)s,"
        " client_id = EXCLUDED.client_id, last_failed_at = %(now)s,"
        " last_address = EXCLUDED.last_address,"
        " window_started_at = CASE WHEN l.window_started_at > %(begin)s"
        " THEN l.window_started_at ELSE %(now)s END,"
        " locked_until = CASE WHEN %(again)s >= %(most)s THEN %(until)s"
        " ELSE l.locked_until END"
        " RETURNING locked_until > %(now)s AS locked",
        kind=kind,
        name=name,
        client=client_id,
        now=sql.NOW,
        address=address,
        most=most,
        until=sql.later(settings.lockout_seconds),
        again=again,
        begin=sql.later(-settings.lockout_window),
    )
    return bool(sql.rows_of(cr, statement)[0]["locked"])


def knows(env, client_id: int, address: str) -> bool:
    """Tell whether a client has come in from an address lately."""
    statement = SQL(
        "SELECT 1 FROM integration_access_log WHERE client_id = %s AND address = %s"
        " AND created_at > %s AND outcome = 'ok' LIMIT 1",
        client_id,
        address,
        sql.later(-86400 * KNOWN_DAYS),
    )
    with autonomous(env) as own:
        return bool(sql.rows_of(own.cr, statement))
