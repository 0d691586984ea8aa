# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""The HTTP client against real, mostly hostile, servers."""

import asyncio
import gzip
import ipaddress
import os
import socket
import ssl
import threading
import time
import tracemalloc

import pytest
from hib.protocol.classify import classify_exception
from hib.protocol.errors import Permanent, Refused, TransportError
from hib.protocol.netguard import NetworkPolicy
from hib.transports import http, tls
from hib.transports.http import HttpClient, Request
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from loopback import Server, answer, free_port, raw, self_signed

LOOPBACK = NetworkPolicy(
    True, (ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("::1/128"))
)
STRICT = NetworkPolicy(allow_http=True)


def send(
    url,
    policy=LOOPBACK,
    deadline=20,
    method="POST",
    headers=None,
    body=b"{}",
    cap=http.CAP,
    **more,
):
    request = Request(method, url, headers or {}, body, **more)
    return http.send_once(policy, request, deadline=deadline, cap=cap)


def failure(url, **kwargs):
    """Send, and return the outcome of the failure."""
    with pytest.raises((TransportError, Refused, Permanent)) as caught:
        send(url, **kwargs)
    assert "127.0.0.1" not in str(caught.value)
    outcome = classify_exception(caught.value)
    return outcome.error_class.value, outcome.code


# -- the ordinary exchange -------------------------------------------------------


def test_request_and_answer():
    with Server(answer(b'{"ok":1}', "202 Accepted", "X-One: 1\r\n")) as server:
        response = send(
            server.url("/in?x=%2F"), headers={"webhook-id": "m1"}, body=b"\x00\xff body"
        )
    assert (response.status, response.body, response.truncated) == (
        202,
        b'{"ok":1}',
        False,
    )
    assert response.headers["X-One"] == "1" and response.duration > 0
    request = server.requests[0]
    assert request.line == "POST /in?x=%2F HTTP/1.1"
    assert request.body == b"\x00\xff body"
    assert request.headers["webhook-id"] == "m1"
    assert request.headers["content-length"] == "7"


def test_own_headers():
    with Server(answer()) as server:
        send(server.url())
        send(
            server.url(),
            headers={"User-Agent": "x", "Content-Type": "application/cloudevents+json"},
        )
    first, second = (request.headers for request in server.requests)
    assert first["user-agent"] == "healthcare-integration/19.0"
    assert first["accept-encoding"] == "identity"
    assert "content-type" not in first and "cookie" not in first
    assert (second["user-agent"], second["content-type"]) == (
        "x",
        "application/cloudevents+json",
    )


def test_a_get_has_no_body():
    with Server(answer(b"x")) as server:
        assert send(server.url(), method="GET", body=b"").body == b"x"
    assert server.requests[0].body == b""


def test_connections_are_reused():
    async def three():
        async with HttpClient(LOOPBACK) as client:
            for _ in range(3):
                await client.send(Request("POST", server.url(), {}, b"{}"), deadline=20)

    with Server(answer(b"{}")) as server:
        http.run_sync(three(), 60)
    assert len(server.requests) == 3 and server.connections == 1


def test_a_kept_connection_the_partner_closed_is_replaced():
    closed = threading.Event()

    def handler(server, connection, request):
        answer(b"{}")(server, connection, request)
        if len(server.requests) == 1:
            connection.shutdown(socket.SHUT_RDWR)
            connection.close()
            closed.set()

    async def two():
        async with HttpClient(LOOPBACK) as client:
            request = Request("POST", server.url(), {}, b"{}")
            await client.send(request, deadline=20)
            assert closed.wait(
                10
            )  # blocks the loop: the client has not seen the closing
            return await client.send(request, deadline=20)

    with Server(handler) as server:
        assert http.run_sync(two(), 60).status == 200
    assert len(server.requests) == 2


def test_many_at_the_same_time():
    async def many():
        async with HttpClient(LOOPBACK) as client:
            request = Request("POST", server.url(), {}, b"{}")
            return await asyncio.gather(
                *(client.send(request, deadline=30) for _ in range(50))
            )

    with Server(answer(b"{}")) as server:
        responses = http.run_sync(many(), 60)
    assert [response.status for response in responses] == [200] * 50


def test_cookies_are_not_kept():
    async def two():
        async with HttpClient(LOOPBACK) as client:
            for _ in range(2):
                await client.send(
                    Request("POST", server.url(host="localhost"), {}, b"{}"),
                    deadline=20,
                )

    with Server(answer(headers="Set-Cookie: session=1\r\n")) as server:
        http.run_sync(two(), 60)
    assert all("cookie" not in request.headers for request in server.requests)


