# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Keep payloads out of the log while messages are applied.

Odoo logs a failed statement with its values. A partner's content is in them, and
in concurrent work failures are routine.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_quiet: ContextVar[bool] = ContextVar("integration_quiet", default=False)


class _WithoutStatements(logging.Filter):
    """Replaces what odoo.sql_db says about a failed statement by the kind of the failure."""

    def filter(self, record: logging.LogRecord) -> bool:
        if _quiet.get() and record.levelno >= logging.WARNING:
            errors = [arg for arg in _arguments(record) if isinstance(arg, Exception)]
            codes = [
                getattr(error, "pgcode", None) or type(error).__name__
                for error in errors
            ]
            record.msg = "A statement of the integration failed (%s)"
            record.args = (", ".join(codes) or "no details",)
            record.levelno, record.levelname = logging.INFO, "INFO"
            record.exc_info = record.exc_text = None
        return True


def _arguments(record: logging.LogRecord) -> tuple:
    return record.args if isinstance(record.args, tuple) else ()


logging.getLogger("odoo.sql_db").addFilter(_WithoutStatements())


@contextmanager
def quiet_statements() -> Iterator[None]:
    """Log failed statements of this thread without their values."""
    token = _quiet.set(True)
    try:
        yield
    finally:
        _quiet.reset(token)
