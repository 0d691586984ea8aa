# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Answers a partner gives, the bad ones too.

An answer is a dictionary, so that it can be ordered over the control API:
`status` (200), `headers`, `body` (text) or `json`, and at most one misbehaviour:

==============  ================================================================
``hang``        seconds to say nothing before answering
``garbage``     true: bytes that are no HTTP
``drop``        true: close the connection without an answer
``megabytes``   size of a body of zeros
``bomb``        megabytes that a small gzip body would unpack to
``drip``        seconds during which the body comes, one byte a second
==============  ================================================================
"""

from __future__ import annotations

import asyncio
import gzip
import json

from aiohttp import web

MEGABYTE = 1024 * 1024
GARBAGE = b"\x16\x03\x01 this is no HTTP\r\n\r\n"
MISBEHAVIOURS = frozenset({"hang", "garbage", "drop", "megabytes", "bomb", "drip"})
KEYS = MISBEHAVIOURS | {"status", "headers", "body", "json"}


def check(answer: dict) -> dict:
    """Return the answer if it is well formed.

    :raises ValueError: unknown keys, more than one misbehaviour, or no HTTP status
    """
    if not isinstance(answer, dict) or set(answer) - KEYS:
        raise ValueError(
            f"an answer is an object with some of {', '.join(sorted(KEYS))}"
        )
    if len(MISBEHAVIOURS & set(answer)) > 1:
        raise ValueError("one misbehaviour at a time")
    if answer.get("status", 200) not in range(200, 600):
        raise ValueError("status is an HTTP status, 200 to 599")
    return answer


async def give(request: web.Request, answer: dict) -> web.StreamResponse:
    """Answer a request as described above."""
    if answer.get("garbage") or answer.get("drop"):
        return _break_off(request, GARBAGE if answer.get("garbage") else b"")
    if "drip" in answer:
        return await _drip(request, answer)
    await asyncio.sleep(answer.get("hang", 0))
    return web.Response(
        status=answer.get("status", 200), body=_body(answer), headers=_headers(answer)
    )


def _body(answer: dict) -> bytes:
    if "megabytes" in answer:
        return b"0" * (answer["megabytes"] * MEGABYTE)
    if "bomb" in answer:
        return gzip.compress(b"0" * (answer["bomb"] * MEGABYTE))
    if "json" in answer:
        return json.dumps(answer["json"]).encode()
    return answer.get("body", "").encode()


def _headers(answer: dict) -> dict[str, str]:
    kind = "application/json" if "json" in answer else "text/plain"
    encoding = {"Content-Encoding": "gzip"} if "bomb" in answer else {}
    return {"Content-Type": kind, **encoding, **answer.get("headers", {})}


def _break_off(request: web.Request, last_words: bytes) -> web.Response:
    if request.transport is not None:
        request.transport.write(last_words)
        request.transport.close()
    return web.Response()


async def _drip(request: web.Request, answer: dict) -> web.StreamResponse:
    response = web.StreamResponse(
        status=answer.get("status", 200), headers=_headers(answer)
    )
    await response.prepare(request)
    for _second in range(answer["drip"]):
        await response.write(b".")
        await asyncio.sleep(1)
    await response.write_eof()
    return response
