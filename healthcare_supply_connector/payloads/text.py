# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Values as text: decimals, instants, dates, GTINs. Plain functions, no database."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

GTIN_LENGTHS = (8, 12, 13, 14)


def decimal_text(value: float | int | None, digits: int = 10) -> str:
    """Return a number as shortest decimal string, without exponent or needless zeros.

    ``repr`` of a float is what was typed; rounding takes off the noise of computed ones.
    """
    number = Decimal(repr(value or 0)).quantize(
        Decimal(1).scaleb(-digits), ROUND_HALF_UP
    )
    return format(number.normalize() + 0, "f")


def amount_text(value: float | None, digits: int) -> str:
    """Return an amount of money with exactly the decimals of its currency."""
    number = Decimal(repr(value or 0)).quantize(
        Decimal(1).scaleb(-digits), ROUND_HALF_UP
    )
    return format(number + 0, "f")


def instant(value: datetime.datetime | bool | None) -> str | None:
    """Return a naive UTC datetime as ISO 8601 with ``Z``, whole seconds."""
    return value.strftime("%Y-%m-%dT%H:%M:%SZ") if value else None


def date_text(value: datetime.date | bool | None) -> str | None:
    """Return the date of a date or of a UTC datetime as ISO 8601."""
    return value.strftime("%Y-%m-%d") if value else None


def gtin14(barcode: str | bool | None) -> str | None:
    """Return a GTIN-8, -12, -13 or -14 as 14 digits; None where the text is none.

    GS1 General Specifications 7.9: check digit modulo 10, weights 3 and 1 from the right.
    """
    if not barcode or len(barcode) not in GTIN_LENGTHS or not barcode.isascii():
        return None
    if not barcode.isdigit():
        return None
    total = sum(
        int(digit) * (3 if index % 2 else 1)
        for index, digit in enumerate(reversed(barcode))
    )
    return barcode.zfill(14) if total % 10 == 0 else None


def compact(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the mapping without what is unknown: None, empty text, empty containers.

    Numbers and truth values stay; an empty field of Odoo has to come as ``field or None``.
    """
    return {
        key: value for key, value in values.items() if value not in (None, "", [], {})
    }
