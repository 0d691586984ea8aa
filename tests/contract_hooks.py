# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""What Schemathesis must be taught: how lines of JSON are written."""

from __future__ import annotations

import json

import schemathesis

NDJSON = (
    "application/x-ndjson",
    "application/ndjson",
    "application/jsonl",
    "application/x-jsonlines",
)


@schemathesis.serializer(*NDJSON)
def lines(_context, value) -> bytes:
    """Return the bytes of a text as they are, anything else as one line of JSON."""
    text = value if isinstance(value, str) else json.dumps(value)
    return text.encode("utf-8", "surrogatepass")
