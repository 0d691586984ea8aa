# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""One request of a partner, from its head to its line in the access log."""

import math
import re
import time
import uuid
from dataclasses import dataclass, field
from datetime import datetime, timezone

from odoo.http import request

from .. import runtime
from ..engine import access_log
from ..engine.book import Caller
from ..protocol import addresses, client_certificate
from ..protocol.gate_settings import GateSettings
from ..protocol.lease import Verdict

REQUEST_ID = "X-Request-Id"
_REQUEST_ID = re.compile(r"[A-Za-z0-9._:+/=-]{8,64}")
_LONGEST = 255


@dataclass
class Call:
    """What is known of the request that is being answered.

    :param address: the caller's, as limits count it
    :param code: of the problem it is answered with
    :param is_stranger: he could not tell who he is, so nothing was done for him
    """

    method: str
    route: str
    bytes_in: int
    request_id: str
    settings: GateSettings
    real_address: addresses.Address | None
    started: float = field(default_factory=time.perf_counter)
    caller: Caller | None = None
    key_id: int | None = None
    auth: str | None = None
    scope: str | None = None
    verdict: Verdict | None = None
    code: str | None = None
    is_stranger: bool = False

    @property
    def address(self):
        """The caller's address as limits count it: of IPv6, the subscriber's network."""
        return addresses.neighbourhood(self.real_address)

    def certificate(self):
        """Return the certificate a trusted proxy tells of, None if there is none."""
        httprequest = request.httprequest
        peer = addresses.parse(peer_of(httprequest))
        if not addresses.contains(self.settings.trusted_proxies, peer):
            return None
        return client_certificate.read(httprequest.headers, self.settings)


def begin(route):
    """Return the call of the present request.

    :param str route: pattern of the path, which stands for it in the log
    :raises Configuration: an option of odoo.conf cannot be read
    """
    httprequest, settings = request.httprequest, runtime.gate()
    given = httprequest.headers.get(REQUEST_ID, "")
    request.integration_call = call = Call(
        method=httprequest.method,
        route=route,
        bytes_in=httprequest.content_length or 0,
        request_id=given if _REQUEST_ID.fullmatch(given) else uuid.uuid4().hex,
        settings=settings,
        real_address=_real_address(httprequest, settings),
    )
    return call


def current():
    """Return the call of the present request."""
    return request.integration_call


def peer_of(httprequest):
    """Return the other end of the TCP connection.

    With ``proxy_mode`` Odoo has put a forwarded address, which anybody can write, in its
    place; werkzeug keeps the original.
    """
    environ = httprequest._HTTPRequest__environ
    original = environ.get("werkzeug.proxy_fix.orig") or environ
    return original.get("REMOTE_ADDR") or ""


def _real_address(httprequest, settings):
    forwarded = httprequest.headers.get("X-Forwarded-For", "")
    return addresses.real_address(
        peer_of(httprequest), forwarded, settings.trusted_proxies
    )


# -- the end ---------------------------------------------------------------------------


def end(env, response):
    """Tell the caller what is left to him, and have the call written into the log."""
    call = getattr(request, "integration_call", None)
    if call is None:
        return
    request.integration_call = None  # once only
    response.headers.setdefault(REQUEST_ID, call.request_id)
    if call.verdict:
        _limit_headers(response.headers, call.verdict)
    access_log.note(env, _entry(call, response))


def _limit_headers(headers, verdict):
    """Set the three fields in common use, and those of the IETF draft that replaces them."""
    limit = verdict.limit
    quota, window = math.floor(limit.burst), math.ceil(limit.burst / limit.rate)
    headers["RateLimit-Limit"] = str(quota)
    headers["RateLimit-Remaining"] = str(verdict.remaining)
    headers["RateLimit-Reset"] = str(verdict.reset)
    headers["RateLimit-Policy"] = f'"client";q={quota};w={window}'
    headers["RateLimit"] = f'"client";r={verdict.remaining};t={verdict.reset}'


def _entry(call, response):
    status, caller = response.status_code, call.caller
    return access_log.Entry(
        created_at=datetime.now(timezone.utc).replace(tzinfo=None),
        method=call.method[:10],
        route=call.route[:_LONGEST],
        status=status,
        outcome=_outcome(status),
        code=call.code,
        address=call.address,
        duration_ms=(time.perf_counter() - call.started) * 1000,
        bytes_in=call.bytes_in,
        bytes_out=response.content_length or 0,
        request_id=call.request_id,
        client_id=caller and caller.id,
        company_id=caller and caller.company_id,
        key_id=call.key_id,
        auth=call.auth,
        scope=call.scope,
    )


def _outcome(status):
    if status == 429:
        return "limited"
    if status >= 500:
        return "failed"
    return "refused" if status >= 400 else "ok"
