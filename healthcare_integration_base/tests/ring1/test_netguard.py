# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""The network guard: addresses, URLs, names."""

import ipaddress
import socket

import pytest
from hib.protocol import netguard
from hib.protocol.errors import Refused
from hib.protocol.netguard import (
    NetworkPolicy,
    check_address,
    check_host,
    check_url,
    parse_networks,
)
from hypothesis import given
from hypothesis import strategies as st

STRICT = NetworkPolicy()
HTTP = NetworkPolicy(allow_http=True)


def allowing(*networks, http=False):
    return NetworkPolicy(
        http, tuple(ipaddress.ip_network(network) for network in networks)
    )


def refusal(function, *args, **kwargs):
    with pytest.raises(Refused) as caught:
        function(*args, **kwargs)
    return caught.value


# -- addresses -------------------------------------------------------------------


@pytest.mark.parametrize(
    "address",
    [
        # is_global says True for these on some Python version
        "64:ff9b::7f00:1",
        "64:ff9b:1::1",
        "2002:7f00:1::",
        "::127.0.0.1",
        "5f00::1",
        "fec0::1",
        "192.0.0.8",
        "192.88.99.1",
        "224.0.0.1",
        "ff02::1",
        # and False for these
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "100.64.0.1",
        "198.18.0.1",
        "0.0.0.0",
        "::",
        "240.0.0.1",
        "255.255.255.255",
        "2001:db8::1",
        "fd00:ec2::254",
        "169.254.169.254",
        "2001:0:7f00:1::",
        # more of each kind
        "127.0.0.1",
        "127.255.255.254",
        "::1",
        "10.0.0.1",
        "172.31.255.255",
        "192.168.1.1",
        "fd12:3456::1",
        "fe80::1",
        "fe80::1%eth0",
        "64:ff9b::10.0.0.1",
        "2002:c0a8:0101::1",
        "::ffff:169.254.169.254",
        "::ffff:0:127.0.0.1",
        "100.100.100.200",
        "168.63.129.16",
        "203.0.113.7",
        "3fff::1",
        "2001:2::1",
        "100::1",
        "4000::1",
        "2001:0:4136:e378:8000:63bf:3fff:fdd2",  # Teredo, both ends public
        "not an address",
        "",
        "127.1",
        "0177.0.0.1",
    ],
)
def test_refused_addresses(address):
    assert refusal(check_address, address, STRICT).rule


@pytest.mark.parametrize(
    "address",
    [
        "8.8.8.8",
        "93.184.216.34",
        "172.32.0.1",
        "100.128.0.1",
        "2606:4700::1111",
        "2a00:1450::1",
        "::ffff:8.8.8.8",
        "64:ff9b::8.8.8.8",
    ],
)
def test_public_addresses(address):
    check_address(address, STRICT)


@pytest.mark.parametrize(
    "address, rule, setting",
    [
        ("127.0.0.1", "loopback", "allowed_networks"),
        ("::ffff:127.0.0.1", "loopback", "allowed_networks"),
        ("64:ff9b::127.0.0.1", "loopback", "allowed_networks"),
        ("10.1.2.3", "private_network", "allowed_networks"),
        ("169.254.1.1", "link_local", "allowed_networks"),
        ("169.254.169.254", "metadata", None),
        ("::ffff:169.254.169.254", "metadata", None),
        ("0.0.0.0", "unspecified", None),
        ("224.0.0.1", "multicast", None),
    ],
)
def test_rule_and_setting_are_named(address, rule, setting):
    error = refusal(check_address, address, STRICT)
    assert (error.rule, error.setting, error.code) == (rule, setting, "refused_address")
    assert rule in error.message and address not in error.message
    assert ("odoo.conf" in error.message) is bool(setting)


def test_networks_of_the_allow_list_are_allowed_in_each_form():
    policy = allowing("10.1.0.0/16", "fd12::/48")
    for address in ("10.1.2.3", "::ffff:10.1.2.3", "64:ff9b::10.1.2.3", "fd12::5"):
        check_address(address, policy)
    for address in ("10.2.0.1", "fd13::5", "127.0.0.1"):
        refusal(check_address, address, policy)


@pytest.mark.parametrize(
    "address",
    [
        "169.254.169.254",
        "0.0.0.0",
        "255.255.255.255",
        "224.0.0.1",
        "::",
        "fd00:ec2::254",
    ],
)
def test_nothing_lifts_the_final_rules(address):
    assert (
        refusal(check_address, address, allowing("0.0.0.0/0", "::/0")).setting is None
    )


