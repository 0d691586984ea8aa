# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""The body of an outgoing message, from its event: the one place that makes bytes.

Sending, the test message and the preview of a mapping all call ``render``, so what is
previewed is what is sent.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from .. import runtime
from ..protocol import envelope
from ..protocol.errors import IntegrationError
from ..protocol.mapping import MappingError

ON_TRIAL = ("draft", "test", "shadow")


@dataclass(frozen=True)
class EventValues:
    """What a body is made of; ``data`` is canonical and in the clear."""

    uid: str
    type_id: int
    code: str
    version: int
    source: str
    subject: str | None
    time: Any
    data: Any
    dataschema: str | None = None
    traceparent: str | None = None
    correlation_uid: str | None = None
    causation_uid: str | None = None
    ordering_key: str | None = None
    dataclass: str | None = None

    @property
    def meta(self) -> dict[str, Any]:
        """What an expression reads as ``event``."""
        return {
            "id": self.uid,
            "type": self.code,
            "version": self.version,
            "time": envelope.iso_utc(self.time),
            "subject": self.subject,
            "source": self.source,
            "correlation": self.correlation_uid,
        }


@dataclass(frozen=True)
class Rendered:
    """Bytes ready to sign and send.

    :param schema_errors: how the event's data deviate from the schema of its type
    """

    body: bytes
    content_type: str
    schema_errors: list[dict[str, str]] = field(default_factory=list)


def event_values(event) -> EventValues:
    """Return what ``render`` needs of an ``integration.event``.

    :raises MappingError: event_without_data, when its payload could not be built
    """
    record = event.sudo()
    return EventValues(
        uid=record.uid,
        type_id=record.type_id.id,
        code=record.type_id.code,
        version=record.version,
        source=source_of(record.env),
        subject=subject_of(record.res_model, record.res_id),
        time=record.occurred_at,
        data=data_of(record),
        dataschema=dataschema_of(record.type_id, record.version),
        traceparent=record.traceparent or None,
        correlation_uid=record.correlation_uid or None,
        causation_uid=record.causation_uid or None,
        ordering_key=record.ordering_key or None,
        dataclass=record.type_id.sensitivity,
    )


def data_of(event) -> Any:
    """Return the canonical data of an event.

    :raises MappingError: event_without_data
    :raises Configuration: this node cannot decrypt protected data
    """
    text = event._data_text()
    if not text:
        reason = event.error or "no data"
        raise MappingError(
            f"The event has no payload ({reason})", code="event_without_data"
        )
    return json.loads(text)


def source_of(env) -> str:
    """Return the CloudEvents ``source``: option ``source``, else one made of the database's id."""
    parameters = env["ir.config_parameter"].sudo()
    return (
        runtime.settings().get("source")
        or f"urn:odoo:{parameters.get_param('database.uuid')}"
    )


def subject_of(res_model: str | None, res_id: int | None) -> str | None:
    """Return the CloudEvents ``subject``, ``<model>/<id>``."""
    return f"{res_model}/{res_id}" if res_model and res_id else None


def dataschema_of(event_type, version: int) -> str | None:
    """Return the address of the schema, when the type has one."""
    if not event_type._has_schema():
        return None
    base = event_type.env["ir.config_parameter"].sudo().get_param("web.base.url") or ""
    return f"{base}/integration/v1/schemas/{event_type.code}/{version}"


def render(values: EventValues, mapping, endpoint) -> Rendered:
    """Return the body that ``endpoint`` gets of an event.

    :param mapping: ``integration.mapping``, empty for CloudEvents 1.0 structured JSON
    :param endpoint: ``integration.endpoint``; decides whether a mapping that is not
        active yet may be tried; empty in a preview
    :raises MappingError: the mapping fails on these data, or is not active
    """
    event_type = endpoint.env["integration.event.type"].browse(values.type_id)
    errors = event_type._validate(values.data)
    if not mapping:
        return Rendered(_cloudevent(values), envelope.CONTENT_TYPE, errors)
    check_usable(mapping, endpoint)
    result = mapping._evaluate(values.data, values.meta)
    return Rendered(_mapped(result, mapping), mapping.content_type, errors)


def check_usable(mapping, endpoint) -> None:
    """Refuse a mapping that is not active, unless the endpoint is on trial.

    :raises MappingError: mapping_not_active
    """
    if endpoint and endpoint.state not in ON_TRIAL and mapping.state != "active":
        raise MappingError(
            f"Mapping {mapping.display_name} is {mapping.state}, not active",
            code="mapping_not_active",
        )


def _mapped(result: Any, mapping) -> bytes:
    if result is None:
        raise _empty()
    if isinstance(result, str) and not mapping.content_type.endswith("json"):
        return result.encode()
    return _json(result)


def _json(result: Any) -> bytes:
    try:
        return envelope.dumps(result)
    except IntegrationError as error:
        raise MappingError(error.message, code="mapping_not_json") from None


def _empty() -> MappingError:
    return MappingError(
        "The mapping has no result for this event", code="mapping_empty"
    )


def _cloudevent(values: EventValues) -> bytes:
    return envelope.dumps(
        envelope.cloudevent(
            uid=values.uid,
            code=values.code,
            version=values.version,
            source=values.source,
            subject=values.subject,
            time=values.time,
            data=values.data,
            dataschema=values.dataschema,
            traceparent=values.traceparent,
            correlation_uid=values.correlation_uid,
            causation_uid=values.causation_uid,
            ordering_key=values.ordering_key,
            dataclass=values.dataclass,
        )
    )


def render_incoming(data: Any, meta: dict[str, Any], mapping) -> Rendered:
    """Return the canonical document a mapping makes of a partner's, as applying does.

    :raises MappingError: the mapping fails on these data
    """
    result = mapping._evaluate(data, meta)
    errors = mapping.event_type_id._validate(result)
    if result is None:
        raise _empty()
    return Rendered(_json(result), envelope.DATA_CONTENT_TYPE, errors)
