# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""What reception knows of an endpoint without asking the database each time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from ..protocol.paths import Path
from ..protocol.routing import Rule


@dataclass(frozen=True)
class TypeRef:
    """An event type, as far as reception needs it."""

    id: int
    code: str
    phi: bool
    incoming: bool
    deprecated_on: date | None = None
    sunset_on: date | None = None


@dataclass(frozen=True)
class Inlet:
    """An incoming endpoint in use.

    :param type: of messages that do not say what they are
    :param rules: the routes, in their order
    :param types: those of the routes, by id
    :param refuses: what no route takes is refused; else kept as dead, with a case
    :param ordered: messages of one key wait for each other
    :param companies: client that may call -> company its messages belong to
    :param sync: ``never``, ``on_request`` or ``always``
    """

    id: int
    code: str
    lane: str
    codec: str
    environment: str
    max_body: int
    dedupe_days: int
    ordered: bool
    ordering_path: Path | None
    type: TypeRef | None
    rules: tuple[Rule, ...]
    types: Mapping[int, TypeRef]
    refuses: bool
    companies: Mapping[int, int | None]
    sync: str
    sync_seconds: float

    @property
    def may_be_phi(self) -> bool:
        """Whether a message of a kind that is not known yet has to be protected."""
        known = [*self.types.values(), *([self.type] if self.type else [])]
        return any(one.phi for one in known)
