# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Regular expressions that cannot run away.

Python's engine backtracks and cannot be interrupted. Two rules make its cost
predictable: nothing of variable length inside a repetition (no exponential
search), and for the rest an upper bound of the steps, computed from the number
of variable parts and the length of the subject, must stay small.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    try:  # Python 3.11 moved it
        from re import _parser as sre_parse  # type: ignore[attr-defined]
    except ImportError:
        import sre_parse  # pylint: disable=deprecated-module

MAX_PATTERN = 500
MAX_REPEAT = 10_000
MAX_STEPS = 20_000_000  # about a second of backtracking at worst

_REPEATS = ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT")
_REFUSED = ("GROUPREF", "GROUPREF_EXISTS", "ASSERT", "ASSERT_NOT", "ATOMIC_GROUP")


class UnsafeRegex(ValueError):
    """The pattern, or the pattern on this subject, could take too long."""


@dataclass(frozen=True)
class SafePattern:
    """Has the methods JSONata calls on a pattern; each checks the cost first."""

    pattern: re.Pattern[str]
    spans: tuple[int, ...]  # the variable parts: how many lengths each may have
    anchored: bool

    def search(self, string: str) -> re.Match[str] | None:
        """As re.Pattern.search. :raises UnsafeRegex: if the subject is too long"""
        return self._for(string).search(string)

    def finditer(self, string: str) -> Iterator[re.Match[str]]:
        """As re.Pattern.finditer. :raises UnsafeRegex: if the subject is too long"""
        return self._for(string).finditer(string)

    def sub(
        self, repl: str | Callable[[re.Match[str]], str], string: str, count: int = 0
    ) -> str:
        """As re.Pattern.sub. :raises UnsafeRegex: if the subject is too long"""
        return self._for(string).sub(repl, string, count)

    def split(self, string: str, maxsplit: int = 0) -> list[Any]:
        """As re.Pattern.split. :raises UnsafeRegex: if the subject is too long"""
        return self._for(string).split(string, maxsplit)

    def steps(self, length: int) -> int:
        """Return an upper bound of the search steps on a subject of this length."""
        total = 1 if self.anchored else length + 1
        for span in self.spans:
            total *= min(span, length + 1)
        return total

    def _for(self, string: str) -> re.Pattern[str]:
        if self.steps(len(string)) > MAX_STEPS:
            raise UnsafeRegex("The text is too long for this regular expression")
        return self.pattern


def compile_safe(pattern: str, flags: int = 0) -> SafePattern:
    """Return the compiled pattern if its cost can be bounded.

    :raises UnsafeRegex: nested or ambiguous repetition, back reference,
        look-around, or a pattern that is too long
    :raises re.error: if it is no pattern at all
    """
    if len(pattern) > MAX_PATTERN:
        raise UnsafeRegex(f"A regular expression has at most {MAX_PATTERN} characters")
    tree = sre_parse.parse(pattern, flags)
    spans: list[int] = []
    _walk(tree, spans, inside_repeat=False)
    anchored = bool(tree) and _name(tree[0]) == "AT" and "BEGINNING" in str(tree[0][1])
    return SafePattern(
        re.compile(pattern, flags), tuple(spans), anchored and not flags & re.MULTILINE
    )


def _walk(tree: Any, spans: list[int], inside_repeat: bool) -> None:
    for node in tree:
        name = _name(node)
        if name in _REFUSED:
            raise UnsafeRegex(
                "Back references and look-around are not allowed in regular expressions"
            )
        if name in _REPEATS:
            _walk_repeat(node[1], spans, inside_repeat)
        elif name == "BRANCH":
            _walk_branch(node[1][1], spans, inside_repeat)
        elif name == "SUBPATTERN":
            _walk(node[1][3], spans, inside_repeat)


def _walk_repeat(
    arguments: tuple[int, int, Any], spans: list[int], inside_repeat: bool
) -> None:
    least, most, body = arguments
    if least > MAX_REPEAT:
        raise UnsafeRegex(
            f"A repetition of more than {MAX_REPEAT} times is not allowed"
        )
    if least != most:
        if inside_repeat:
            raise UnsafeRegex(
                "A repetition inside a repetition is not allowed, such as (a+)+"
            )
        spans.append(most - least + 1)
    low, high = body.getwidth()
    if most > 1 and low != high:
        raise UnsafeRegex(
            "A repeated group must have a fixed length, such as ([0-9]{3})+"
        )
    _walk(body, spans, inside_repeat or most > 1)


def _walk_branch(branches: list[Any], spans: list[int], inside_repeat: bool) -> None:
    if inside_repeat:
        raise UnsafeRegex(
            "Alternatives inside a repetition are not allowed, such as (a|b)+"
        )
    spans.append(len(branches))
    for branch in branches:
        _walk(branch, spans, inside_repeat)


def _name(node: Any) -> str:
    return str(node[0])
