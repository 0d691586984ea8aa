# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""What a route promises to partners; the OpenAPI document is made of these."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Parameter:
    """A parameter of a route.

    :param place: ``path``, ``query`` or ``header``
    :param schema: JSON Schema of its value
    """

    name: str
    place: str
    text: str
    schema: Mapping[str, Any] = field(default_factory=lambda: {"type": "string"})
    required: bool = False


@dataclass(frozen=True)
class Answer:
    """One answer of a route, other than the problems every route may answer with.

    :param content: media type → JSON Schema; empty: no body
    """

    text: str
    content: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Operation:
    """One method of one path, as a partner's developer reads about it.

    :param id: unique camelCase name, the ``operationId``
    :param scope: what the client must be allowed, for example ``messages:write``; None:
        anybody may call
    :param parameters: of path, query and headers; those of the path need not be repeated
        unless their text or schema matters
    :param body: media type → JSON Schema of the request's body; empty: it has none
    :param answers: status → answer, without the problems of every route
    :param problems: further statuses that come as ``application/problem+json``
    """

    id: str
    summary: str
    scope: str | None
    tag: str = "Messages"
    text: str = ""
    parameters: tuple[Parameter, ...] = ()
    body: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    answers: Mapping[int, Answer] = field(default_factory=dict)
    problems: tuple[int, ...] = ()


@dataclass(frozen=True)
class Published:
    """An operation at its address.

    :param path: as ``http.route`` has it
    """

    path: str
    method: str
    operation: Operation


# All routes that partners may know, in the order their modules were loaded.
published: list[Published] = []


def publish(path: str, method: str, operation: Operation) -> None:
    """Make a route known to the OpenAPI document."""
    published.append(Published(path, method, operation))
