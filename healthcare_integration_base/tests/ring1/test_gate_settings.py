# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Options about callers: defaults, and errors that name the option."""

import pytest
from hib.protocol import gate_settings
from hib.protocol.errors import Configuration


def test_nothing_set_is_the_defaults():
    assert gate_settings.parse({"environment": "test"}) == gate_settings.GateSettings()


def test_options_are_read():
    found = gate_settings.parse(
        {
            "trusted_proxies": "10.0.0.0/8 ::1",
            "address_rate": "0.5",
            "lockout_failures": "3",
            "client_xfcc_header": "X-Client-Cert",
        }
    )
    assert len(found.trusted_proxies) == 2
    assert (found.address_rate, found.lockout_failures) == (0.5, 3)
    assert found.xfcc_header == "X-Client-Cert"


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("trusted_proxies", "nginx"),
        ("address_rate", "-1"),
        ("address_rate", "nan"),
        ("lockout_window", "0"),
        ("oauth_token_seconds", "86400"),
        ("client_verify_header", "X SSL"),
    ],
)
def test_a_wrong_value_names_its_option(option, value):
    with pytest.raises(Configuration, match=option):
        gate_settings.parse({option: value})
