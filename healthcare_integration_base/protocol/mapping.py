# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Mappings: JSONata expressions, compiled once, evaluated in a sandbox.

compiled = compile_expression(compile_table(rows))
partner_data = compiled.evaluate(event_data, crosswalk=lookup)
"""

from __future__ import annotations

import json
import sys
import threading
from collections import OrderedDict
from typing import TYPE_CHECKING, Any

from . import envelope
from .cutoff import Watch, run_for
from .errors import Configuration, IntegrationError
from .field_table import FieldRow, compile_table
from .mapping_errors import MappingError

if TYPE_CHECKING:
    from .jsonata_sandbox import Crosswalk, Sandbox

__all__ = [
    "Compiled",
    "FieldRow",
    "MappingError",
    "compile_expression",
    "compile_table",
]

TIMEOUT = 2.0
COMPILE_TIMEOUT = 5.0
MAX_DEPTH = 150
MAX_EXPRESSION = 64_000
CACHE_SIZE = 256

_cache: OrderedDict[str, Compiled] = OrderedDict()
_cache_lock = threading.Lock()


class Compiled:
    """A compiled expression; may be used by several threads at once."""

    def __init__(self, text: str, program: Sandbox):
        self.text = text
        self._program = program

    def evaluate(
        self,
        data: Any,
        *,
        timeout: float = TIMEOUT,
        max_depth: int = MAX_DEPTH,
        crosswalk: Crosswalk | None = None,
    ) -> Any:
        """Return the result as a plain JSON value; ``data`` is not changed.

        :param timeout: seconds after which the evaluation is cut off
        :param max_depth: deepest nesting of evaluation steps
        :param crosswalk: behind ``$crosswalk(domain, value)``; its exceptions
            of our own kind are passed on
        :raises MappingError: with a code and the position, never with data
        """
        copy = _copy_of(data)

        def run(watch: Watch) -> Any:
            # an empty dictionary of bindings, or variables leak into the next call
            return sandbox.to_json(
                self._program.for_run(watch, max_depth, crosswalk).evaluate(copy, {})
            )

        sandbox = _sandbox()
        return _guarded(lambda: run_for(timeout, run), compiling=False)


def compile_expression(text: str) -> Compiled:
    """Return the compiled expression, from a cache if it was used lately.

    :raises MappingError: with code, message and position; syntax errors quote
        the expression only
    """
    with _cache_lock:
        if text in _cache:
            _cache.move_to_end(text)
            return _cache[text]
    compiled = _compile(text)
    with _cache_lock:
        _cache[text] = compiled
        while len(_cache) > CACHE_SIZE:
            _cache.popitem(last=False)
    return compiled


def _compile(text: str) -> Compiled:
    if not text or not text.strip():
        raise MappingError("The expression is empty", code="mapping_syntax", position=0)
    if len(text) > MAX_EXPRESSION:
        raise MappingError(
            f"The expression has more than {MAX_EXPRESSION} characters",
            code="mapping_too_large",
        )
    sandbox = _sandbox()
    try:
        program = _guarded(
            lambda: run_for(COMPILE_TIMEOUT, lambda _watch: sandbox.Sandbox(text)),
            compiling=True,
        )
    except MappingError as exc:
        if exc.position is None:
            exc.position = _find_position(text, exc)
        raise
    _refuse_names(program.ast)
    return Compiled(text, program)


def _find_position(text: str, exc: MappingError) -> int | None:
    if exc.code == "mapping_regex":
        return text.find("/")
    # what is not complete misses something at its end
    return len(text) if exc.code == "mapping_syntax" else None


def _copy_of(data: Any) -> Any:
    # The evaluator changes empty arrays of its input. The way through JSON also
    # makes moments and decimals what they are in a message.
    try:
        return json.loads(envelope.dumps(data))
    except (IntegrationError, RecursionError):
        raise MappingError("The data is not JSON", code="mapping_not_json") from None


def _sandbox() -> Any:
    # The library's import raises the recursion limit of the whole process to
    # 10,000, with which other people's recursive code overflows the C stack.
    limit = sys.getrecursionlimit()
    try:
        from . import jsonata_sandbox
    except ImportError:
        raise Configuration(
            "Mappings need the Python package jsonata-python (pip install jsonata-python)",
            code="missing_library",
        ) from None
    finally:
        if sys.getrecursionlimit() != limit:
            sys.setrecursionlimit(limit)
    return jsonata_sandbox


def _guarded(function: Any, *, compiling: bool) -> Any:
    """Turn whatever the library raises into a MappingError without data."""
    sandbox = _sandbox()
    try:
        return function()
    except IntegrationError:
        raise
    except sandbox.JException as exc:
        raise _from_library(exc, compiling) from None
    except TimeoutError:
        raise MappingError(
            "The expression takes too long", code="mapping_timeout"
        ) from None
    except (RecursionError, MemoryError):
        raise MappingError(
            "The expression nests too deeply", code="mapping_too_deep"
        ) from None
    except sandbox.UnsafeRegex as exc:
        raise MappingError(str(exc), code="mapping_regex") from None
    except Exception as exc:
        raise _from_bug(exc, compiling) from None


def _from_library(exc: Any, compiling: bool) -> MappingError:
    position = (
        exc.location if isinstance(exc.location, int) and exc.location >= 0 else None
    )
    text = (
        str(exc)
        if compiling
        else _sandbox().template_text(exc.error) or "The expression failed"
    )
    place = "" if position is None else f" at character {position}"
    code = "mapping_syntax" if compiling else "mapping_failed"
    return MappingError(f"{text} ({exc.error}){place}", code=code, position=position)


def _from_bug(exc: Exception, compiling: bool) -> MappingError:
    # an unfinished expression ends in an IndexError of the library's tokenizer
    if compiling:
        return MappingError("The expression is not complete", code="mapping_syntax")
    return MappingError(
        f"The expression failed ({type(exc).__name__})", code="mapping_failed"
    )


def _refuse_names(ast: Any) -> None:
    """Refuse ``$eval`` and the evaluator's own variables when compiling."""
    seen: set[int] = set()
    stack = [ast]
    while stack:
        node = stack.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        if isinstance(node, (list, tuple)):
            stack.extend(node)
        elif hasattr(node, "__dict__") and type(node).__module__ == "jsonata.parser":
            _check_variable(node)
            stack.extend(vars(node).values())


def _check_variable(node: Any) -> None:
    name = getattr(node, "value", None)
    if getattr(node, "type", None) != "variable" or not isinstance(name, str):
        return
    if name == "eval" or name.startswith("__"):
        raise MappingError(
            f"${name[:50]} is not available",
            code="mapping_forbidden",
            position=node.position,
        )
