# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""The one HTTP client of the suite; nothing else opens an HTTP connection.

Redirects are not followed, environment proxies and ``.netrc`` are not read,
cookies are not kept, bodies are not decompressed. The guard sits where sockets
are made, so it judges the very address that is connected.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
import time
from collections.abc import Awaitable, Coroutine, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

import aiohttp
import yarl
from aiohttp.abc import AbstractResolver, ResolveResult

from ..protocol import resolver
from ..protocol.classify import os_error_code
from ..protocol.errors import IntegrationError, Permanent, Refused, TransportError
from ..protocol.netguard import NetworkPolicy, check_address, check_url, open_socket
from . import tls

T = TypeVar("T")

USER_AGENT = "healthcare-integration/19.0"
CAP = 20_000
CONNECT_TIMEOUT = 10.0
# Many servers close idle connections after 5 s; a request must not meet the closing.
KEEPALIVE = 4.0
MAX_HEADERS, MAX_HEADER_VALUE = 100, 2_000


@dataclass(frozen=True)
class Request:
    """What is sent. ``tls`` and ``allow_http`` replace the client's defaults."""

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)
    tls: ssl.SSLContext | None = field(default=None, repr=False)
    allow_http: bool | None = None


@dataclass(frozen=True)
class Response:
    """What came back: at most ``cap`` bytes of the body, as sent (never inflated)."""

    status: int
    headers: dict[str, str]
    body: bytes
    truncated: bool
    duration: float


