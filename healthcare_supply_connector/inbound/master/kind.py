# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""What a kind of master is made of: its fields, how it is found, what resembles it."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from odoo.addons.healthcare_integration_base.protocol.errors import Rejected

_NOISE = re.compile(r"[^a-z0-9]+")
_FORMS = {"ltd", "inc", "gmbh", "ag", "sa", "nv", "bv", "llc", "co", "corp", "sarl"}
SIMILAR = 0.82


@dataclass(frozen=True)
class Context:
    """Who proposes: the acting user's environment and the message.

    :param message: integration.message, or the integration.system when looked at again
    """

    env: Any
    message: Any


@dataclass(frozen=True)
class Field:
    """A member of the message and the field it stands for.

    :param member: in the message
    :param name: field of Odoo's model
    :param convert: (context, value, path) -> what is written; JSON-ready
    :param told: shown to people, never written by a message
    """

    member: str
    name: str
    convert: Callable[[Context, Any, str], Any] = lambda _context, value, _path: value
    told: bool = False


@dataclass(frozen=True)
class Kind:
    """A kind of master.

    :param name: ``item``, ``supplier``, …; also the member of the message
    :param model: what is changed
    :param group: whose members decide about proposals
    :param fields: what a message may say
    :param find: (context, data) -> the record of ours, empty if none is known
    :param candidates: (context, data) -> list of (record, score of 100, why)
    :param defaults: (context, data) -> values of a new record besides the fields
    :param key: data -> what the sender calls it; proposals of one key replace each other
    """

    name: str
    model: str
    group: str
    fields: tuple[Field, ...]
    find: Callable[[Context, Mapping[str, Any]], Any]
    candidates: Callable[[Context, Mapping[str, Any]], list]
    defaults: Callable[[Context, Mapping[str, Any]], dict[str, Any]]
    key: Callable[[Mapping[str, Any]], str] = field(default=lambda data: data["code"])
    title: Callable[[Mapping[str, Any]], str] = field(default=lambda data: data["name"])


def known(find: Callable[[], Any], nothing: Any) -> Any:
    """Return what a search finds, or nothing where it is refused as unknown."""
    try:
        return find()
    except Rejected as error:
        if (error.code or "").endswith(("_unknown", "_missing", "_ambiguous")):
            return nothing
        raise


def normalised(name: str) -> str:
    """Return a name without case, punctuation and legal forms."""
    words = _NOISE.sub(" ", (name or "").lower()).split()
    return (
        " ".join(word for word in words if word not in _FORMS) or (name or "").lower()
    )


def alike(records, name: str, why: str, member: str = "name") -> list:
    """Return the records whose names resemble a name: (record, score, why)."""
    wanted = normalised(name)
    result = []
    for record in records:
        ours = normalised(record[member])
        ratio = difflib.SequenceMatcher(None, wanted, ours).ratio()
        if ratio >= SIMILAR:
            result.append((record, round(85 * ratio), why))
    return result


def by_first_word(env, model: str, name: str, domain=(), limit: int = 200):
    """Return records whose name begins alike, to compare in detail."""
    words = normalised(name).split()
    start = (words[0] if words else "")[:4]
    if not start:
        return env[model]
    return env[model].search([("name", "ilike", start), *domain], limit=limit)


def best(*found: list) -> list:
    """Return candidates, each record once with its best score, the best first."""
    scores: dict[Any, tuple[int, str]] = {}
    for record, score, why in (row for rows in found for row in rows):
        if score > scores.get(record, (0, ""))[0]:
            scores[record] = (score, why)
    rows = [(record, score, why) for record, (score, why) in scores.items()]
    return sorted(rows, key=lambda row: -row[1])[:10]


def number(_context, value, _path):
    """Return a decimal text as number."""
    return float(value)


def refused(code: str, path: str, text: str) -> Rejected:
    """Return the refusal of one value."""
    return Rejected(text, code=code, details=[{"path": path, "message": text}])
