# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""The shared rows behind leased rates (``protocol/lease.py``)."""

from __future__ import annotations

import time
from collections import defaultdict
from functools import partial

from odoo.tools import SQL

from ..protocol.lease import Grant, Leases, Limit, Verdict
from ..runtime import autonomous
from . import sql

# database → what this process holds of it
_held: defaultdict[str, Leases] = defaultdict(Leases)


def spend(env, bucket: str, limit: Limit) -> Verdict:
    """Take one token of a bucket, mostly without asking the database."""
    return _held[env.cr.dbname].spend(
        bucket, limit, partial(_fetch, env), time.monotonic()
    )


def refund(env, bucket: str) -> None:
    """Give back the token that was spent last."""
    _held[env.cr.dbname].refund(bucket)


def forget() -> None:
    """Drop what this process holds, for tests."""
    _held.clear()


def _fetch(env, bucket: str, limit: Limit, unspent: int) -> Grant:
    with autonomous(env) as own:
        (row,) = sql.rows_of(own.cr, _take(bucket, limit, unspent))
    return Grant(row["granted"], row["tokens"])


def _take(bucket: str, limit: Limit, unspent: int) -> SQL:
    """Return the statement that refills a bucket and takes a batch out of it."""
    there = SQL(
        "LEAST(%(burst)s, r.tokens + %(unspent)s + %(rate)s * GREATEST(0,"
        " extract(epoch FROM %(now)s - r.refilled_at)))",
        burst=limit.burst,
        unspent=unspent,
        rate=limit.rate,
        now=sql.NOW,
    )
    granted = SQL("LEAST(%s, floor(%s))::int", limit.batch, there)
    first = min(limit.batch, int(limit.burst))
    return SQL(
        "INSERT INTO integration_rate AS r (bucket, tokens, granted, refilled_at)"
        " VALUES (%(bucket)s, %(left)s, %(first)s, %(now)s)"
        " ON CONFLICT (bucket) DO UPDATE SET granted = %(granted)s,"
        " tokens = %(there)s - %(granted)s,"
        " refilled_at = GREATEST(r.refilled_at, %(now)s)"
        " RETURNING granted, tokens",
        bucket=bucket,
        left=limit.burst - first,
        first=first,
        now=sql.NOW,
        granted=granted,
        there=there,
    )
