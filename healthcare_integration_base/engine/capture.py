# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""From a business method to rows of the outbox, in the business transaction.

Emissions wait in memory until the transaction is flushed (at its end, or when a
savepoint opens) and are then written in bulk: a constant number of statements,
however many records. A database key merges repeated emissions of one record.
Nothing that goes wrong in here aborts the user's work.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from weakref import WeakKeyDictionary

import psycopg2

from odoo import SUPERUSER_ID, api

from .. import runtime
from ..protocol import envelope, ids
from ..protocol.errors import IntegrationError
from . import describe, outbox, payload
from .safe import where

_logger = logging.getLogger(__name__)

KEY = "healthcare_integration.emissions"
_incoming: WeakKeyDictionary[Any, Incoming] = WeakKeyDictionary()


@dataclass(frozen=True)
class Subscriber:
    """What capture needs to know of a subscription.

    :param companies: whose events it gets, None for all
    :param domain: domain on the record
    """

    id: int
    endpoint_id: int
    lane: str | None
    system_id: int
    companies: frozenset[int] | None
    domain: tuple[Any, ...]
    priority: str
    ordered: bool


@dataclass(frozen=True)
class Plan:
    """What happens when an event of a type is emitted."""

    type_id: int
    version: int
    phi: bool
    subscribers: tuple[Subscriber, ...]


@dataclass
class Emission:
    """One event to be written, and what its record says about it."""

    code: str
    res_model: str
    res_id: int
    user_id: int | None
    origin: int | None
    correlation: str | None
    causation: str | None
    traceparent: str | None
    company_id: int | None = None
    res_name: str | None = None
    ordering_key: str | None = None
    data: Any = None
    error: str | None = None
    matches: set[int] = field(default_factory=set)
    unjudged: set[int] = field(default_factory=set)
    judged: bool = False
    by_table: bool = False
    built: bool = False
    refused: str | None = None


def wanted(env, codes: Iterable[str]) -> bool:
    """Tell whether anybody wants one of these events, and nobody silences them."""
    if env.context.get("integration_no_event"):
        return False
    return any(plans_of(env, code) for code in codes)


def publish(
    records, code: str, at_once: bool = False, refused: str | None = None
) -> None:
    """Emit an event for records of any model, described by the type's field table.

    Same outbox, same coalescing, same guarantees as an emission by code.

    :param at_once: describe them now, since they will be gone when the transaction is flushed
    :param refused: code of the reason why they are not described
    """
    records = records.filtered(lambda record: isinstance(record.id, int))
    if not (records and wanted(records.env, [code])):
        return
    emit(records, code, by_table=True)
    buffer = records.env.cr.precommit.data[KEY]
    group = [buffer[code, records._name, res_id] for res_id in records.ids]
    for emission in group:
        emission.refused = refused
    if at_once:
        env = _own_env(records.env.cr)
        env.flush_all()
        for emission in _build_all(env, group):
            emission.built = True


def _own_env(cr):
    return api.Environment(cr, SUPERUSER_ID, {"lang": "en_US", "tz": "UTC"})


@dataclass(frozen=True)
class Incoming:
    """The message a whole transaction applies.

    :param origin: id of the system it came from
    :param uid: of the message
    """

    origin: int
    uid: str


def comes_from(cr, incoming: Incoming) -> None:
    """Say that all a transaction does follows from a message.

    The context of the acting user says so, too, but what is computed late is computed in
    the environment of the flush, which has none.
    """
    _incoming[cr] = incoming


def emit(records, code: str, by_table: bool = False) -> None:
    """Remember that something happened to records; written at the next flush."""
    cr, context = records.env.cr, records.env.context
    incoming = _incoming.get(cr)
    buffer = cr.precommit.data.setdefault(KEY, {})
    if not buffer:
        cr.precommit.add(partial(flush, cr))
    origin = context.get("integration_origin") or (incoming and incoming.origin)
    for res_id in records.ids:
        key = (code, records._name, res_id)
        known = buffer.get(key)
        if known and not origin:
            known.origin = (
                None  # also changed by somebody else: its system must hear of it
            )
        if known:
            known.built = False  # it has changed since
            known.by_table = known.by_table and by_table
            continue
        buffer[key] = Emission(
            code,
            records._name,
            res_id,
            records.env.uid,
            origin or None,
            context.get("integration_correlation") or None,
            context.get("integration_causation") or (incoming and incoming.uid),
            context.get("integration_traceparent") or None,
            by_table=by_table,
        )


