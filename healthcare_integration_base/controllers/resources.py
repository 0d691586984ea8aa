# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""System APIs: clients read what they may see of our records."""

import json
from contextlib import contextmanager
from urllib.parse import urlencode

from odoo import http
from odoo.http import Response, request

from .. import runtime
from ..engine import reading
from ..protocol import conditional, cursor, deprecation, selection
from . import parameters
from .dispatcher import route
from .gate import admit
from .messages import superuser
from .problem import PREFIX, Refusal

# Kept by the caller only, and asked for again each time: that is what ETag is for.
CACHE = "private, no-cache"


class ResourceController(http.Controller):
    """``GET …/<resource>``, ``…/<resource>/<number>`` and ``…/<resource>/<number>/<part>``.

    The converter takes names of published resources only, so no other route is shadowed.
    """

    @route(f"{PREFIX}/<integration_resource:name>", "GET")
    def collection(self, name):
        """Return a page of a collection: ``{"items": […], "next": cursor or null}``."""
        with _reader(name) as (env, resource, client, headers):
            values = parameters.given(*parameters.names_of(resource))
            tree = parameters.tree(resource, values)
            window, query = parameters.window(env, resource, client, values)
            page = reading.page(env, resource, client, window)
            following = page.last and cursor.encode(page.last, query)
            if following:
                headers["Link"] = _link(name, values, following)
            items = [selection.pick(tree, item) for item in page.items]
            return answer({"items": items, "next": following}, headers)

    @route(f"{PREFIX}/<integration_resource:name>/<path:number>", "GET")
    def record(self, name, number):
        """Return one record, or a part of it."""
        parameters.check_text("The number", number)
        with _reader(name) as (env, resource, client, headers):
            number, part = _split(resource, number)
            if part:
                return answer(_part(env, resource, client, number, part), headers)
            values = parameters.given("fields", "system", *_filters(resource))
            tree = parameters.tree(resource, values)
            found = _find(env, resource, client, number, values)
            item = reading.read(env, resource, client, found)
            return answer(selection.pick(tree, item), headers)


@contextmanager
def _reader(name):
    """Yield the client's environment, the resource, the client and headers to answer with.

    The transaction sees what is committed at each statement, see ``engine/reading.py``.
    """
    env = superuser()
    resource = env["integration.api"]._resources()[name]
    client = admit(env, resource.scope)
    settings = env["integration.api.resource"]._of(name)
    if settings and not settings.enabled:
        raise Refusal(404, "unknown_resource", "This resource is not offered here.")
    headers = deprecation.headers(settings.deprecated_on, settings.sunset_on)
    with runtime.autonomous(env) as own:
        client = client.with_env(own)
        yield client._acting_env(own), resource, client, headers


def _split(resource, text):
    """Return (number, part or None); numbers may have slashes, as INV/2026/00001 has."""
    number, _slash, last = text.rpartition("/")
    part = resource.part(last) if number else None
    return (number, part) if part else (text, None)


def _filters(resource):
    return [own.name for own in resource.filters]


def _find(env, resource, client, number, values):
    narrowed = parameters.filters(env, resource, values)
    return reading.find(env, resource, client, number, narrowed, values.get("system"))


def _part(env, resource, client, number, part):
    own = [query.name for query in part.queries]
    # a name may be a filter of the resource and a query of the part: then it is the part's
    narrowing = [name for name in _filters(resource) if name not in own]
    values = parameters.given("system", *narrowing, *own)
    queries = parameters.parse_queries(part, values)
    narrow = {name: value for name, value in values.items() if name not in own}
    record = _find(env, resource, client, number, narrow)
    return part.build(record, queries)


def _link(name, values, following):
    query = urlencode({**values, "cursor": following})
    return f'<{PREFIX}/{name}?{query}>; rel="next"'


def answer(content, headers=None, content_type="application/json"):
    """Return the content with its ETag, or 304 to a caller who has it."""
    body = json.dumps(content, ensure_ascii=False).encode()
    tag = conditional.entity_tag(body)
    headers = {**(headers or {}), "ETag": tag, "Cache-Control": CACHE}
    if conditional.is_known(request.httprequest.headers.get("If-None-Match"), tag):
        return Response(status=304, headers=headers)
    return Response(body, status=200, headers=headers, content_type=content_type)
