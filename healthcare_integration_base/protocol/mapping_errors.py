# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""The error of mappings, apart so that all their modules can raise it."""

from __future__ import annotations

from typing import Any

from .errors import Permanent


class MappingError(Permanent):
    """An expression cannot be compiled, or fails on a message.

    ``message`` never holds values of the message that was mapped.

    :param position: offset in the expression, if known
    """

    default_code = "mapping_failed"
    default_status = 422
    title = "Mapping failed"

    def __init__(self, message: str, *, position: int | None = None, **kwargs: Any):
        super().__init__(message, **kwargs)
        self.position = position
