# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""What the machine-readable descriptions of the interface are made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from ..protocol import envelope
from ..protocol.components import Components
from .resource import Resource

VERSION = "1.0.0"


@dataclass(frozen=True)
class EventType:
    """An event type of the catalogue; ``direction`` is seen from Odoo."""

    code: str
    version: int
    name: str
    text: str
    direction: str
    schema: Mapping[str, Any]
    deprecated_on: date | None = None
    sunset_on: date | None = None

    @property
    def type(self) -> str:
        """Return the ``type`` of its CloudEvents."""
        return envelope.type_of(self.code, self.version)

    @property
    def key(self) -> str:
        """Return its name among the components."""
        return f"{self.code}.v{self.version}"


@dataclass(frozen=True)
class Offer:
    """A resource as an administrator offers it.

    :param needs: name of the group that the client's user needs
    """

    resource: Resource
    text: str = ""
    needs: str = ""
    deprecated_on: date | None = None
    sunset_on: date | None = None


@dataclass(frozen=True)
class Catalogue:
    """All that is offered.

    :param url: address of this Odoo, without a slash at the end
    :param routes: the published operations, see ``controllers/operation.py``
    """

    url: str
    today: date
    routes: Sequence[Any] = ()
    offers: Sequence[Offer] = ()
    event_types: Sequence[EventType] = ()
    components: Components = field(default_factory=Components)

    def of(self, direction: str) -> list[EventType]:
        """Return the event types that go out, or come in."""
        return [one for one in self.event_types if one.direction == direction]

    def is_past(self, day: date | None) -> bool:
        """Tell whether a day has come."""
        return bool(day and day <= self.today)


_TEXT = {"type": "string", "minLength": 1}
CLOUD_EVENT = {
    "type": "object",
    "title": "CloudEvent",
    "description": "CloudEvents 1.0, structured JSON mode.",
    "required": ["specversion", "id", "source", "type"],
    "properties": {
        "specversion": {"const": envelope.SPEC_VERSION},
        "id": {**_TEXT, "maxLength": 255},
        "source": {**_TEXT, "maxLength": 255},
        "type": {**_TEXT, "maxLength": 255},
        "subject": _TEXT,
        "time": {"type": "string", "format": "date-time"},
        "datacontenttype": _TEXT,
        "dataschema": _TEXT,
        "correlationid": _TEXT,
        "causationid": _TEXT,
        "partitionkey": _TEXT,
        "traceparent": _TEXT,
        "dataclass": _TEXT,
        "data": {"type": "object"},
    },
}


def event_reference(catalogue: Catalogue, event_type: EventType) -> dict[str, str]:
    """Keep the CloudEvent of an event type among the components; return the reference."""
    components = catalogue.components
    data = components.add(
        f"data.{event_type.key}", event_type.schema or {"type": "object"}
    )
    envelope_ref = components.add("CloudEvent", CLOUD_EVENT)
    return components.add(
        f"event.{event_type.key}",
        {
            "title": event_type.name,
            "allOf": [
                envelope_ref,
                {
                    "required": ["data"],
                    "properties": {"type": {"const": event_type.type}, "data": data},
                },
            ],
        },
    )


def life(catalogue: Catalogue, one: Any) -> dict[str, Any]:
    """Return what is to be said of deprecation, of a resource or an event type."""
    found: dict[str, Any] = {}
    if catalogue.is_past(one.deprecated_on):
        found["deprecated"] = True
    if one.deprecated_on:
        found["x-deprecated-on"] = one.deprecated_on.isoformat()
    if one.sunset_on:
        found["x-sunset-on"] = one.sunset_on.isoformat()
    return found
