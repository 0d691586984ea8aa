# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Finds warnings and errors in Odoo's logs that nobody declared harmless."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

from . import paths

ALLOWED = paths.ROOT / "dev" / "log_allowlist.txt"
# A server that is told to stop closes the connections under requests still at work.
_STOPPING = "odoo.service.server: Initiating shutdown"
_CUT_OFF = re.compile(
    r" (?:odoo\.sql_db: bad query"
    r"|odoo\.addons\.queue_job\.controllers\.main: Traceback"
    r"|odoo\.http: Exception during request handling"
    r"|odoo\.addons\.base\.models\.ir_cron: Exception in cron)"
)
_LINE = re.compile(r"^\d{4}-\d\d-\d\d [\d:,]+ \d+ (WARNING|ERROR|CRITICAL) ")


def scan(log: Path) -> list[str]:
    """Return the unexpected lines of a log, without time and process number."""
    allowed = _allowed()
    found = (line for line in _bad_lines(log) if not allowed.search(line))
    return [f"{line}  ({count}x)" for line, count in Counter(found).items()]


def _bad_lines(log: Path):
    if not log.exists():
        return
    stopping = False
    with log.open(errors="replace") as stream:
        for line in stream:
            stopping = stopping or _STOPPING in line
            if stopping and _CUT_OFF.search(line):
                continue
            if match := _LINE.match(line):
                yield f"{match.group(1)} {line[match.end() :].strip()}"


def _allowed() -> re.Pattern[str]:
    lines = ALLOWED.read_text().splitlines()
    patterns = [line for line in lines if line.strip() and not line.startswith("#")]
    return re.compile("|".join(f"(?:{pattern})" for pattern in patterns) or r"(?!)")
