# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""A received body that a person corrects: looked at, checked, taken in as a replay."""

from __future__ import annotations

import hashlib
import json
import re

from odoo.tools import SQL

from .. import codecs, runtime
from . import operations, payload, render, sql

LONGEST = 200_000
_STRING_OR_MARK = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\],:]|[^\s"{}\[\],:]+')
INDENT = "  "


def spread(text: str) -> str:
    """Return JSON with one member a line; no value is written in another way.

    Numbers such as ``5.10`` stay as they are, which parsing and writing again would change.
    """
    try:
        json.loads(text)
    except ValueError:
        return text
    lines, depth, before = [""], 0, ""
    for mark in _STRING_OR_MARK.findall(text):
        if mark in "]}":
            depth -= 1
            if before not in ("[", "{"):
                lines.append(INDENT * depth)
        elif before in ("[", "{", ","):
            lines.append(INDENT * depth)
        lines[-1] += ": " if mark == ":" else mark
        depth += mark in ("[", "{")
        before = mark
    return "\n".join(lines)


def check(message, body: bytes) -> list[dict[str, str]]:
    """Return how a corrected body deviates from the schema of the message's type.

    :raises IntegrationError: it cannot be read, or the mapping fails on it
    """
    endpoint, event_type = message.endpoint_id, message.event_type_id
    mimetype, charset = codecs.parse_content_type(message.content_type or "")
    received = codecs.get(endpoint.codec).parse(body, mimetype, charset)
    mapping = message.route_id.mapping_id if message.route_id else endpoint.mapping_id
    if mapping and mapping.event_type_id.code == event_type.code:
        render.check_usable(mapping, endpoint)
        return render.render_incoming(
            received.data, received.meta(), mapping
        ).schema_errors
    return event_type._validate(received.data)


def take_in(message, body: bytes) -> int:
    """Make a replay of a dead message with another body; return its id.

    The original stays as it was; the new one has exactly these bytes and is marked.
    """
    cr = message.env.cr
    phi = message.event_type_id.sensitivity == "phi"
    (new_id,) = operations.replay(cr, message.ids)
    facts = payload.load(cr, [new_id])[new_id]["facts"]
    statement = SQL(
        "DELETE FROM integration_payload WHERE message_id = %s AND kind = 'body'",
        new_id,
    )
    sql.run(cr, statement)
    payload.store(
        cr, [{"message_id": new_id, "body": body, "phi": phi, "facts": facts}]
    )
    statement = SQL(
        "UPDATE integration_message SET corrected = true, body_sha256 = %s, size = %s"
        " WHERE id = %s",
        digest(body, phi),
        len(body),
        new_id,
    )
    sql.run(cr, statement)
    return new_id


def digest(body: bytes, phi: bool) -> str:
    """Return the fingerprint of a body as it is kept: keyed where phi."""
    plain = hashlib.sha256(body).hexdigest()
    return runtime.keyring().keyed_hash(plain, "message") if phi else plain
