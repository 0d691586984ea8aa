# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Which rule of an endpoint takes a message, by its content.

Rules are tried in their order; the first that holds decides. All but JSONata ones are
cheap and decided when the message comes in. A JSONata one is evaluated where it cannot
hold up anybody, when the message is applied: until then the message is undecided.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from . import paths
from .safe_regex import SafePattern, UnsafeRegex, compile_safe

KINDS = ("equals", "exists", "matches", "content_type", "jsonata", "always")
NEEDS_PATH = ("equals", "exists", "matches")
MAX_VALUE = 255


@dataclass(frozen=True)
class Document:
    """What conditions look at.

    :param data: the content
    :param event: attributes of the CloudEvent
    :param mimetype: of the body, in lower case
    """

    data: Any
    event: Mapping[str, Any]
    mimetype: str


@dataclass(frozen=True)
class Condition:
    """When a rule takes a message.

    :param values: texts, one of which the value must be
    """

    kind: str
    path: paths.Path | None = None
    values: frozenset[str] = frozenset()
    pattern: SafePattern | None = None
    expression: str = ""

    def holds(self, document: Document) -> bool | None:
        """Tell whether the rule takes the document; None: only JSONata can say."""
        if self.kind == "always":
            return True
        if self.kind == "jsonata":
            return None
        if self.kind == "content_type":
            return document.mimetype in self.values
        assert self.path is not None
        value = self.path.find(document.data, document.event)
        if self.kind == "exists":
            return value is not paths.MISSING and value is not None
        text = paths.as_text(value)
        return text is not None and self._fits(text)

    def _fits(self, text: str) -> bool:
        if self.pattern is None:
            return text in self.values
        try:
            return self.pattern.search(text) is not None
        except UnsafeRegex:
            return False  # too long a text for this pattern


@dataclass(frozen=True)
class Rule:
    """A condition, and what a message is that meets it."""

    id: int
    condition: Condition
    type_id: int


def condition(
    kind: str, path: str = "", value: str = "", expression: str = ""
) -> Condition:
    """Return the condition that texts describe.

    :param value: for ``equals`` and ``content_type`` one or more values, one a line;
        for ``matches`` a regular expression
    :raises ValueError: something is missing or cannot be read; the text says what
    """
    if kind not in KINDS:
        raise ValueError(f"There is no condition {kind!r}")
    where = paths.parse(path) if kind in NEEDS_PATH else None
    if kind == "matches":
        return Condition(kind, where, pattern=_pattern(value))
    if kind == "jsonata":
        return Condition(kind, expression=expression)
    values = frozenset(line.strip() for line in value.splitlines() if line.strip())
    if kind in ("equals", "content_type") and not values:
        raise ValueError("A value to compare with is missing")
    if kind == "content_type":
        values = frozenset(one.lower() for one in values)
    return Condition(kind, where, values)


def _pattern(text: str) -> SafePattern:
    if not text:
        raise ValueError("The regular expression is missing")
    try:
        return compile_safe(text)
    except re.error as error:
        raise ValueError(f"No regular expression: {error.msg}") from None


def choose(rules: Iterable[Rule], document: Document) -> tuple[Rule | None, bool]:
    """Return the rule that takes a document, and whether that is certain.

    :return: (rule, True), (None, True) if none does, (None, False) if a JSONata rule that
        comes before may take it
    """
    for rule in rules:
        verdict = rule.condition.holds(document)
        if verdict is None:
            return None, False
        if verdict:
            return rule, True
    return None, True