class GuardedResolver(AbstractResolver):
    """Resolves names without the loop's executor and drops refused addresses."""

    def __init__(self, policy: NetworkPolicy):
        self._policy = policy

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Return the allowed addresses of a name. :raises Refused: if none is allowed"""
        infos = await asyncio.wrap_future(resolver.lookup(host, port))
        allowed, refusal = [], None
        for info in infos:
            try:
                check_address(str(info[4][0]), self._policy)
                allowed.append(_resolve_result(host, port, info))
            except Refused as exc:
                refusal = exc
        if not allowed and refusal:
            raise refusal
        return allowed

    async def close(self) -> None:
        """Nothing is kept open."""


def _resolve_result(host: str, port: int, info: resolver.AddrInfo) -> ResolveResult:
    return ResolveResult(
        hostname=host,
        host=str(info[4][0]),
        port=port,
        family=info[0],
        proto=info[2],
        flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
    )


class HttpClient:
    """Keeps connections of one event loop alive; an async context manager.

    :param policy: what the network guard allows
    :param connections: most connections open at the same time, 0 = no limit
    """

    def __init__(self, policy: NetworkPolicy, *, connections: int = 0):
        self._policy = policy
        self._connections = connections
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> HttpClient:
        connector = aiohttp.TCPConnector(
            limit=self._connections,
            resolver=GuardedResolver(self._policy),
            socket_factory=partial(open_socket, policy=self._policy),
            ssl=tls.context(),
            keepalive_timeout=KEEPALIVE,
        )
        self._session = aiohttp.ClientSession(
            connector=connector,
            trust_env=False,
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            skip_auto_headers=("Content-Type",),
            trace_configs=[_trace_reuse()],
        )
        return self

    async def __aexit__(self, *_exc: object) -> None:
        if self._session:
            await self._session.close()
            # transports say goodbye in the next round of the loop
            await asyncio.sleep(0)
        self._session = None

    async def send(
        self,
        request: Request,
        *,
        deadline: float,
        cap: int = CAP,
        connect_timeout: float = CONNECT_TIMEOUT,
    ) -> Response:
        """Send the request and read at most ``cap`` bytes of the answer.

        :param deadline: seconds for everything: lookup, connect, send, read
        :raises Refused: by the network guard
        :raises TransportError: no complete answer; ``timeout`` if the deadline passed
        :raises Permanent: bad_request if the request itself cannot be sent
        """
        started = time.monotonic()
        url = self._url(request)
        try:
            return await self._exchange_twice(
                request, url, started, deadline, cap, connect_timeout
            )
        except IntegrationError:
            raise
        except Exception as exc:
            raise _translate(exc) from exc

    def _url(self, request: Request) -> yarl.URL:
        allow_http = (
            self._policy.allow_http
            if request.allow_http is None
            else request.allow_http
        )
        policy = NetworkPolicy(allow_http, self._policy.allowed_networks)
        text = check_url(request.url, policy).geturl()
        # what is ASCII is sent as it was written; quoting again could break it
        return yarl.URL(text, encoded=text.isascii())

    async def _exchange_twice(
        self,
        request: Request,
        url: yarl.URL,
        started: float,
        deadline: float,
        cap: int,
        connect_timeout: float,
    ) -> Response:
        """Repeat once if a kept connection turned out to be closed by the partner."""
        trace = _Trace()
        try:
            return await self._exchange(
                request, url, started, deadline, cap, connect_timeout, trace
            )
        except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError) as exc:
            if not trace.reused or isinstance(exc, aiohttp.ClientConnectorError):
                raise
        return await self._exchange(
            request, url, started, deadline, cap, connect_timeout, _Trace()
        )

    async def _exchange(
        self,
        request: Request,
        url: yarl.URL,
        started: float,
        deadline: float,
        cap: int,
        connect_timeout: float,
        trace: _Trace,
    ) -> Response:
        if self._session is None:
            raise RuntimeError("HttpClient is used outside of its context")
        remaining = max(0.001, deadline - (time.monotonic() - started))
        async with self._session.request(
            request.method,
            url,
            data=request.body or None,
            headers=_with_defaults(request.headers),
            allow_redirects=False,
            timeout=aiohttp.ClientTimeout(
                total=remaining,
                sock_connect=connect_timeout,
                ceil_threshold=float("inf"),
            ),
            ssl=request.tls or True,
            trace_request_ctx=trace,
        ) as answer:
            body, truncated = await _read(answer, cap)
            return Response(
                answer.status,
                _safe_headers(answer),
                body,
                truncated,
                time.monotonic() - started,
            )


@dataclass
class _Trace:
    reused: bool = False


def _trace_reuse() -> aiohttp.TraceConfig:
    async def on_reuse(_session: Any, context: Any, _params: Any) -> None:
        context.trace_request_ctx.reused = True

    config = aiohttp.TraceConfig()
    config.on_connection_reuseconn.append(on_reuse)
    return config


def _with_defaults(headers: Mapping[str, str]) -> dict[str, str]:
    defaults = {"User-Agent": USER_AGENT, "Accept-Encoding": "identity"}
    return {**defaults, **headers}


async def _read(answer: aiohttp.ClientResponse, cap: int) -> tuple[bytes, bool]:
    """Read up to ``cap`` bytes; a longer body costs the connection, not memory."""
    parts, size = [], 0
    async for chunk in answer.content.iter_any():
        parts.append(chunk[: cap - size])
        size += len(chunk)
        if size > cap:
            answer.close()
            return b"".join(parts), True
    return b"".join(parts), False


def _safe_headers(answer: aiohttp.ClientResponse) -> dict[str, str]:
    """Join repeated headers and replace bytes that are not UTF-8.

    aiohttp hands them over as lone surrogates, which no database stores.
    """
    result: dict[str, str] = {}
    for name in list(dict.fromkeys(answer.headers))[:MAX_HEADERS]:
        value = ", ".join(answer.headers.getall(name))[:MAX_HEADER_VALUE]
        result[_storable(name)] = _storable(value)
    return result


def _storable(text: str) -> str:
    clean = text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return clean.replace("\x00", "\ufffd")


# -- errors --------------------------------------------------------------------


def _translate(exc: Exception) -> IntegrationError:
    """Return our exception for one of aiohttp's; its text may quote the URL, so it is dropped."""
    if isinstance(exc, aiohttp.ConnectionTimeoutError):
        return TransportError(
            "The connection was not made in time", code="connect_timeout", timeout=True
        )
    if isinstance(exc, (asyncio.TimeoutError, TimeoutError)):
        return _timeout()
    if isinstance(exc, aiohttp.ClientConnectorCertificateError):
        return TransportError(
            "The partner's certificate is not trusted", code="tls_certificate"
        )
    if isinstance(exc, aiohttp.ClientConnectorDNSError):
        return TransportError("The host name cannot be resolved", code="dns_failed")
    if isinstance(exc, aiohttp.ClientConnectorError):
        return _os_error(exc.os_error)
    if isinstance(exc, aiohttp.ServerDisconnectedError):
        return TransportError(
            "The partner closed the connection", code="connection_closed"
        )
    if isinstance(exc, aiohttp.ClientPayloadError):
        return TransportError("The answer is not complete", code="incomplete_answer")
    if isinstance(exc, (aiohttp.InvalidURL, aiohttp.NonHttpUrlClientError)):
        return Permanent("The URL cannot be used", code="bad_url")
    if isinstance(exc, aiohttp.ClientResponseError):
        return TransportError("The answer is not HTTP", code="bad_answer")
    return _translate_rest(exc)


