# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""The caller's address behind proxies, and networks it may be in."""

import ipaddress

import pytest
from hib.protocol import addresses
from hypothesis import given
from hypothesis import strategies as st

PROXIES = addresses.parse_networks("10.0.0.0/8, 2001:db8:1::/48")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("192.0.2.1:8080", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("[2001:db8::1]:443", "2001:db8::1"),
        ("fe80::1%eth0", "fe80::1"),
        (" 192.0.2.1 ", "192.0.2.1"),
    ],
)
def test_addresses_are_read_in_the_forms_proxies_write(text, expected):
    assert str(addresses.parse(text)) == expected


@pytest.mark.parametrize(
    "text", ["", "unknown", "_hidden", "192.0.2", "1.2.3.4.5", "x:1"]
)
def test_what_is_no_address_is_none_and_in_no_network(text):
    address = addresses.parse(text)
    assert address is None
    assert not addresses.contains(addresses.parse_networks("0.0.0.0/0 ::/0"), address)


@given(st.text(max_size=60))
def test_any_text_is_an_address_or_none(text):
    found = addresses.parse(text)
    assert found is None or isinstance(found, addresses.Address)


def test_mapped_addresses_and_mapped_networks_match():
    plain = addresses.parse_networks("192.0.2.0/24")
    mapped = addresses.parse_networks("::ffff:192.0.2.0/120")
    for address in ("192.0.2.9", "::ffff:192.0.2.9"):
        assert addresses.contains(plain, addresses.parse(address))
        assert addresses.contains(mapped, addresses.parse(address))
    assert not addresses.contains(plain, addresses.parse("2001:db8::1"))


@pytest.mark.parametrize(
    ("peer", "forwarded", "expected"),
    [
        ("198.51.100.7", "203.0.113.5", "198.51.100.7"),  # nobody we trust
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", "203.0.113.5", "203.0.113.5"),
        ("10.0.0.1", "203.0.113.5, 198.51.100.7", "198.51.100.7"),  # 203… is invented
        ("10.0.0.1", "203.0.113.5, 10.9.9.9", "203.0.113.5"),  # two proxies
        ("10.0.0.1", "203.0.113.5, 2001:db8:1::7", "203.0.113.5"),
        ("::ffff:10.0.0.1", "203.0.113.5", "203.0.113.5"),
        ("10.0.0.1", "10.0.0.2", "10.0.0.2"),
    ],
)
def test_forwarded_addresses_count_as_far_as_proxies_are_trusted(
    peer, forwarded, expected
):
    assert str(addresses.real_address(peer, forwarded, PROXIES)) == expected


def test_an_unreadable_hop_ends_it_without_an_address():
    assert addresses.real_address("10.0.0.1", "203.0.113.5, rubbish", PROXIES) is None


@given(st.text(max_size=200))
def test_nobody_untrusted_chooses_his_address(forwarded):
    found = addresses.real_address("198.51.100.7", forwarded, PROXIES)
    assert found == ipaddress.ip_address("198.51.100.7")


def test_an_ipv6_subscriber_is_one_neighbour():
    one, two = addresses.parse("2001:db8::1"), addresses.parse("2001:db8::ffff:1")
    assert addresses.neighbourhood(one) == addresses.neighbourhood(two)
    assert addresses.neighbourhood(addresses.parse("192.0.2.1")) == "192.0.2.1"
    assert addresses.neighbourhood(None) == "unknown"
