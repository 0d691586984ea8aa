# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Read resources for a client: pages in the order of change, and single records.

**Nothing is lost between two pages or two visits.** Records are sorted by the moment of
their last change. That moment is when the transaction *began* which changed them; one
that began at 10:00 and commits at 10:05 brings to light records of 10:00. A caller who
has read up to 10:04 would never see them. Therefore a page ends before the oldest
transaction that is still running (:func:`horizon`). It takes a transaction that reads
what is committed at each statement: in a snapshot, a transaction that ended after the
snapshot was taken would neither be running nor visible.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from odoo.exceptions import MissingError
from odoo.fields import Domain
from odoo.tools import SQL

from ..protocol.cursor import MAX_ID, Position
from ..protocol.errors import Permanent, Retryable
from ..protocol.instants import format_instant
from .resource import Resource

# A transaction is announced a moment after it began.
LAG = timedelta(seconds=1)
ID = "id:"
IDENTIFIER = "identifier:"

# pg_dump only reads, for hours; everybody else might still write.
_HORIZON = """
    SELECT LEAST(
        clock_timestamp() AT TIME ZONE 'UTC' - %s,
        MIN(xact_start) AT TIME ZONE 'UTC'
    )
    FROM pg_stat_activity
    WHERE datname = current_database()
      AND pid <> pg_backend_pid()
      AND backend_type = 'client backend'
      AND application_name NOT LIKE 'pg_dump%%'
"""


class NotFound(Permanent):
    """There is no such record, or none that the client may see."""

    default_code = "unknown_record"
    default_status = 404
    title = "Request refused"


class Ambiguous(Permanent):
    """Several records fit; the caller has to name one of them."""

    default_code = "ambiguous_number"
    default_status = 409
    title = "Request refused"


class NotForPartners(Permanent):
    """The client is bound to its partner's documents, and these are nobody's."""

    default_code = "forbidden"
    default_status = 403
    title = "Request refused"


@dataclass(frozen=True)
class Window:
    """Which records of a resource are wanted.

    :param domain: the filters
    :param since: naive UTC; changed at that moment or later
    :param after: the position where the page before ended
    """

    domain: Domain
    limit: int
    since: datetime | None = None
    after: Position | None = None


@dataclass(frozen=True)
class Page:
    """Items of a collection; ``last`` is where the next page begins, None at the end."""

    items: list[dict[str, Any]]
    last: Position | None


def horizon(cr) -> datetime:
    """Return the moment before which every change is committed and visible.

    :param cr: cursor of a READ COMMITTED transaction
    """
    cr.execute(_HORIZON, (LAG,))
    return cr.fetchone()[0]


def allowed(env, resource: Resource, client) -> Domain:
    """Return which records of a resource a client may see, apart from its user's rights.

    :param env: the client's acting environment
    :raises NotForPartners: none, because it is bound to its partner
    """
    domain = resource.domain(env)
    if resource.of_company:
        companies = [*env.context["allowed_company_ids"], False]
        domain &= Domain(resource.of_company, "in", companies)
    if client.record_scope != "partner":
        return domain
    partner = client.system_id.partner_id.commercial_partner_id
    if not (partner and resource.of_partner):
        raise NotForPartners(
            f"The client sees only documents of its partner; {resource.name} are none."
        )
    return domain & resource.of_partner(partner.with_env(env))


def page(env, resource: Resource, client, window: Window) -> Page:
    """Return one page of a collection.

    :param env: the client's acting environment, of a READ COMMITTED transaction
    """
    until = horizon(env.cr)
    rows = _rows(
        env, resource, allowed(env, resource, client) & window.domain, window, until
    )
    wanted = rows[: window.limit]
    last = Position(wanted[-1][1], wanted[-1][0]) if len(rows) > len(wanted) else None
    return Page(_items(env, resource, client, wanted), last)


def _rows(env, resource, domain, window, until) -> list[tuple[int, datetime]]:
    """Return (id, moment) of one record more than the page holds."""
    Model = env[resource.model].with_context(active_test=False)
    query = Model._search(domain, order="id")
    moment, key = resource.moment(query.table), SQL.identifier(query.table, "id")
    query.add_where(SQL("%s < %s", moment, until))
    if window.since:
        query.add_where(SQL("%s >= %s", moment, window.since))
    if window.after:
        position = SQL("(%s, %s)", window.after.moment, window.after.id)
        query.add_where(SQL("(%s, %s) > %s", moment, key, position))
    query.order, query.limit = SQL("%s, %s", moment, key), window.limit + 1
    env.flush_all()
    return env.execute_query(query.select(key, moment))


