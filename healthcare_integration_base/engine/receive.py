# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""The inbox: read what a partner hands in, and store it, once, before it is acknowledged.

The rows are written in a READ COMMITTED transaction of their own: in the request's
REPEATABLE READ one, the second of two simultaneous deliveries would fail on the
row it cannot see yet, and be repeated after a random sleep.
"""

import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import psycopg2

from .. import codecs
from ..protocol import errors, ids, paths, routing
from ..runtime import autocommitted, autonomous, keyring
from . import inbox, wake
from .inlet import Inlet, TypeRef

_TRACEPARENT = re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")
MAX_KEY = 255
Permit = Callable[[TypeRef], None]


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


def accept(env, endpoint, client, arrival, permit: Permit | None = None) -> Receipt:
    """Store a message once and have it applied later.

    :param env: superuser's environment of the request
    :param endpoint: record or Inlet
    :param permit: called with the type of the message; raises if the client may not send it
    :return: Receipt; that of the first delivery if this one repeats it
    :raises CodecError: 400/415, the body cannot be read
    :raises Permanent: 400, the event type is unknown, or no route takes it
    :raises Rejected: 409, the id was used for another body
    """
    inlet = endpoint if isinstance(endpoint, Inlet) else inlet_of(endpoint)
    entry = read(env, inlet, client.id, arrival, permit)
    result = keep(env, [entry])[0]
    if isinstance(result, Exception):
        raise result
    return result


def inlet_of(endpoint) -> Inlet:
    """Return what reception knows of an endpoint. :raises Permanent: it is not in use"""
    inlet = endpoint.sudo()._inlet(endpoint.sudo().code)
    if inlet is None:
        raise errors.Permanent("The endpoint is not in use", code="unknown_endpoint")
    return inlet


# -- reading -------------------------------------------------------------------------


def read(
    env, inlet: Inlet, client_id: int, arrival: Arrival, permit: Permit | None = None
) -> inbox.Entry:
    """Return what is to be stored of one delivery.

    :raises CodecError: 400/415, the body cannot be read
    :raises Permanent: 400, the event type is unknown, or no route takes it
    """
    codec = codecs.get(inlet.codec)
    mimetype, charset = codecs.parse_content_type(arrival.content_type)
    if not codec.accepts(mimetype):
        raise codecs.CodecError(
            f"This endpoint takes {' or '.join(codec.content_types)}.",
            code="unsupported_media_type",
            status=415,
        )
    received = codec.parse(arrival.body, mimetype, charset)
    return entry_of(env, inlet, client_id, arrival, received, mimetype, permit)


def entry_of(
    env,
    inlet: Inlet,
    client_id: int,
    arrival: Arrival,
    received: codecs.Received,
    mimetype: str,
    permit: Permit | None = None,
) -> inbox.Entry:
    """Return what is to be stored of a delivery that has been read.

    :raises Permanent: 400, the event type is unknown, or no route takes it
    """
    rule, kind = decide(env, inlet, received, mimetype)
    if permit and kind:
        permit(kind)
    phi = kind.phi if kind else inlet.may_be_phi
    return inbox.Entry(
        values=_values(inlet, client_id, kind, rule, phi, arrival, received),
        body=arrival.body,
        phi=phi,
        lane=inlet.lane,
        window=inlet.dedupe_days,
    )


def decide(
    env, inlet: Inlet, received: codecs.Received, mimetype: str
) -> tuple[routing.Rule | None, TypeRef | None]:
    """Return the route of a message and its type: the route's, the named one, the endpoint's.

    :return: (None, None) when the job has to decide: it evaluates expressions, or makes a case
    :raises Permanent: 400, there is no such type, or no route takes it
    """
    certain = True
    if inlet.rules:
        document = routing.Document(received.data, received.meta(), mimetype)
        rule, certain = routing.choose(inlet.rules, document)
        if rule:
            return rule, inlet.types[rule.type_id]
    kind = _named_or_default(env, inlet, received) if certain else None
    if kind and kind.incoming:
        return None, kind
    if certain and (inlet.refuses or not inlet.rules):
        raise _no_type(inlet, received)
    return None, None


def _named_or_default(env, inlet: Inlet, received: codecs.Received) -> TypeRef | None:
    if received.type is None:
        return inlet.type
    return env["integration.event.type"]._named(received.type)


def _no_type(inlet: Inlet, received: codecs.Received) -> errors.Permanent:
    if inlet.rules:
        return errors.Permanent(
            "None of the routes that were agreed for this endpoint takes the message.",
            code="unroutable",
        )
    return errors.Permanent(
        "The type of the message is none that is taken here; see the list of event types.",
        code="unknown_event_type" if received.type else "missing_event_type",
    )


def _values(inlet, client_id, kind, rule, phi, arrival, received):
    """Return the columns of the message; what identifies phi is hashed under a key."""
    digest = _protected(hashlib.sha256(arrival.body).hexdigest(), phi)
    given = arrival.message_id or received.external_id
    ordering_key = ordering_key_of(inlet, received) if inlet.ordered else None
    traceparent = received.traceparent or arrival.traceparent or ""
    return {
        "uid": ids.uuid7(),
        "endpoint_id": inlet.id,
        "client_id": client_id,
        "event_type_id": kind.id if kind else None,
        "route_id": rule.id if rule else None,
        "company_id": inlet.companies.get(client_id),
        "ordering_key": _protected(ordering_key, phi) if ordering_key else None,
        "external_id": given or f"sha256:{digest}",
        "content_type": arrival.content_type[:255],
        "body_sha256": digest,
        "size": len(arrival.body),
        "correlation_uid": received.correlation,
        "traceparent": traceparent if _TRACEPARENT.fullmatch(traceparent) else None,
    }


def ordering_key_of(inlet: Inlet, received: codecs.Received) -> str | None:
    """Return what orders the message: the value at the endpoint's path, else what it says."""
    if inlet.ordering_path:
        found = inlet.ordering_path.find(received.data, received.meta())
        key = paths.as_text(found)
        if key:
            return key if len(key) <= MAX_KEY else _digest(key)
    return received.ordering_key