def flush(cr) -> None:
    """Write what was emitted; never raises but for what the transaction must repeat."""
    emissions = list(cr.precommit.data.pop(KEY, {}).values())
    if not emissions:
        return
    env = _own_env(cr)
    done = [e for e in emissions if e.built]
    emissions = done + _build_all(env, [e for e in emissions if not e.built])
    if emissions:
        lanes = outbox.write(env, emissions, partial(plans_of, env))
        env["integration.drain"]._wake(lanes)


def plans_of(env, code: str) -> tuple[Plan, ...]:
    """Return what is to be done with events of a code; cached, no query."""
    return env["integration.subscription"]._capture_plans(code)


# -- payloads ----------------------------------------------------------------------


def _build_all(env, emissions: Sequence[Emission]) -> list[Emission]:
    """Fill the emissions; if the batch fails, find the records that are to blame."""
    groups: dict[tuple[str, str], list[Emission]] = {}
    for emission in emissions:
        groups.setdefault((emission.res_model, emission.code), []).append(emission)
    if _attempt(env, lambda: _build_groups(env, groups)):
        return [e for e in emissions if e.res_id]
    for (model, code), group in groups.items():
        if _attempt(env, partial(_build_groups, env, {(model, code): group})):
            continue
        for emission in group:
            _build_alone(env, emission)
    return [e for e in emissions if e.res_id]


def _build_alone(env, emission: Emission) -> None:
    group = {(emission.res_model, emission.code): [emission]}
    if not _attempt(env, partial(_build_groups, env, group)):
        emission.data, emission.error = None, "payload_failed"


def _attempt(env, build) -> bool:
    """Run under a savepoint that flushes nothing; False if it failed."""
    try:
        with env.cr.savepoint(flush=False):
            build()
        return True
    except psycopg2.OperationalError:
        raise  # serialization failure: the whole transaction is repeated
    except Exception as exc:  # a connector's bug must not abort the user's work
        _logger.error("The payload of an event cannot be built: %s", where(exc))
        return False


def _build_groups(env, groups) -> None:
    existing: dict[str, set[int]] = {}
    for model in {model for model, _code in groups}:
        wanted = {
            e.res_id for (m, _c), group in groups.items() if m == model for e in group
        }
        existing[model] = set(env[model].browse(wanted).exists()._ids)
    for (model, code), group in groups.items():
        for emission in group:
            if emission.res_id not in existing[model]:
                emission.res_id = 0  # undone by a savepoint that clears nothing
        _build_group(env, model, code, [e for e in group if e.res_id])
    env.flush_all()


def _build_group(env, model: str, code: str, group: Sequence[Emission]) -> None:
    records = env[model].browse([e.res_id for e in group])
    companies = describe.companies(records, code)
    by_company: dict[Any, list[Emission]] = {}
    for emission in group:
        emission.company_id = companies.get(emission.res_id) or None
        by_company.setdefault(emission.company_id, []).append(emission)
    for company_id, part in by_company.items():
        _build_company(_in_company(env, company_id), model, code, part)


def _in_company(env, company_id):
    context = {**env.context, "allowed_company_ids": [company_id] if company_id else []}
    return env(context=context)


