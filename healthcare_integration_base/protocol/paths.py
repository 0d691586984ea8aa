# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Paths to one value of a JSON document, cheap enough for every request.

``order.lines[0].sku`` reads the content; ``$event.type`` an attribute of the CloudEvent
(id, type, time, subject, source, correlation). A name with dots or brackets in it is
quoted: ``["a.b"]``. Nothing is searched or computed: that is what mappings are for.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

MAX_PATH = 255
EVENT = "$event"

_STEP = re.compile(
    r'(?:^|\.)([^.\[\]"]+)|\[(0|[1-9][0-9]{0,5})\]|\[("(?:[^"\\]|\\.)*")\]'
)


class _Missing:
    """There is no value at the path; ``None`` is one."""

    def __bool__(self) -> bool:
        return False


MISSING = _Missing()


@dataclass(frozen=True)
class Path:
    """Steps from a document to a value: names of members, places in arrays.

    :param of_event: it starts at the attributes of the event, not at the content
    """

    steps: tuple[str | int, ...]
    of_event: bool = False

    def find(self, data: Any, event: Mapping[str, Any] | None = None) -> Any:
        """Return the value, or ``MISSING``."""
        value = event if self.of_event else data
        for step in self.steps:
            value = _inner(value, step)
        return value


def parse(text: str) -> Path:
    """Return the path a text writes.

    :raises ValueError: it is none; says where
    """
    return _parse(text.strip())


@lru_cache(maxsize=1024)
def _parse(text: str) -> Path:
    rest = text[2:] if text.startswith("$.") else text
    if not rest or len(text) > MAX_PATH:
        raise ValueError(f"A path has 1 to {MAX_PATH} characters")
    steps: list[str | int] = []
    place = 0
    while place < len(rest):
        match = _STEP.match(rest, place)
        if not match:
            raise ValueError(f"Unexpected character at position {place + 1}")
        steps.append(_step(match))
        place = match.end()
    if steps[0] == EVENT:
        return _of_event(steps)
    return Path(tuple(steps))


def _step(match: re.Match[str]) -> str | int:
    name, index, quoted = match.groups()
    if index is not None:
        return int(index)
    if quoted is None:
        return name
    try:
        return str(json.loads(quoted))
    except ValueError:
        raise ValueError(f"Bad quotes at position {match.start() + 1}") from None


def _of_event(steps: list[str | int]) -> Path:
    if len(steps) != 2:
        raise ValueError(f"{EVENT} is followed by one attribute, such as {EVENT}.type")
    return Path((steps[1],), of_event=True)


def _inner(value: Any, step: str | int) -> Any:
    if isinstance(step, int):
        fits = isinstance(value, list) and step < len(value)
    else:
        fits = isinstance(value, dict) and step in value
    return value[step] if fits else MISSING


def as_text(value: Any) -> str | None:
    """Return a scalar as it is written in JSON, strings without quotes; None for others."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return json.dumps(value)
    return None