def _digest(key: str) -> str:
    return f"sha256:{hashlib.sha256(key.encode()).hexdigest()}"


def _protected(value: str, phi: bool) -> str:
    return keyring().keyed_hash(value, "message") if phi else value


# -- storing -------------------------------------------------------------------------


def keep(
    env, entries: Sequence[inbox.Entry], wake_up: bool = True
) -> list[Receipt | errors.IntegrationError]:
    """Store messages in one transaction, commit, and have their lanes drained.

    :param wake_up: False if the caller applies them itself
    :return: for each a receipt, or the error of one whose id was used for another body
    :raises Configuration: keyring_missing, when phi has to be encrypted
    """
    if not entries:
        return []
    # a single statement is a transaction of its own, without BEGIN and COMMIT around it
    alone = len(entries) == 1 and not entries[0].phi
    results = _keep_one(env, entries) if alone else _keep_together(env, entries)
    # for repeated ones as well: a crash may have swallowed the first wake-up
    if wake_up:
        wake.ring(env, {entry.lane for entry in entries})
    return results


def _keep_one(env, entries):
    try:
        with autocommitted(env) as cr:
            return _keep_all(cr, entries)
    except (psycopg2.OperationalError, psycopg2.InterfaceError):
        # The database was restarted since the connection was used last. If the message
        # has been stored all the same, it is found as repeated.
        return _keep_together(env, entries)


def _keep_together(env, entries):
    with autonomous(env) as own:
        return _keep_all(own.cr, entries)


def _keep_all(cr, entries):
    results: dict[str, Receipt | errors.IntegrationError] = {}
    left = list(entries)
    while left:
        added = inbox.insert(cr, left)
        results.update((uid, Receipt(uid, repeated=False)) for uid in added)
        left = [entry for entry in left if entry.uid not in added]
        left = _settle_repeated(cr, left, results) if left else []
    return [results[entry.uid] for entry in entries]


def _settle_repeated(cr, entries, results):
    """Find the earlier messages of these ids; return the entries to be inserted again."""
    earlier = inbox.find_earlier(cr, {entry.key for entry in entries})
    again = []
    for entry in entries:
        found = earlier.get(entry.key)
        if found and not (entry.window and found["age"] > entry.window):
            results[entry.uid] = _repeated(found, entry)
            continue
        if found:
            inbox.forget(cr, found)
        again.append(entry)  # or it was deleted in between
    return again


def _repeated(earlier, entry):
    if earlier["body_sha256"] != entry.values["body_sha256"]:
        return errors.Rejected(
            "This id was used for a message with another body. Give a new message a new id.",
            code="id_reused",
            status=409,
        )
    return Receipt(earlier["uid"], repeated=True)