def _build_company(env, model: str, code: str, group: Sequence[Emission]) -> None:
    records = env[model].browse([e.res_id for e in group])
    plans = plans_of(env, code)
    phi = any(plan.phi for plan in plans)
    # first, so that who wants an event is known even where its payload fails
    wanted_by, unjudged = matches(records, plans)
    for emission in group:
        emission.matches = wanted_by.get(emission.res_id, set())
        emission.unjudged, emission.judged = unjudged, True
    refused = {e.res_id for e in group if e.refused}
    data = _described(records.filtered(lambda r: r.id not in refused), code, group)
    keys = describe.ordering_keys(records, code)
    correlations = describe.correlations(records, code)
    for emission, record in zip(group, records, strict=True):
        emission.data = data.get(record.id)
        emission.error = "filter_failed" if unjudged else None
        if emission.data is None:
            emission.error = emission.refused or "payload_missing"
        emission.ordering_key = keys.get(record.id) or None
        emission.correlation = (
            emission.correlation or correlations.get(record.id) or None
        )
        # the number of a document is fine in lists, the name of a patient is not
        emission.res_name = None if phi else _name_of(record)


def _described(records, code: str, group: Sequence[Emission]) -> dict[int, Any]:
    """Return the data of a group: by the model's own code where that emitted, too."""
    tabled = {e.res_id for e in group if e.by_table}
    if not records:
        return {}
    if not tabled:
        return describe.payloads(records, code)
    by_table = records.filtered(lambda record: record.id in tabled)
    data = dict(describe.payloads(by_table, code, by_table=True))
    own = records - by_table
    return {**data, **(describe.payloads(own, code) if own else {})}


def _name_of(record) -> str | None:
    name = record._rec_name and record[record._rec_name]
    return name if isinstance(name, str) else None


def matches(records, plans: Iterable[Plan]) -> tuple[dict[int, set[int]], set[int]]:
    """Return which subscriptions want which records, and whose filter cannot be judged.

    Each filter is judged once; one that fails is nobody else's trouble. Its own
    subscriber gets a message that is judged again before it is sent, so that a
    broken filter becomes a case and not a silence.
    """
    found: dict[int, set[int]] = {}
    unjudged: set[int] = set()
    kept: dict[str, Sequence[int] | None] = {}
    for subscriber in (s for plan in plans for s in plan.subscribers):
        text = repr(subscriber.domain)
        if text not in kept:
            kept[text] = judge(records, subscriber)
        if kept[text] is None:
            unjudged.add(subscriber.id)
        for res_id in kept[text] or ():
            found.setdefault(res_id, set()).add(subscriber.id)
    return found, unjudged


def judge(records, subscriber: Subscriber) -> Sequence[int] | None:
    """Return the ids of the records a filter lets through, None if it fails on them."""
    if not subscriber.domain:
        return records._ids
    try:
        return records.filtered_domain(list(subscriber.domain))._ids
    except psycopg2.Error:
        raise
    except Exception as exc:
        _logger.error(
            "The filter of subscription %s fails: %s", subscriber.id, where(exc)
        )
        return None


def event_row(emission: Emission, plan: Plan, traceparent: str) -> dict[str, Any]:
    """Return the columns of an event; data of phi are encrypted."""
    row = {
        "uid": ids.uuid7(),
        "type_id": plan.type_id,
        "version": plan.version,
        "res_model": emission.res_model,
        "res_id": emission.res_id,
        "res_name": emission.res_name,
        "company_id": emission.company_id,
        "user_id": emission.user_id,
        "ordering_key": emission.ordering_key,
        "data": None,
        "error": emission.error,
        "causation_uid": emission.causation,
        "traceparent": emission.traceparent or traceparent,
        "origin_system_id": emission.origin,
    }
    row["correlation_uid"] = emission.correlation or row["uid"]
    try:
        _add_data(row, emission, plan)
    except IntegrationError as exc:
        row["data"], row["error"] = None, exc.code
        row["ordering_key"] = None if plan.phi else row["ordering_key"]
    return row


def _add_data(row: dict[str, Any], emission: Emission, plan: Plan) -> None:
    if emission.data is not None:
        row["data"] = envelope.dumps(emission.data).decode()
    if not plan.phi:
        return
    if row["ordering_key"]:
        row["ordering_key"] = runtime.keyring().keyed_hash(
            row["ordering_key"], "ordering"
        )
    if row["data"] is not None:
        aad = payload.event_aad(plan.type_id, emission.res_model, emission.res_id)
        row["data"] = payload.seal_text(row["data"], aad)


def new_traceparent() -> str:
    """Return a W3C trace context: the root of what follows from this transaction."""
    return f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-01"
