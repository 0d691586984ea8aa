# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""The inbox: store what a partner hands in, once, before it is acknowledged.

The row is written in a READ COMMITTED transaction of its own: in the request's
REPEATABLE READ one, the second of two simultaneous deliveries would fail on the
row it cannot see yet, and be repeated after a random sleep.
"""

import hashlib
import re
from dataclasses import dataclass

from odoo.tools import SQL

from .. import codecs
from ..protocol import envelope, errors, ids
from ..runtime import autonomous, keyring
from . import outbox, payload, sql, verdict

_TRACEPARENT = re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")


@dataclass(frozen=True)
class Arrival:
    """One delivery, as it came in from an authenticated client.

    :param message_id: the id a header gave, if any
    """

    body: bytes
    content_type: str = ""
    message_id: str | None = None
    traceparent: str | None = None


@dataclass(frozen=True)
class Receipt:
    """What the partner may rely on: the message is stored under this uid.

    :param repeated: it had been handed in before
    """

    uid: str
    repeated: bool


def accept(env, endpoint, client, arrival):
    """Store a message once and have it applied later.

    :param env: superuser's environment of the request
    :return: Receipt; that of the first delivery if this one repeats it
    :raises CodecError: 400/415, the body cannot be read
    :raises Permanent: 400, the event type is unknown
    :raises Rejected: 409, the id was used for another body
    """
    received = _read(endpoint, arrival)
    event_type = _event_type(env, endpoint, received)
    values = _values(endpoint, client, event_type, arrival, received)
    with autonomous(env) as own:
        # for a repeated one as well: a crash may have swallowed the first wake-up
        own["integration.drain"]._wake({endpoint.lane})
        return _store(
            own, endpoint, values, arrival.body, event_type.sensitivity == "phi"
        )


def _read(endpoint, arrival):
    codec = codecs.get(endpoint.codec)
    mimetype, charset = codecs.parse_content_type(arrival.content_type)
    if not codec.accepts(mimetype):
        raise codecs.CodecError(
            f"This endpoint takes {' or '.join(codec.content_types)}.",
            code="unsupported_media_type",
            status=415,
        )
    return codec.parse(arrival.body, mimetype, charset)


def _event_type(env, endpoint, received):
    """Return the type the message names, else the endpoint's."""
    EventType = env["integration.event.type"]
    if received.type is None:
        event_type = endpoint.event_type_id
    else:
        event_type = EventType.browse(EventType._get_by_type(received.type) or [])
    if not event_type or event_type.direction != "in":
        raise errors.Permanent(
            "The type of the message is none that is taken here; see the list of event types.",
            code="unknown_event_type" if received.type else "missing_event_type",
        )
    return event_type


def _values(endpoint, client, event_type, arrival, received):
    """Return the columns of the message; what identifies phi is hashed under a key."""
    protect = _protector(event_type)
    digest = protect(hashlib.sha256(arrival.body).hexdigest())
    given = arrival.message_id or received.external_id
    ordered = endpoint.policy_id.ordering == "key" and received.ordering_key
    traceparent = received.traceparent or arrival.traceparent or ""
    return {
        "uid": ids.uuid7(),
        "direction": "in",
        "endpoint_id": endpoint.id,
        "client_id": client.id,
        "event_type_id": event_type.id,
        "company_id": (client.company_id or endpoint.company_id).id or None,
        "priority": "1",
        "ordering_key": protect(received.ordering_key) if ordered else None,
        "external_id": given or f"sha256:{digest}",
        "content_type": arrival.content_type[:255],
        "body_sha256": digest,
        "size": len(arrival.body),
        "correlation_uid": received.correlation,
        "traceparent": traceparent if _TRACEPARENT.fullmatch(traceparent) else None,
    }


def _protector(event_type):
    if event_type.sensitivity != "phi":
        return lambda value: value
    ring = keyring()
    return lambda value: ring.keyed_hash(value, "message")


# -- storing -------------------------------------------------------------------------


def _store(env, endpoint, values, body, phi):
    """Insert the message, or find the one that came before it under the same id.

    :raises Rejected: 409, that one had another body
    """
    while True:
        added = outbox.insert_messages(env.cr, [values])
        if added:
            payload.store(env.cr, [{"message_id": added[0], "body": body, "phi": phi}])
            return Receipt(values["uid"], repeated=False)
        earlier = _find_earlier(env, endpoint, values["external_id"])
        if earlier and earlier["expired"]:
            _forget(env, earlier)
        elif earlier:
            return _repeated(earlier, values)
        # else it was deleted in between: insert again


def _find_earlier(env, endpoint, external_id):
    """Return the message that has the id; ``expired`` if its time is over."""
    window = endpoint.dedupe_days
    expired = (
        SQL("created_at < %s", sql.later(-86400 * window)) if window else SQL("false")
    )
    statement = SQL(
        "SELECT id, uid, external_id, body_sha256, %s AS expired FROM integration_message"
        " WHERE endpoint_id = %s AND external_id = %s AND direction = 'in'"
        " AND replay_of_id IS NULL",
        expired,
        endpoint.id,
        external_id,
    )
    return next(iter(sql.rows_of(env.cr, statement)), None)


def _forget(env, earlier):
    """Free the partner's id of a message whose window is over, unless somebody else did."""
    sql.run(
        env.cr,
        SQL(
            "UPDATE integration_message SET external_id = external_id || ' (' || uid || ')'"
            " WHERE id = %s AND external_id = %s",
            earlier["id"],
            earlier["external_id"],
        ),
    )


def _repeated(earlier, values):
    if earlier["body_sha256"] != values["body_sha256"]:
        raise errors.Rejected(
            "This id was used for a message with another body. Give a new message a new id.",
            code="id_reused",
            status=409,
        )
    return Receipt(earlier["uid"], repeated=True)


# -- what became of it ---------------------------------------------------------------


def status(message):
    """Return what a client may know of its own message; no value of its content."""
    answer = {
        "uid": message.uid,
        "state": message.state,
        "endpoint": message.endpoint_id.code,
        "type": message.event_type_id._cloudevent_type(),
        "external_id": message.external_id,
        "received_at": _seconds(message.created_at),
    }
    if message.finished_at:
        answer["finished_at"] = _seconds(message.finished_at)
    if message.filter_reason:
        answer["reason"] = message.filter_reason
    if message.last_error_code and message.state in ("pending", "dead"):
        answer["error"] = _error(message)
    if message.superseded:
        answer["superseded_by"] = _replay(message).uid
    return answer


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