# -- partners that misbehave -----------------------------------------------------


def test_nobody_listens():
    assert failure(f"http://127.0.0.1:{free_port()}/") == (
        "transport",
        "connection_refused",
    )


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_not_followed(status):
    """Scenario 7."""
    with (
        Server(answer(b"never")) as second,
        Server(
            answer(b"", f"{status} Moved", f"Location: {second.url()}\r\n")
        ) as first,
    ):
        response = send(first.url())
    assert response.status == status and response.headers["Location"] == second.url()
    assert second.connections == 0 and len(first.requests) == 1


def test_a_partner_that_says_nothing_is_cut_at_the_deadline():
    with Server(None) as server:
        assert failure(server.url(), deadline=0.3) == ("timeout", "timeout")


def drip(head):
    def handler(server, connection, request):
        connection.sendall(head)
        while not server.closing.wait(0.05):
            connection.sendall(b"x")

    return handler


@pytest.mark.parametrize(
    "head",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX-Slow: ",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n186a0\r\n",
    ],
    ids=["body", "body without end", "header", "chunk"],
)
def test_one_byte_at_a_time_is_cut_at_the_deadline(head):
    """Scenario 9."""
    with Server(drip(head)) as server:
        assert failure(server.url(), deadline=0.5) == ("timeout", "timeout")


def test_a_slot_is_free_again_after_a_timeout():
    """Scenario 9, second half."""

    async def use():
        async with HttpClient(LOOPBACK, connections=1) as client:
            with pytest.raises(TransportError):
                await client.send(Request("POST", slow.url(), {}, b"{}"), deadline=0.2)
            return await client.send(
                Request("POST", good.url(), {}, b"{}"), deadline=20
            )

    with (
        Server(drip(b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n")) as slow,
        Server(answer()) as good,
    ):
        assert http.run_sync(use(), 60).status == 200


def test_ten_megabytes_cost_no_memory():
    """Scenario 10."""
    sent = []

    def handler(server, connection, request):
        connection.sendall(b"HTTP/1.1 500 Oops\r\nContent-Length: 10000000\r\n\r\n")
        block = b"x" * 100_000
        for _ in range(100):
            connection.sendall(block)
            sent.append(len(block))

    with Server(handler) as server:
        send(server.url(), cap=10)  # what is imported and cached once does not count
        tracemalloc.start()
        try:
            response = send(server.url())
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    assert response.status == 500 and response.truncated
    assert response.body == b"x" * 20_000
    assert peak < 4_000_000


@pytest.mark.parametrize(
    "size, truncated", [(19_999, False), (20_000, False), (20_001, True)]
)
def test_the_cap_is_exact(size, truncated):
    with Server(answer(b"y" * size)) as server:
        response = send(server.url())
    assert response.truncated is truncated
    assert len(response.body) == min(size, 20_000)


def test_a_gzip_bomb_is_not_inflated():
    """Scenario 10, second half."""
    bomb = gzip.compress(b"\0" * 20_000_000)
    with Server(answer(bomb, headers="Content-Encoding: gzip\r\n")) as server:
        response = send(server.url())
    assert response.body == bomb[:20_000]
    assert response.status == 200


@pytest.mark.parametrize("encoding", ["br", "deflate", "zstd", "nonsense"])
def test_other_encodings_are_kept_as_they_are(encoding):
    with Server(
        answer(b"\x8b\x00", headers=f"Content-Encoding: {encoding}\r\n")
    ) as server:
        assert send(server.url()).body == b"\x8b\x00"


@pytest.mark.parametrize(
    "data, code",
    [
        (b"", "connection_closed"),
        (b"garbage\r\n\r\n", "bad_answer"),
        (b"\x00\xff\xfe" * 50, "bad_answer"),
        (b"SSH-2.0-OpenSSH_9.6\r\n", "bad_answer"),
        (b"HTTP/1.1 abc OK\r\n\r\n", "bad_answer"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"y" * 100_000 + b"\r\n\r\n", "bad_answer"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n", "bad_answer"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhalf", "incomplete_answer"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", None),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
            "incomplete_answer",
        ),
        (b"HTTP/1.1 200", None),
    ],
)
def test_garbage_is_a_transport_failure(data, code):
    with Server(raw(data)) as server:
        error_class, got = failure(server.url())
    assert error_class == "transport"
    assert code is None or got == code


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.binary(max_size=300),
    st.sampled_from([b"", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 "]),
)
def test_random_answers_only_raise_what_is_classified(data, head):
    with Server(raw(head + data)) as server:
        try:
            response = send(server.url(), deadline=10)
            assert 100 <= response.status <= 999
        except TransportError as exc:
            assert classify_exception(exc).retryable


def test_bodies_that_are_not_utf8_are_returned():
    """Scenario 11."""
    with Server(answer("Müller".encode("latin-1"))) as server:
        assert send(server.url()).body == b"M\xfcller"


def test_headers_that_are_not_utf8_become_storable():
    with Server(
        answer(headers="X-Name: M\xfcller\r\nX-Two: a\r\nX-Two: b\r\n")
    ) as server:
        headers = send(server.url()).headers
    assert headers["X-Name"] == "M\ufffdller" and headers["X-Two"] == "a, b"
    str(headers).encode()


def test_long_headers_are_cut():
    with Server(answer(headers="X-Long: " + "y" * 8_000 + "\r\n")) as server:
        assert len(send(server.url()).headers["X-Long"]) == http.MAX_HEADER_VALUE


def test_early_hints_are_skipped():
    with Server(
        raw(b"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n")
    ) as server:
        assert send(server.url()).status == 204


# -- the guard -------------------------------------------------------------------


def test_literals_are_refused_without_an_allow_list():
    with Server(answer()) as server:
        assert failure(server.url(), policy=STRICT) == ("contract", "refused_address")
    assert server.connections == 0


def test_names_that_lead_to_refused_addresses():
    with Server(answer()) as server, pytest.raises(Refused) as caught:
        send(server.url(host="localhost"), policy=STRICT)
    assert caught.value.rule == "loopback" and server.connections == 0


def test_http_is_refused_unless_the_request_or_policy_allows_it():
    https_only = NetworkPolicy(False, LOOPBACK.allowed_networks)
    with Server(answer()) as server:
        assert failure(server.url(), policy=https_only) == (
            "contract",
            "refused_address",
        )
        assert send(server.url(), policy=https_only, allow_http=True).status == 200
        assert failure(server.url(), allow_http=False) == (
            "contract",
            "refused_address",
        )
    assert server.connections == 1


def fake_dns(monkeypatch, *addresses):
    """Every name resolves to these addresses, in turn if there are lists."""
    answers = iter(addresses)
    real = socket.getaddrinfo

    def getaddrinfo(host, port, *args, **kwargs):
        if not str(host).endswith(".example"):
            return real(host, port, *args, **kwargs)
        found = next(answers)
        return [
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))
            for address in found
        ]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)


