# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Partners behind a firewall fetch their messages, and say what came of them."""

from odoo import http
from odoo.http import request

from ..codecs import json_codec
from ..codecs.base import parse_content_type
from ..engine import feed, feed_results
from ..engine.feed_queue import Wanted
from ..engine.resource import BadParameter
from ..protocol import feed as rules
from ..protocol import schema
from ..protocol.errors import Rejected
from ..runtime import database_environment
from . import feed_operations, parameters
from .dispatcher import route
from .gate import admit, check_event_type
from .intake import answer_json, superuser
from .problem import PREFIX, Refusal

SCOPE = "feeds:read"
FEED = f"{PREFIX}/feeds/<string:code>"
MAX_BODY = 1024 * 1024
OPEN = ("test", "shadow", "active", "paused")
# States in which nothing is handed out, though the feed is there.
HELD = {"paused": "paused", "shadow": "shadow"}


class FeedController(http.Controller):
    """``GET …/feeds/<endpoint code>`` and ``POST …/feeds/<endpoint code>/acknowledgements``."""

    @route(FEED, "GET", operation=feed_operations.FETCH)
    def fetch(self, code):
        """Lease messages to the caller."""
        env = superuser()
        endpoint, client = _enter(env, code)
        values = parameters.given("limit", "lease", "cursor", "types")
        after = _cursor(values["cursor"]) if "cursor" in values else None
        wanted = Wanted(
            endpoint_id=endpoint.id,
            client_id=client.id,
            limit=_number(values, "limit"),
            seconds=_number(values, "lease"),
            company_ids=endpoint._feed_companies(client),
            type_ids=_types(env, client, values.get("types")),
            on_demand=endpoint.state == "test",
        )
        if endpoint.state in HELD:
            reason = HELD[endpoint.state]
            return _page(feed.Page(), values.get("cursor"), reason)
        page = feed.fetch(env, wanted, after)
        return _page(page, values.get("cursor"))

    @route(
        f"{FEED}/acknowledgements",
        "POST",
        operation=feed_operations.ACKNOWLEDGE,
        max_content_length=MAX_BODY,
    )
    def acknowledge(self, code):
        """Take what the caller says of messages it was leased."""
        env = superuser()
        endpoint, client = _enter(env, code)
        said = read_json(feed_operations.ACKNOWLEDGEMENT)
        consumer = feed_results.Consumer(
            endpoint.id, client.id, endpoint._feed_companies(client)
        )
        if "cursor" in said:
            moment = _cursor(said["cursor"])
            count = feed_results.acknowledge_up_to(env, consumer, moment)
            return answer_json(200, {"delivered": count})
        answers = feed_results.acknowledge(env, consumer, _words(said["items"]))
        return answer_json(200, {"items": answers})


def _enter(env, code):
    """Return endpoint and client; alike refusals, whether the feed exists or not.

    :raises Refusal: 401, 403, 404 unknown_feed, 503 of another environment
    """
    endpoint = _find(env, code)
    client = admit(env, SCOPE, endpoint.client_ids)
    listed = endpoint and endpoint in client.endpoint_ids
    if not listed or endpoint.system_id != client.system_id:
        raise Refusal(404, "unknown_feed", "There is no feed of this code for you.")
    if endpoint.environment != database_environment():
        raise Refusal(
            503,
            "environment_mismatch",
            "The feed belongs to another environment than this database.",
        )
    return endpoint, client


def _find(env, code):
    Endpoint = env["integration.endpoint"]
    if "\0" in code:  # PostgreSQL takes no such text
        return Endpoint
    domain = [
        ("code", "=", code),
        ("transport", "=", "feed"),
        ("state", "in", OPEN),
        ("system_id.active", "=", True),
    ]
    return Endpoint.search(domain, limit=1)


# -- what is asked -----------------------------------------------------------------


def _number(values, name):
    least, most, default = feed_operations.NUMBERS[name]
    text = values.get(name)
    if text is None:
        return default
    number = int(text) if text.isascii() and text.isdigit() and len(text) <= 6 else -1
    if not least <= number <= most:
        raise BadParameter(f"{name} is a number from {least} to {most}.")
    return number


def _cursor(text):
    moment = rules.moment_of(text)
    if moment is None:
        raise Refusal(
            400, "invalid_cursor", "cursor is one that this feed gave, or 0 to begin."
        )
    return moment


def _types(env, client, text):
    """Return the ids of wanted event types that the client may fetch; None: all.

    :raises Refusal: 403 event_type_not_allowed
    :raises BadParameter: a type that is not in the catalogue
    """
    allowed = _allowed_types(client)
    if text is None:
        return allowed.ids if allowed else None
    wanted = env["integration.event.type"]
    for name in text.split(","):
        wanted |= _type(env, name.strip())
    for event_type in wanted:
        check_event_type(client, SCOPE, event_type)
    return wanted.ids


def _allowed_types(client):
    rows = client.scope_ids.filtered(lambda own: own.scope == SCOPE)
    return rows.event_type_ids


def _type(env, name):
    """Return all versions of a code, or the one of a CloudEvents type."""
    EventType = env["integration.event.type"].with_context(active_test=False)
    domain = rules.type_domain(name)
    found = EventType.search(domain) if domain else EventType
    if not found:
        raise BadParameter(
            "types are codes of the catalogue joined by commas, for example "
            "supply.purchase_order.released."
        )
    return found


def _words(items):
    """Return the words; each message once, or the answers could contradict each other.

    :raises Rejected: 422 repeated_uid
    """
    words, known = [], set()
    for index, item in enumerate(items):
        uid = item["uid"].lower()
        if uid in known:
            raise Rejected(
                "A message is named twice.",
                code="repeated_uid",
                details=[{"path": f"/items/{index}/uid", "message": "named before"}],
            )
        known.add(uid)
        word = feed_results.Word(
            uid, item["result"], item.get("reason"), item.get("lease", "").lower()
        )
        words.append(word)
    return words


def read_json(shape):
    """Return the JSON object of the request's body, checked.

    :raises CodecError: 400 no JSON
    :raises Refusal: 415 another content type
    :raises Rejected: 422 schema_violation, with path and rule
    """
    mimetype, charset = parse_content_type(
        request.httprequest.headers.get("Content-Type", "")
    )
    if mimetype != "application/json":
        raise Refusal(
            415, "unsupported_media_type", "Send Content-Type: application/json."
        )
    said = json_codec.loads(request.httprequest.get_data(), charset)
    errors = schema.validate(shape, said)
    if errors:
        raise Rejected(
            "The body does not follow the schema.",
            code="schema_violation",
            details=errors,
        )
    return said


def _page(page, asked, reason=None):
    """Return the answer; without items the cursor stays where it was."""
    content = {
        "items": page.items,
        "cursor": page.cursor or asked,
        "more": page.more,
    }
    if reason:
        content["reason"] = reason
    return answer_json(200, content)
