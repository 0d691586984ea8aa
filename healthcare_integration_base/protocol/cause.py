# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Why something needs a person: what makes two failures the same case."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

LONGEST_TITLE = 200
LONGEST_KEY = 500
LARGEST = 15  # digits before the decimal point of an amount, less one
# What PostgreSQL keeps neither in text nor in jsonb, and what breaks a line.
_UNFIT = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+")


@dataclass(frozen=True)
class Cause:
    """One cause, to be mended once.

    The title and the key are shown to people who may not read payloads, and mailed:
    business values (an item code, an order number, a price) may stand in them, personal
    data may not.

    :param code: stable snake_case code of the kind of cause, for example ``item_unknown``;
        what finishes such a case is known by it
    :param key: what tells this cause from others of its code within the system and company,
        for example the item code; empty: there is only one
    :param title: one line for people, for example ``Unknown item ABC at Medline``
    :param category: one of the error classes
    :param amount: money at stake, None if unknown
    :param currency: ISO 4217 code of the amount
    :param deadline: naive UTC; None: the queue's own time to resolve
    :param document: (model, id) of the business document the case is about
    :param data: what the button that finishes the case needs to know; JSON, no personal data
    """

    code: str
    key: str
    title: str
    category: str = "business"
    amount: Decimal | None = None
    currency: str | None = None
    deadline: datetime | None = None
    document: tuple[str, int] | None = None
    data: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return the cause as JSON values that a database takes whatever the partner sent."""
        stored = {
            "code": _line(self.code, LONGEST_KEY),
            "key": _line(self.key, LONGEST_KEY),
            "title": _line(self.title, LONGEST_TITLE),
            "category": self.category,
            "amount": _amount(self.amount),
            "currency": self.currency,
            "deadline": self.deadline and self.deadline.isoformat(),
            "document": self.document and list(self.document),
            "data": dict(self.data),
        }
        return json.loads(json.dumps(_fit(stored), default=str))

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Cause:
        """Return the cause that was stored.

        :raises ValueError: it is none
        """
        try:
            return cls(
                code=str(stored["code"]),
                key=str(stored["key"]),
                title=str(stored["title"]),
                category=stored["category"],
                amount=_decimal(stored.get("amount")),
                currency=stored.get("currency"),
                deadline=_moment(stored.get("deadline")),
                document=_document(stored.get("document")),
                data=stored.get("data") or {},
            )
        except (KeyError, IndexError, TypeError, AttributeError) as exc:
            raise ValueError("not a stored cause") from exc

    def without_personal_data(self, hashed: Callable[[str], str]) -> Cause:
        """Return the cause as it is kept of messages with protected health information.

        :param hashed: makes a key's hash; the same key must give the same hash
        """
        return Cause(
            code=self.code,
            key=hashed(self.key),
            title=_line(self.code.replace("_", " ").capitalize(), LONGEST_TITLE),
            category=self.category,
            amount=self.amount,
            currency=self.currency,
            deadline=self.deadline,
            document=self.document,
        )


def _line(text: str, longest: int) -> str:
    return _UNFIT.sub(" ", str(text)).strip()[:longest]


def _fit(value: Any) -> Any:
    """Replace in all texts what PostgreSQL refuses."""
    if isinstance(value, str):
        return _UNFIT.sub(" ", value)
    if isinstance(value, Mapping):
        return {_fit(str(name)): _fit(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_fit(item) for item in value]
    if isinstance(value, float):
        return value if value == value and abs(value) != float("inf") else None
    return value


def _amount(amount: Decimal | None) -> str | None:
    number = None if amount is None else _decimal(amount)
    return None if number is None else format(number, "f")


def _decimal(text: Any) -> Decimal | None:
    """Return a finite number, None if there is none: an odd amount must not lose the case."""
    try:
        number = None if text is None else Decimal(str(text))
    except InvalidOperation:
        return None
    if number is None or not number.is_finite() or number.adjusted() > LARGEST:
        return None
    return number


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _document(pair: Any) -> tuple[str, int] | None:
    return (str(pair[0]), int(pair[1])) if pair else None
