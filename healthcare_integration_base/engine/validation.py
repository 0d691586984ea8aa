# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Tell partners whether a number they mean to use is right, before they use it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..protocol.errors import Rejected

MAX_ITEMS = 500
MAX_VALUE = 255
RESULTS = ("valid", "invalid", "archived", "ambiguous")


@dataclass(frozen=True)
class Verdict:
    """What is to be said of one value.

    :param result: one of :data:`RESULTS`
    :param reason: why it is not valid
    :param id: our id of the record, where there is just one
    :param number: how we write it
    """

    result: str
    reason: str | None = None
    id: str | None = None
    number: str | None = None


def check(env, client, content: Any, validators: Mapping[str, Any]) -> list[dict]:
    """Return the verdict on each item, in the order they came.

    :param env: the client's acting environment
    :param content: ``{"items": [{"kind", "value"}, …]}``
    :param validators: kind → function (env, client, values) → {value: Verdict}
    :raises Rejected: the content has another form, with the place of each fault
    """
    rows = _rows(content, validators)
    verdicts = {
        kind: validators[kind](env, client, sorted({v for k, v in rows if k == kind}))
        for kind in {kind for kind, _value in rows}
    }
    return [_answer(kind, value, verdicts[kind][value]) for kind, value in rows]


def _rows(content, validators) -> list[tuple[str, str]]:
    items = content.get("items") if isinstance(content, dict) else None
    if not isinstance(items, list) or not 1 <= len(items) <= MAX_ITEMS:
        raise _faulty([("/items", f"must be a list of 1 to {MAX_ITEMS} items")])
    if set(content) != {"items"}:
        raise _faulty([("", "has properties the schema does not know")])
    faults = [
        (f"/items/{index}{path}", text)
        for index, item in enumerate(items)
        for path, text in _faults(item, validators)
    ]
    if faults:
        raise _faulty(faults)
    return [(item["kind"], item["value"]) for item in items]


def _faults(item, validators):
    if not isinstance(item, dict) or set(item) != {"kind", "value"}:
        return [("", "must be an object with just kind and value")]
    faults = []
    if not isinstance(item["kind"], str) or item["kind"] not in validators:
        faults.append(("/kind", f"must be one of {', '.join(sorted(validators))}"))
    value = item["value"]
    if not isinstance(value, str) or not 1 <= len(value) <= MAX_VALUE:
        faults.append(("/value", f"must be a text of 1 to {MAX_VALUE} characters"))
    elif "\0" in value:
        faults.append(("/value", "must not have a NUL character"))
    return faults


def _faulty(faults) -> Rejected:
    details = [{"path": path, "message": text} for path, text in faults[:50]]
    return Rejected(
        "The content does not have the form that is asked for.",
        code="schema_mismatch",
        details=details,
    )


def _answer(kind: str, value: str, verdict: Verdict) -> dict[str, Any]:
    answer = {"kind": kind, "value": value, "result": verdict.result}
    more = {"reason": verdict.reason, "id": verdict.id, "number": verdict.number}
    return answer | {name: text for name, text in more.items() if text}