def _items(env, resource, client, rows) -> list[dict[str, Any]]:
    records = env[resource.model].with_context(active_test=False)
    records = records.browse(record_id for record_id, _moment in rows)
    try:
        records.check_access("read")
        documents = resource.build(records)
        return [
            _item(resource, client, record, documents[record.id], moment)
            for record, (_id, moment) in zip(records, rows, strict=True)
        ]
    except MissingError:
        raise Retryable(
            "A record was deleted while it was read; please repeat."
        ) from None


def _item(resource, client, record, document, moment) -> dict[str, Any]:
    if client.record_scope == "partner":
        document = _without_others(document, client.system_id.code)
    return {
        "id": str(record.id),
        "number": resource.number and record[resource.number] or None,
        "active": bool(record.active) if "active" in record._fields else True,
        "updated_at": format_instant(moment),
        **document,
    }


def _without_others(document: Any, system: str) -> Any:
    """Leave out what other systems call a thing: a partner sees its own names only."""
    if isinstance(document, list):
        return [_without_others(value, system) for value in document]
    if not isinstance(document, dict):
        return document
    result = {}
    for name, value in document.items():
        if name == "identifiers":
            value = [row for row in value if row.get("system") == system]
            if not value:
                continue
        result[name] = _without_others(value, system)
    return result


# -- one record -----------------------------------------------------------------------


def find(env, resource: Resource, client, text: str, domain=Domain.TRUE, system=None):
    """Return the one record that a caller names.

    :param text: its number; ``id:<our id>``; or ``identifier:<kind>:<value>``
    :param domain: further filters, to tell records of the same number apart
    :param system: code of the system whose identifier it is
    :raises NotFound: there is none for this client
    :raises Ambiguous: there are several
    """
    wanted = (
        allowed(env, resource, client)
        & domain
        & named(env, resource, client, text, system)
    )
    Model = env[resource.model].with_context(active_test=False)
    found = Model.search(wanted, limit=2)
    if len(found) > 1:
        raise Ambiguous(
            "Several records have this number; ask for one by id:<id>, or narrow by a filter."
        )
    if not found:
        raise NotFound("There is no such record for this client.")
    return found


def read(env, resource: Resource, client, record) -> dict[str, Any]:
    """Return the item of one record."""
    query = record.with_context(active_test=False)._search(Domain("id", "=", record.id))
    env.flush_all()
    rows = env.execute_query(
        query.select(SQL.identifier(query.table, "id"), resource.moment(query.table))
    )
    items = _items(env, resource, client, rows)
    if not items:
        raise NotFound("There is no such record for this client.")
    return items[0]


def named(env, resource: Resource, client, text: str, system=None) -> Domain:
    """Return the domain of the records that a name fits."""
    if text.startswith(ID):
        return Domain("id", "=", record_id(text.removeprefix(ID)))
    if text.startswith(IDENTIFIER):
        kind, _colon, value = text.removeprefix(IDENTIFIER).partition(":")
        return identified(env, resource, client, kind, value, system)
    if not resource.number:
        raise NotFound(f"{resource.title} have no number; ask by id:<id>.")
    return Domain(resource.number, "=", text)


def record_id(text: str) -> int:
    """Return the id a text stands for, or 0, which no record has."""
    if not (text.isascii() and text.isdigit() and len(text) <= 10):
        return 0
    return int(text) if int(text) <= MAX_ID else 0


def identified(env, resource: Resource, client, kind, value, system=None) -> Domain:
    """Return the domain of the records that an external system calls so.

    A client bound to its partner may use its own system's identifiers only; the others
    may name the system, or leave it open.
    """
    domain = Domain(
        [("res_model", "=", resource.model), ("kind", "=", kind), ("value", "=", value)]
    ) & Domain("company_id", "in", [*env.context["allowed_company_ids"], False])
    if client.record_scope == "partner":
        domain &= Domain("system_id", "=", client.system_id.id)
    if system:
        domain &= Domain("system_id.code", "=", system)
    return Domain(
        "id", "in", env["integration.identifier"].sudo().search(domain).mapped("res_id")
    )
