# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Serial shipping container codes (GS1 General Specifications, 7.9 and AI 00)."""

from __future__ import annotations

LENGTH = 18


def normalised(text: str) -> str:
    """Return the 18 digits of a code, without application identifier 00.

    :raise ValueError: it has another length or other characters, or its check digit is wrong
    """
    if len(text) == LENGTH + 2 and text.startswith("00"):
        text = text[2:]
    if len(text) != LENGTH or not (text.isascii() and text.isdigit()):
        raise ValueError("is no SSCC of 18 digits")
    if check_digit(text[:-1]) != int(text[-1]):
        raise ValueError("has a wrong check digit")
    return text


def check_digit(digits: str) -> int:
    """Return the check digit to be appended: weights 3 and 1 from the right, modulo 10."""
    total = sum(
        int(digit) * (1 if index % 2 else 3)
        for index, digit in enumerate(reversed(digits))
    )
    return -total % 10
