# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Name lookups: hung ones cost their caller its deadline and nothing else."""

import os
import socket
import threading
import time

import pytest
from hib.protocol import resolver
from hib.protocol.errors import TransportError


@pytest.fixture
def hung(monkeypatch):
    """getaddrinfo hangs for names that begin with "hung" until released."""
    release, calls = threading.Event(), []
    real = socket.getaddrinfo

    def getaddrinfo(host, *args, **kwargs):
        calls.append(host)
        if host.startswith("hung"):
            assert release.wait(60)
            raise socket.gaierror(-3, "late")
        return real(host, *args, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    yield calls
    release.set()
    deadline = time.monotonic() + 10
    while resolver._pending and time.monotonic() < deadline:
        time.sleep(0.005)
    assert not resolver._pending


def test_resolves():
    assert "127.0.0.1" in resolver.resolve("localhost", 80, 5)


def test_addresses_are_not_repeated(monkeypatch):
    info = (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("8.8.8.8", 80))
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **kwargs: [info, info])
    assert resolver.resolve("x.example", 80, 5) == ["8.8.8.8"]


@pytest.mark.parametrize("host", ["nothing.invalid", "x" * 300, "a..b", "\ud800"])
def test_names_that_do_not_resolve(host):
    with pytest.raises(OSError):
        resolver.resolve(host, 80, 20)


def test_a_hung_lookup_returns_at_the_deadline(hung):
    with pytest.raises(TimeoutError):
        resolver.resolve("hung.example", 80, 0.05)


def test_others_resolve_meanwhile_and_a_hung_name_takes_one_thread(hung):
    for _ in range(200):
        with pytest.raises(TimeoutError):
            resolver.resolve("hung.example", 80, 0.001)
    assert hung.count("hung.example") == 1
    assert resolver.resolve("localhost", 80, 5)


def test_the_number_of_hung_lookups_is_bounded(hung):
    for number in range(resolver.MAX_LOOKUPS):
        resolver.lookup(f"hung{number}.example", 80)
    with pytest.raises(TransportError) as caught:
        resolver.lookup("one-more.example", 80)
    assert caught.value.code == "resolver_busy"


def test_a_forked_child_starts_anew(hung):
    resolver.lookup("hung.example", 80)
    child = os.fork()
    if not child:
        os._exit(
            0 if not resolver._pending and resolver.resolve("localhost", 80, 5) else 1
        )
    assert os.waitpid(child, 0)[1] == 0
    assert resolver._pending
