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
from ..protocol import errors, ids
from ..runtime import autonomous, keyring
from . import sql

_TRACEPARENT = re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")


@dataclass(frozen=True)
class Arrival:
    """One delivery, as it came in from an authenticated client.

    :param message_id: the id a header gave, if any
    """

    body: bytes
    mimetype: str
    content_type: str | None = None
    charset: str | None = None
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
        return _store(own, endpoint, values, arrival.body, event_type.sensitivity == "phi")


def _read(endpoint, arrival):
    codec = codecs.get(endpoint.codec)
    if not codec.accepts(arrival.mimetype):
        raise codecs.CodecError(
            f"This endpoint takes {' or '.join(codec.content_types)}.",
            code="unsupported_media_type",
            status=415,
        )
    return codec.read(arrival.body, arrival.mimetype, arrival.charset)


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
        "state": "pending",
        "priority": "1",
        "ordering_key": protect(received.ordering_key) if ordered else None,
        "external_id": given or f"sha256:{digest}",
        "content_type": (arrival.content_type or arrival.mimetype)[:255],
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
        message_id = _insert(env, values)
        if message_id:
            _complete(env, endpoint, message_id, values, body, phi)
            return Receipt(values["uid"], repeated=False)
        earlier = _find_earlier(env, endpoint, values["external_id"])
        if earlier and earlier["expired"]:
            _forget(env, earlier)
        elif earlier:
            return _repeated(earlier, values)
        # else it was deleted in between: insert again


def _insert(env, values):
    """Return the id of the new message, None if the partner's id is taken."""
    statement = SQL(
        "INSERT INTO integration_message (%s, attempt_count, superseded, created_at)"
        " VALUES (%s, 0, false, %s) ON CONFLICT DO NOTHING RETURNING id",
        sql.names(values),
        SQL(", ").join(SQL("%s", value) for value in values.values()),
        sql.NOW,
    )
    rows = sql.rows_of(env.cr, statement)
    return rows[0]["id"] if rows else None


def _find_earlier(env, endpoint, external_id):
    """Lock and return the message that has the id; ``expired`` if its time is over."""
    window = endpoint.dedupe_days
    expired = SQL("created_at < %s", sql.later(-86400 * window)) if window else SQL("false")
    statement = SQL(
        "SELECT id, uid, body_sha256, %s AS expired FROM integration_message"
        " WHERE endpoint_id = %s AND external_id = %s AND direction = 'in'"
        " AND replay_of_id IS NULL FOR NO KEY UPDATE",
        expired,
        endpoint.id,
        external_id,
    )
    return next(iter(sql.rows_of(env.cr, statement)), None)


def _forget(env, earlier):
    """Free the partner's id of a message whose window is over."""
    sql.run(
        env.cr,
        SQL(
            "UPDATE integration_message SET external_id = external_id || ' (' || uid || ')'"
            " WHERE id = %s",
            earlier["id"],
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


def _complete(env, endpoint, message_id, values, body, phi):
    """Store the bytes, queue the message, wake its lane."""
    raise NotImplementedError