@given(st.ip_addresses(v=4))
def test_each_ipv4_is_judged_alike_in_every_ipv6_form(address):
    forms = [f"::ffff:{address}", f"64:ff9b::{address}"]
    try:
        check_address(str(address), STRICT)
    except Refused as exc:
        sixtofour = ipaddress.IPv6Address((0x2002 << 112) | (int(address) << 80) | 1)
        for form in [*forms, str(sixtofour)]:
            assert refusal(check_address, form, STRICT).rule == exc.rule
    else:
        for form in forms:
            check_address(form, STRICT)


@given(st.ip_addresses())
def test_whatever_python_calls_private_is_refused_too(address):
    if not address.is_global and not getattr(address, "ipv4_mapped", None):
        refusal(check_address, str(address), STRICT)


@given(st.text(max_size=40))
def test_random_text_is_no_address(text):
    try:
        check_address(text, STRICT)
    except Refused:
        pass


def test_no_socket_is_made_for_a_refused_address():
    info = (
        socket.AF_INET,
        socket.SOCK_STREAM,
        socket.IPPROTO_TCP,
        "",
        ("10.0.0.1", 443),
    )
    assert refusal(netguard.open_socket, info, STRICT).rule == "private_network"
    with netguard.open_socket(info, allowing("10.0.0.0/8")) as made:
        assert made.family == socket.AF_INET


# -- settings --------------------------------------------------------------------


def test_networks_of_the_setting():
    assert parse_networks(" 10.1.0.0/16, fd12::/48\n127.0.0.1 ") == (
        ipaddress.ip_network("10.1.0.0/16"),
        ipaddress.ip_network("fd12::/48"),
        ipaddress.ip_network("127.0.0.1/32"),
    )
    assert parse_networks("") == ()
    with pytest.raises(ValueError, match="10.1.0.0/99"):
        parse_networks("10.0.0.0/8, 10.1.0.0/99")


# -- URLs ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url, rule",
    [
        ("", "length"),
        ("https://" + "a" * 3_000, "length"),
        ("http://partner.example/x", "scheme"),
        ("ftp://partner.example/x", "scheme"),
        ("file:///etc/passwd", "scheme"),
        ("//partner.example/x", "scheme"),
        ("partner.example/x", "scheme"),
        ("https:///x", "host"),
        ("https://", "host"),
        ("https://user:pw@partner.example/", "userinfo"),
        ("https://user@partner.example/", "userinfo"),
        ("https://@partner.example/", "userinfo"),
        ("https://partner.example/#top", "fragment"),
        ("https://partner.example/#", "fragment"),
        ("https://partner.example:0/", "port"),
        ("https://partner.example:65536/", "port"),
        ("https://partner.example:x/", "port"),
        ("https://partner.example:/", "port"),
        ("https://partner.example/a b", "characters"),
        ("https://partner.example/\n", "characters"),
        ("https://partner.example\\@10.0.0.1/", "characters"),
        ("https://partner.example/\x00", "characters"),
        ("https://partner.example/\u2028", "characters"),
        ("https://par tner.example/", "characters"),
        ("https://-partner.example/", "host"),
        ("https://partner..example/", "host"),
        ("https://" + "a" * 64 + ".example/", "host"),
        ("https://[::1", "host"),
        ("https://[::1%25lo]/", "host"),
        ("https://[fe80::1%lo]/", "host"),
        ("https://[v1.x]/", "host"),
        ("https://[127.0.0.1]/", "host"),
        ("https://par%74ner.example/", "host"),
        # numbers that some system reads as 127.0.0.1
        ("https://2130706433/", "host"),
        ("https://0x7f000001/", "host"),
        ("https://0X7F.0.0.1/", "host"),
        ("https://0x7f.1/", "host"),
        ("https://017700000001/", "host"),
        ("https://0177.0.0.1/", "host"),
        ("https://127.1/", "host"),
        ("https://127.0.0.1./", "host"),
        ("https://256.0.0.1/", "host"),
        ("https://1.2.3.4.5/", "host"),
        ("https://partner.0x1/", "host"),
        # the same in other digits and dots
        ("https://\uff11\uff12\uff17.0.0.1/", "loopback"),
        ("https://\u2460\u2461\u2466.0.0.1/", None),
        ("https://127\u30020\u30020\u30021/", "loopback"),
        # literals
        ("https://127.0.0.1/", "loopback"),
        ("https://127.0.0.1:8443/x", "loopback"),
        ("https://[::1]/", "loopback"),
        ("https://[::ffff:7f00:1]/", "loopback"),
        ("https://169.254.169.254/latest/meta-data", "metadata"),
        ("https://10.0.0.5/", "private_network"),
        ("https://[fd00::1]/", "private_network"),
    ],
)
def test_refused_urls(url, rule):
    error = refusal(check_url, url, STRICT)
    assert rule is None or error.rule == rule
    assert "pw" not in error.message