def _translate_rest(exc: Exception) -> IntegrationError:
    if isinstance(exc, OSError):
        return _os_error(exc)
    if isinstance(exc, aiohttp.ClientError):
        return TransportError("The exchange failed", code="connection_failed")
    if isinstance(exc, (ValueError, TypeError)):
        return Permanent("The request cannot be sent as it is", code="bad_request")
    return Permanent(f"Unexpected {type(exc).__name__}", code="internal_error")


_OS_MESSAGES = {
    "connection_refused": "The partner refused the connection",
    "connection_reset": "The partner broke the connection",
    "dns_failed": "The host name cannot be resolved",
    "tls_certificate": "The partner's certificate is not trusted",
    "tls_failed": "The TLS handshake failed",
}


def _os_error(exc: OSError) -> TransportError:
    code = os_error_code(exc)
    return TransportError(_OS_MESSAGES.get(code, "The connection failed"), code=code)


def _timeout() -> TransportError:
    return TransportError(
        "No complete answer before the deadline", code="timeout", timeout=True
    )


# -- the control plane ---------------------------------------------------------


def run_sync(coro: Coroutine[Any, Any, T], deadline: float) -> T:
    """Run a coroutine to its end on a private event loop of this thread.

    Returns at the deadline even if a lookup hangs: nothing here waits for
    threads.

    :raises TransportError: timeout, if the deadline passed
    """
    loop = asyncio.new_event_loop()
    try:
        return loop.run_until_complete(_before(coro, deadline))
    finally:
        _finish(loop)


async def _before(work: Awaitable[T], deadline: float) -> T:
    try:
        return await asyncio.wait_for(work, deadline)
    except asyncio.TimeoutError:
        raise _timeout() from None


def _finish(loop: asyncio.AbstractEventLoop) -> None:
    # like asyncio.run, but without joining the executor's threads
    try:
        tasks = asyncio.all_tasks(loop)
        for task in tasks:
            task.cancel()
        if tasks:
            loop.run_until_complete(asyncio.wait(tasks, timeout=1.0))
        loop.run_until_complete(loop.shutdown_asyncgens())
    finally:
        loop.close()


def send_once(
    policy: NetworkPolicy, request: Request, *, deadline: float, cap: int = CAP
) -> Response:
    """Send one request from synchronous code, such as a button's method.

    :raises IntegrationError: as ``HttpClient.send``
    """

    async def exchange() -> Response:
        async with HttpClient(policy) as client:
            return await client.send(request, deadline=deadline, cap=cap)

    # the inner deadline speaks first: it knows what it was waiting for
    return run_sync(exchange(), deadline + 1.0)
