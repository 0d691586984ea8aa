# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Keep queries, links and document numbers of partners' calls out of the server's own log.

Odoo's HTTP server logs the path and query of each request. A query of ours may hold a
cursor or a filter, a path a signed link or a number; the access log has the route instead.
"""

from __future__ import annotations

import logging
import re

_CALL = re.compile(r"(/integration/v1/[^/\s?\"#]*)[^\s\"]*")


class _WithoutValues(logging.Filter):
    """Cuts a path of ours after its first part."""

    def filter(self, record: logging.LogRecord) -> bool:
        text = record.getMessage()
        if "/integration/v1/" in text:
            record.msg, record.args = shortened(text), None
        return True


def shortened(text: str) -> str:
    """Return a line of the log with the paths of our routes cut after their first part."""
    return _CALL.sub(_cut, text)


def _cut(match: re.Match[str]) -> str:
    return match[1] if match[0] == match[1] else f"{match[1]}…"


def install() -> None:
    """Let no line of the HTTP server's log through uncut, from now on."""
    logger = logging.getLogger("werkzeug")
    if not any(isinstance(one, _WithoutValues) for one in logger.filters):
        logger.addFilter(_WithoutValues())