@pytest.mark.parametrize(
    "url, host, netloc",
    [
        ("https://partner.example/x?y=1", "partner.example", "partner.example"),
        ("HTTPS://Partner.Example:8443/X", "partner.example", "partner.example:8443"),
        ("https://partner.example./x", "partner.example.", "partner.example."),
        (
            "https://b\u00fccher.example/x",
            "xn--bcher-kva.example",
            "xn--bcher-kva.example",
        ),
        (
            "https://stra\u00dfe.example/",
            "xn--strae-oqa.example",
            "xn--strae-oqa.example",
        ),
        ("https://my_host.example/", "my_host.example", "my_host.example"),
        ("https://8.8.8.8/", "8.8.8.8", "8.8.8.8"),
        ("https://[2606:4700:0::1111]:99/", "2606:4700::1111", "[2606:4700::1111]:99"),
        ("https://localhost/", "localhost", "localhost"),  # judged by its address
    ],
)
def test_accepted_urls(url, host, netloc):
    parts = check_url(url, STRICT)
    assert (parts.hostname, parts.netloc, parts.scheme) == (host, netloc, "https")


def test_path_and_query_stay_as_they_are():
    url = "https://partner.example/a%2Fb/../c?q=%20x&r"
    assert check_url(url, STRICT).geturl() == url


def test_http_is_for_test_environments():
    assert check_url("http://partner.example/", HTTP).scheme == "http"
    assert refusal(check_url, "http://127.0.0.1:8080/", HTTP).rule == "loopback"
    assert (
        check_url("http://127.0.0.1:8080/", allowing("127.0.0.0/8", http=True)).port
        == 8080
    )
    assert (
        "environment" in refusal(check_url, "http://partner.example/", STRICT).message
    )


@given(st.text(max_size=80))
def test_random_urls_only_raise_refused(text):
    for url in (
        text,
        "https://" + text,
        "https://" + text + ".example/",
        "https://[" + text + "]/",
    ):
        try:
            check_url(url, STRICT)
        except Refused as exc:
            assert exc.rule


# -- names -----------------------------------------------------------------------


def answering(*addresses):
    return lambda host, port, timeout: list(addresses)


def test_names_are_judged_by_their_addresses():
    assert check_host("https://partner.example/", STRICT, answering("8.8.8.8")) == [
        "8.8.8.8"
    ]
    error = refusal(
        check_host, "https://partner.example/", STRICT, answering("10.0.0.1")
    )
    assert (error.rule, error.setting) == ("private_network", "allowed_networks")
    assert check_host(
        "https://partner.example/", allowing("10.0.0.0/8"), answering("10.0.0.1")
    )


@pytest.mark.parametrize(
    "addresses", [("8.8.8.8", "10.0.0.1"), ("10.0.0.1", "8.8.8.8"), ("8.8.8.8", "::1")]
)
def test_a_name_with_a_public_and_a_private_address_is_refused(addresses):
    refusal(check_host, "https://partner.example/", STRICT, answering(*addresses))


def test_names_that_do_not_resolve():
    def fails(host, port, timeout):
        raise socket.gaierror(-2, "unknown")

    def hangs(host, port, timeout):
        raise TimeoutError

    for resolve in (fails, hangs, answering()):
        assert (
            refusal(check_host, "https://x.example/", STRICT, resolve).rule
            == "unresolvable"
        )


def test_literals_are_not_resolved():
    def never(host, port, timeout):
        raise AssertionError

    assert check_host("https://8.8.8.8/", STRICT, never) == ["8.8.8.8"]
    assert refusal(check_host, "https://[::1]/", STRICT, never).rule == "loopback"


def test_port_and_timeout_reach_the_resolver():
    asked = []

    def resolve(host, port, timeout):
        asked.append((host, port, timeout))
        return ["8.8.8.8"]

    check_host("https://partner.example:8443/", STRICT, resolve, timeout=3)
    check_host("https://partner.example/", STRICT, resolve)
    assert asked == [("partner.example", 8443, 3), ("partner.example", 443, 5.0)]


def test_localhost_is_refused_with_the_real_resolver():
    assert refusal(check_host, "https://localhost/", STRICT).rule == "loopback"
