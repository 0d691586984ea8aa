# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""The query of a request: each parameter is known, given once and can be what it says."""

from datetime import datetime

from odoo.fields import Domain
from odoo.http import request

from ..engine import reading
from ..engine.openapi_resources import (
    DEFAULT_LIMIT,
    MAX_IDS,
    MAX_LIMIT,
    MAX_VALUE,
    PAGE,
    TRUTH,
)
from ..engine.resource import BadParameter, Resource
from ..protocol import cursor, instants, selection

MAX_PARAMETERS = 30


def names_of(resource: Resource):
    """Return the names of all parameters of a collection."""
    return [name for name, _text, _schema in PAGE] + [
        own.name for own in resource.filters
    ]


def given(*names):
    """Return the query's parameters as a dict.

    :param names: those the address knows
    :raises BadParameter: unknown, given twice, too long, or no text for a database
    """
    found = request.httprequest.args
    if len(found) > MAX_PARAMETERS:
        raise BadParameter("There are too many parameters.")
    for name, values in found.lists():
        if name not in names:
            raise BadParameter(
                f"This address has no parameter {name}."
                if name.isascii() and name.isidentifier() and len(name) <= 64
                else "This address has no parameter of one of these names.",
                code="unknown_parameter",
            )
        if len(values) > 1:
            raise BadParameter(f"Parameter {name} is given more than once.")
        check_text(name, values[0])
    return {name: values[0] for name, values in found.lists()}


def check_text(name, value):
    """Refuse a text that no database takes, or nobody means."""
    if len(value) > MAX_VALUE:
        raise BadParameter(f"{name} may have at most {MAX_VALUE} characters.")
    if "\0" in value:
        raise BadParameter(f"{name} has a NUL character.")


def window(env, resource: Resource, client, values):
    """Return which records the caller of a collection wants, and the cursor's query."""
    query = _query(resource, values)
    after = cursor.decode(values["cursor"], query) if "cursor" in values else None
    wanted = reading.Window(
        domain=_domain(env, resource, client, values),
        limit=_limit(values.get("limit")),
        since=_instant(values.get("updated_since")),
        after=after,
    )
    return wanted, query


def tree(resource: Resource, values):
    """Return the tree of wanted fields, checked; empty for all."""
    if "fields" not in values:
        return {}
    wanted = selection.parse(values["fields"])
    selection.check(wanted, resource.item_schema())
    return wanted


def filters(env, resource: Resource, values):
    """Return the domain of the resource's own filters."""
    return Domain.AND(
        _filter(env, own, values[own.name])
        for own in resource.filters
        if own.name in values
    )


def _filter(env, own, value):
    if "enum" in own.schema and value not in own.schema["enum"]:
        raise BadParameter(f"{own.name} is one of {', '.join(own.schema['enum'])}.")
    return own.domain(env, value)


def _query(resource, values):
    """Return what a cursor counts for: all but where the page begins and how it looks."""
    named = sorted(
        (name, value)
        for name, value in values.items()
        if name not in ("cursor", "limit", "fields")
    )
    return repr((resource.name, named))


def _domain(env, resource, client, values):
    domain = filters(env, resource, values)
    if "active" in values:
        domain &= _active(env, resource, values["active"])
    if "ids" in values:
        domain &= Domain("id", "in", _ids(values["ids"]))
    if "identifier" in values:
        kind, colon, value = values["identifier"].partition(":")
        if not colon:
            raise BadParameter(
                "identifier is <kind>:<value>, for example gln:4012345000009."
            )
        domain &= reading.identified(
            env, resource, client, kind, value, values.get("system")
        )
    return domain


def _active(env, resource, value):
    if value not in TRUTH:
        raise BadParameter("active is true or false.")
    if "active" not in env[resource.model]._fields:
        return Domain.TRUE if value == "true" else Domain.FALSE
    return Domain("active", "=", value == "true")


def _ids(text):
    ids = [reading.record_id(part.strip()) for part in text.split(",")]
    if not all(ids) or len(ids) > MAX_IDS:
        raise BadParameter(f"ids are at most {MAX_IDS} numbers joined by commas.")
    return ids


def _limit(text):
    if text is None:
        return DEFAULT_LIMIT
    limit = int(text) if text.isascii() and text.isdigit() and len(text) <= 4 else 0
    if not 1 <= limit <= MAX_LIMIT:
        raise BadParameter(f"limit is a number from 1 to {MAX_LIMIT}.")
    return limit


def _instant(text) -> datetime | None:
    if text is None:
        return None
    try:
        return instants.parse_instant(text)
    except ValueError:
        raise BadParameter(
            "updated_since is an RFC 3339 instant with zone, for example 2026-11-20T10:00:00Z"
            " (in an address a plus sign is written %2B)."
        ) from None


def parse_queries(part, values):
    """Return the values of a part's own queries, each parsed."""
    return {
        own.name: _parsed(own, values[own.name])
        for own in part.queries
        if own.name in values
    }


def _parsed(own, text):
    try:
        return own.parse(text)
    except ValueError:
        raise BadParameter(
            f"{own.name} cannot be read; right is for example {own.example}."
        ) from None
