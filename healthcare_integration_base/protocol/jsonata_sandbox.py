# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""jsonata-python with bounds on time, depth and memory. Imported lazily by ``mapping``.

Its own time box is not enough: the evaluator switches it off for the second
and later keys of every object constructor, it can be shadowed by a variable,
and it never looks into built-in functions. Three layers replace it: a check in
each evaluation step, the cut-off for loops inside built-ins, and limits on what
can double in size (strings, arrays, ranges).
"""

from __future__ import annotations

import copy
import math
import re
from collections.abc import Callable
from typing import Any

from jsonata.functions import Functions
from jsonata.jexception import JException
from jsonata.jsonata import Jsonata
from jsonata.regex_engine import RegexFlags
from jsonata.utils import Utils

from . import safe_regex, values
from .cutoff import Watch
from .mapping_errors import MappingError
from .safe_regex import UnsafeRegex

Crosswalk = Callable[[str, Any], Any]

MAX_TEXT = 1_000_000
MAX_ITEMS = 200_000
MAX_PAD = 10_000
MAX_NODES = 500_000

_HOOKS = frozenset({"__evaluate_entry", "__evaluate_exit"})
_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?")


class _Frame(Jsonata.Frame):  # type: ignore[misc]
    """Variables of a scope. The library looks for its two hooks here at every step;
    we have none, and answering at once halves the time of an evaluation."""

    def lookup(self, name: str) -> Any:
        """Return the value of a variable, None if no scope has it."""
        if name in _HOOKS:
            return None
        frame = self
        while frame is not None:
            if name in frame.bindings:
                return frame.bindings[name]
            frame = frame.parent
        return None


class Sandbox(Jsonata):  # type: ignore[misc]
    """One expression; ``for_run`` makes the instance that evaluates it once."""

    watch: Watch
    crosswalk: Crosswalk | None
    max_depth: int
    depth = 0
    input: Any
    environment: Any

    def __init__(self, text: str):
        super().__init__(text, regex_engine)
        # nulls are converted by our own copy, which has a bound
        self.output_convert_nulls = False
        self.validate_input = False

    def for_run(
        self, watch: Watch, max_depth: int, crosswalk: Crosswalk | None
    ) -> Sandbox:
        """Return a copy for one evaluation in this thread.

        The library evaluates on whatever instance was made last in the thread,
        so the copy is put there; its parser is per thread, too.
        """
        run = copy.copy(self)
        run.watch, run.max_depth, run.crosswalk, run.depth = (
            watch,
            max_depth,
            crosswalk,
            0,
        )
        run.parser = Jsonata.get_parser()
        run.environment = run.create_frame(_library_frame())
        Jsonata.CURRENT.jsonata = run
        return run

    def create_frame(self, enclosing_environment: Any = None) -> Any:
        """Return a new scope."""
        return _Frame(enclosing_environment)

    # -- the evaluator, bounded ------------------------------------------------

    def eval(self, expr: Any, input: Any, environment: Any) -> Any:
        """One step, with the checks of time and depth."""
        self.watch.check()
        self.depth += 1
        before = self.input, self.environment
        try:
            if self.depth > self.max_depth:
                raise MappingError(
                    "The expression nests too deeply", code="mapping_too_deep"
                )
            return _bounded(self._eval(expr, input, environment))
        finally:
            self.depth -= 1
            self.input, self.environment = before

    def evaluate_string_concat(self, lhs: Any, rhs: Any) -> Any:
        """The operator ``&``, bounded."""
        if isinstance(lhs, (list, dict)) or isinstance(rhs, (list, dict)):
            values.count_nodes([lhs, rhs], MAX_NODES)
        return _bounded(super().evaluate_string_concat(lhs, rhs))

    def evaluate_range_expression(self, lhs: Any, rhs: Any) -> Any:
        """The operator ``..``, bounded and as a real list (the library's has a wrong length)."""
        if _is_int(lhs) and _is_int(rhs) and rhs - lhs >= MAX_ITEMS:
            raise _too_large()
        result = super().evaluate_range_expression(lhs, rhs)
        return None if result is None else Utils.create_sequence_from_iter(iter(result))

    def evaluate_equality_expression(self, lhs: Any, rhs: Any, op: str | None) -> Any:
        """``=`` and ``!=``; containers are counted first, since C compares them in one go."""
        if isinstance(lhs, (list, dict)) and isinstance(rhs, (list, dict)):
            values.count_nodes([lhs, rhs], MAX_NODES)
        return super().evaluate_equality_expression(lhs, rhs, op)

    def apply_inner(self, proc: Any, args: Any, input: Any, environment: Any) -> Any:
        """Refuse what is no function; the library would print it, data included."""
        if not self.is_function_like(proc):
            raise JException("T1006", 0)
        return super().apply_inner(proc, args, input, environment)


# -- functions of ours -------------------------------------------------------------


def _crosswalk(domain: str, value: Any) -> Any:
    """``$crosswalk(domain, value)``: the partner's value for ours, or the reverse."""
    if value is None or value is Utils.NULL_VALUE:
        return None
    run: Sandbox = Jsonata.CURRENT.jsonata
    if run.crosswalk is None:
        raise MappingError("There is no crosswalk here", code="mapping_no_crosswalk")
    lookup = run.crosswalk
    return run.watch.shield(lambda: lookup(domain, value))


def _required(value: Any, target: str) -> Any:
    """``$required(value, target)``: the value, or an error naming the target."""
    if value is None or value is Utils.NULL_VALUE:
        raise MappingError(
            f"The required field {target[:200]} has no value",
            code="mapping_required_missing",
        )
    return value


def _converter(convert: Callable[[Any], Any]) -> Callable[[Any, str | None], Any]:
    """Return ``$as…(value, target)``; its error names the target field, if the call does."""

    def function(value: Any, target: str | None) -> Any:
        try:
            return convert(None if value is Utils.NULL_VALUE else value)
        except MappingError as exc:
            where = f"The field {target[:200]}: " if target else ""
            raise MappingError(where + exc.message, code=exc.code) from None

    return function


_CUSTOM: dict[str, tuple[str, Callable[..., Any]]] = {
    "crosswalk": ("<sx:x>", _crosswalk),
    "required": ("<xs:x>", _required),
    # unlike $boolean, the text "false" is false
    "asBoolean": ("<xs?:x>", _converter(values.as_boolean)),
    # unlike $number, no digit is lost
    "asNumber": ("<xs?:x>", _converter(values.as_number)),
    "asDate": ("<xs?:x>", _converter(values.as_date)),
    "asDateTime": ("<xs?:x>", _converter(values.as_datetime)),
}


def _native(name: str, signature: str, method: Callable[..., Any]) -> Any:
    """Return a function of ours, callable and partially applicable like a built-in."""
    holder = type("Holder", (), {name: staticmethod(method)})
    return Jsonata.JNativeFunction(name, signature, holder, None)


# -- built-in functions, bounded -------------------------------------------------


def _bounded(value: Any) -> Any:
    """Return the value unless it is a text or an array that is too large."""
    if (isinstance(value, list) and len(value) > MAX_ITEMS) or (
        isinstance(value, str) and len(value) > MAX_TEXT
    ):
        raise _too_large()
    return value


def _too_large() -> MappingError:
    return MappingError(
        "The expression makes a value that is too large", code="mapping_too_large"
    )


def _refuse_eval(expr: Any, focus: Any) -> Any:
    raise MappingError("The function $eval is not available", code="mapping_forbidden")


def _pad(string: Any, width: Any, char: Any) -> Any:
    if isinstance(width, (int, float)) and abs(width) > MAX_PAD:
        raise _too_large()
    return Functions.pad(string, width, char)


def _append(left: Any, right: Any) -> Any:
    if _size(left) + _size(right) > MAX_ITEMS:
        raise _too_large()
    return Functions.append(left, right)


def _join(strings: Any, separator: Any) -> Any:
    if isinstance(strings, list):
        total = sum(len(text) for text in strings if isinstance(text, str))
        if total + len(strings) * len(separator or "") > MAX_TEXT:
            raise _too_large()
    return Functions.join(strings, separator)


def _replace(string: Any, pattern: Any, replacement: Any, limit: Any) -> Any:
    if isinstance(string, str) and isinstance(replacement, str):
        # each hit may insert the replacement, which may hold the hit several times
        growth = len(replacement) + replacement.count("$") * len(string)
        if len(string) + (len(string) + 1) * growth > 50 * MAX_TEXT:
            raise _too_large()
    return _bounded(Functions.replace(string, pattern, replacement, limit))


def _string(value: Any, prettify: Any) -> Any:
    if isinstance(value, (list, dict)):
        values.count_nodes(value, MAX_NODES)
    return _bounded(Functions.string(value, prettify))


def _clone(value: Any) -> Any:
    values.count_nodes(value, MAX_NODES)
    return Functions.function_clone(value)


def _number(value: Any) -> Any:
    """As the standard says; Python's float() would also take nan, 1_000 and blanks."""
    if isinstance(value, str) and not value.startswith(("0x", "0B", "0O")):
        if not _NUMBER.fullmatch(value) or not math.isfinite(float(value)):
            raise JException("D3030", -1)
    return Utils.convert_number(Functions.number(value)) if value is not None else None


def _to_millis(timestamp: Any, picture: Any) -> Any:
    # a picture becomes a regular expression; many adjacent parts backtrack
    if isinstance(timestamp, str) and len(timestamp) > 40:
        raise JException("D3110", -1)
    if isinstance(timestamp, str) and picture is None and timestamp.endswith("Z"):
        timestamp = timestamp[:-1] + "+00:00"  # Python 3.10 does not read Z
    if isinstance(picture, str) and (len(picture) > 100 or picture.count("[") > 10):
        raise _too_large()
    return Functions.datetime_to_millis(timestamp, picture)


def _size(value: Any) -> int:
    return len(value) if isinstance(value, list) else 1


def _is_int(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


_REPLACED: dict[str, Callable[..., Any]] = {
    "eval": _refuse_eval,
    "pad": _pad,
    "append": _append,
    "join": _join,
    "replace": _replace,
    "string": _string,
    "clone": _clone,
    "number": _number,
    "toMillis": _to_millis,
}
_frame: Any = None


def _library_frame() -> Any:
    """Return the built-ins with our replacements, without touching the library's own."""
    global _frame
    if _frame is None:
        frame = Jsonata.Frame(Jsonata.static_frame)
        for name, method in _REPLACED.items():
            function = copy.copy(Jsonata.static_frame.lookup(name))
            function.method = method
            frame.bind(name, function)
        for name, (signature, method) in _CUSTOM.items():
            frame.bind(name, _native(name, signature, method))
        _frame = frame
    return _frame


def regex_engine(pattern: str, flags: RegexFlags) -> safe_regex.SafePattern:
    """Compile a literal ``/…/`` of an expression. :raises MappingError: mapping_regex"""
    bits = (re.IGNORECASE if flags.case_insensitive else 0) | (
        re.MULTILINE if flags.multiline else 0
    )
    try:
        return safe_regex.compile_safe(pattern, bits)
    except safe_regex.UnsafeRegex as exc:
        raise MappingError(str(exc), code="mapping_regex") from None
    except (re.error, RecursionError, OverflowError, ValueError) as exc:
        reason = exc.msg if isinstance(exc, re.error) else "it cannot be compiled"
        raise MappingError(
            f"Wrong regular expression: {reason}", code="mapping_regex"
        ) from None


# -- results ---------------------------------------------------------------------


def to_json(value: Any) -> Any:
    """Return a plain copy of a result: no functions, no NaN, bounded in size and depth."""
    return values.plain_copy(value, MAX_NODES, null=Utils.NULL_VALUE)


def template_text(code: str) -> str | None:
    """Return the library's text for an error code, without the quoted values."""
    template = JException.error_codes.get(code)
    if template is None or template.startswith("{{{"):
        return None
    return re.sub(r"\{{2,3}\w+\}{2,3}", "…", template)


__all__ = ["JException", "Sandbox", "UnsafeRegex", "template_text", "to_json"]