def test_of_a_mixed_answer_only_allowed_addresses_are_used(monkeypatch):
    fake_dns(monkeypatch, ["169.254.169.254", "10.0.0.1", "127.0.0.1"])
    with Server(answer()) as server:
        assert send(server.url(host="partner.example")).status == 200
    assert server.requests[0].headers["host"] == f"partner.example:{server.port}"


def test_the_connected_address_is_the_checked_one(monkeypatch):
    """A resolver that flips cannot get past the guard: there is no second lookup."""
    fake_dns(monkeypatch, ["127.0.0.1"], ["10.0.0.1"])

    async def two():
        async with HttpClient(LOOPBACK) as client:
            request = Request(
                "POST",
                server.url(host="partner.example"),
                {"Connection": "close"},
                b"{}",
            )
            await client.send(request, deadline=20)

    with Server(answer()) as server:
        http.run_sync(two(), 60)
        assert failure(server.url(host="other.example")) == (
            "contract",
            "refused_address",
        )
    assert server.connections == 1


def test_even_a_lying_resolver_does_not_reach_a_refused_address(monkeypatch):
    async def lying(self, host, port=0, family=socket.AF_UNSPEC):
        info = (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))
        return [http._resolve_result(host, port, info)]

    monkeypatch.setattr(http.GuardedResolver, "resolve", lying)
    with Server(answer()) as server:
        assert failure(server.url(host="partner.example"), policy=STRICT) == (
            "contract",
            "refused_address",
        )
    assert server.connections == 0


def test_names_that_do_not_resolve():
    assert failure("https://nothing.invalid/") == ("transport", "dns_failed")


@pytest.mark.parametrize(
    "url",
    [
        "https://user:pw@x.example/",
        "nonsense",
        "https://x.example/\n",
        "https://2130706433/",
    ],
)
def test_urls_are_checked(url):
    assert failure(url) == ("contract", "refused_address")


