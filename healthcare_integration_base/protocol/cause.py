# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Why something needs a person: what makes two failures the same case."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any


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
