# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Saying what went wrong without quoting data."""

from __future__ import annotations


def where(exc: BaseException) -> str:
    """Return type and place of an exception; its text may quote values."""
    last = exc.__traceback__
    while last and last.tb_next:
        last = last.tb_next
    if not last:
        return type(exc).__name__
    file = last.tb_frame.f_code.co_filename.rpartition("/")[2]
    return f"{type(exc).__name__} at {file}:{last.tb_lineno}"