def test_a_hung_name_server_costs_no_more_than_the_deadline(monkeypatch):
    release = threading.Event()

    def getaddrinfo(*args, **kwargs):
        release.wait(60)
        raise socket.gaierror(-3, "late")

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    try:
        started = time.monotonic()
        assert failure("https://hung.example/", deadline=0.3) == ("timeout", "timeout")
        # far below the minute the lookup hangs: nobody waited for its thread
        assert time.monotonic() - started < 30
    finally:
        release.set()


def test_environment_proxies_and_netrc_are_ignored(monkeypatch, tmp_path):
    netrc = tmp_path / "netrc"
    netrc.write_text(
        "machine 127.0.0.1 login eve password secret\ndefault login eve password secret\n"
    )
    netrc.chmod(0o600)
    with Server(answer(b"proxy")) as proxy, Server(answer(b"direct")) as server:
        for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "ALL_PROXY"):
            monkeypatch.setitem(os.environ, name, proxy.url())
        monkeypatch.setitem(os.environ, "NETRC", str(netrc))
        assert send(server.url()).body == b"direct"
    assert proxy.connections == 0
    assert "authorization" not in server.requests[0].headers


# -- requests that cannot be sent ------------------------------------------------


@pytest.mark.parametrize(
    "headers", [{"X-Bad": "a\r\nInjected: 1"}, {"X Bad\r\n": "a"}, {"X-None": None}]
)
def test_headers_cannot_be_injected(headers):
    with Server(answer()) as server:
        assert failure(server.url(), headers=headers)[0] == "contract"
    assert not server.requests


# -- TLS -------------------------------------------------------------------------


def test_self_signed_certificates_are_refused_unless_trusted_for_the_endpoint(tmp_path):
    context, certificate = self_signed(tmp_path, "127.0.0.1")
    with Server(answer(b"tls"), tls=context) as server:
        assert failure(server.url()) == ("transport", "tls_certificate")
        trusted = tls.context(tls.TlsSettings(ca_pem=certificate))
        assert send(server.url(), tls=trusted).body == b"tls"


def test_a_trusted_certificate_of_another_name_is_refused(tmp_path):
    context, certificate = self_signed(tmp_path, "other.example")
    with Server(answer(), tls=context) as server:
        trusted = tls.context(tls.TlsSettings(ca_pem=certificate))
        assert failure(server.url(), tls=trusted) == ("transport", "tls_certificate")


def test_tls_before_1_2_is_refused(tmp_path):
    context, certificate = self_signed(tmp_path, "127.0.0.1")
    with pytest.warns(DeprecationWarning):
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.set_ciphers("ALL:@SECLEVEL=0")
    with Server(answer(), tls=context) as server:
        trusted = tls.context(tls.TlsSettings(ca_pem=certificate))
        error_class, code = failure(server.url(), tls=trusted)
    assert error_class == "transport" and code in (
        "tls_failed",
        "connection_reset",
        "connection_closed",
    )
    assert trusted.minimum_version == ssl.TLSVersion.TLSv1_2


def test_http_where_https_is_expected():
    with Server(raw(b"HTTP/1.1 400 Bad\r\n\r\n")) as server:
        assert failure(server.url().replace("http:", "https:"))[0] == "transport"


# -- run_sync --------------------------------------------------------------------


def test_run_sync_returns_results_and_raises_errors():
    async def work(value):
        if value is None:
            raise KeyError("x")
        return value

    assert http.run_sync(work(5), 5) == 5
    with pytest.raises(KeyError):
        http.run_sync(work(None), 5)


def test_run_sync_returns_at_the_deadline_and_cancels():
    cancelled = []

    async def endless():
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.append(True)
            raise

    with pytest.raises(TransportError) as caught:
        http.run_sync(endless(), 0.05)
    assert caught.value.timeout and cancelled


def test_run_sync_leaves_no_task_behind():
    ended = []

    async def background():
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(True)

    async def work():
        task = asyncio.get_running_loop().create_task(background())
        await asyncio.sleep(0)
        return task

    assert http.run_sync(work(), 5).cancelled() and ended


def test_run_sync_does_not_wait_for_threads_of_the_executor():
    release = threading.Event()

    async def work():
        asyncio.get_running_loop().run_in_executor(None, release.wait, 60)
        return "done"

    started = time.monotonic()
    try:
        assert http.run_sync(work(), 5) == "done"
        assert time.monotonic() - started < 30
    finally:
        release.set()


def test_run_sync_works_in_several_threads():
    with Server(answer(b"{}")) as server:
        results = []
        threads = [
            threading.Thread(target=lambda: results.append(send(server.url()).status))
            for _ in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
    assert results == [200] * 8
