# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""What a client may know of its own message; never a value of its content."""

from ..protocol import envelope
from . import verdict


def status(message):
    """Return what became of a message."""
    answer = {
        "uid": message.uid,
        "state": message.state,
        "endpoint": message.endpoint_id.code,
        "external_id": message.external_id,
        "received_at": _seconds(message.created_at),
    }
    if message.event_type_id:
        answer["type"] = message.event_type_id._cloudevent_type()
    if message.finished_at:
        answer["finished_at"] = _seconds(message.finished_at)
    if message.filter_reason:
        answer["reason"] = message.filter_reason
    if message.last_error_code and message.state in ("pending", "dead"):
        answer["error"] = _error(message)
    if message.superseded:
        answer["superseded_by"] = _replay(message).uid
    return answer


def result(message):
    """Return what was made of a message that is done: its document and its identifiers."""
    phi = message.event_type_id.sensitivity == "phi"
    if message.state != "done" or not message.res_name or phi:
        return {}
    known = message.env["integration.identifier"].search(
        [
            ("res_model", "=", message.res_model),
            ("res_id", "=", message.res_id),
            ("system_id", "=", message.system_id.id),
        ],
        order="kind, value",
    )
    return {
        "document": message.res_name,
        "identifiers": [{"kind": one.kind, "value": one.value} for one in known],
    }


def _error(message):
    error = {"class": message.last_error_class, "code": message.last_error_code}
    if message.last_error and verdict.is_for_partners(message):
        error["detail"] = message.last_error
    if message.schema_errors:
        error["errors"] = message.schema_errors
    return error


def _replay(message):
    """Return the newest replay of a message."""
    while message.superseded:
        message = message.search(
            [("replay_of_id", "=", message.id)], order="id desc", limit=1
        )
    return message


def _seconds(moment):
    return envelope.iso_utc(moment.replace(microsecond=0))
