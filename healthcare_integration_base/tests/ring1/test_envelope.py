# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""CloudEvents 1.0 bodies."""

import json
import re
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from uuid import UUID

import pytest
from hib.protocol import envelope
from hib.protocol.errors import Permanent
from hypothesis import given
from hypothesis import strategies as st

ARGUMENTS = {
    "uid": "0190a0a0-0000-7000-8000-000000000000",
    "code": "supply.purchase_order.released",
    "version": 1,
    "source": "urn:odoo:db:main",
    "subject": "purchase.order/P00001",
    "time": datetime(2026, 1, 2, 3, 4, 5),
    "data": {"number": "P00001"},
    "dataschema": "https://odoo.example/integration/v1/schemas/supply.purchase_order.released/1",
}


def event(**changes):
    return envelope.cloudevent(**{**ARGUMENTS, **changes})


def test_required_attributes():
    made = event()
    assert made["specversion"] == "1.0"
    assert made["id"] == ARGUMENTS["uid"]
    assert made["type"] == "healthcare.supply.purchase_order.released.v1"
    assert made["time"] == "2026-01-02T03:04:05Z"
    assert made["datacontenttype"] == "application/json"
    assert made["data"] == {"number": "P00001"}
    assert list(made)[-1] == "data"


def test_extensions_have_the_names_of_the_design():
    made = event(
        traceparent="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        correlation_uid="c",
        causation_uid="a",
        ordering_key="purchase.order,1",
        dataclass="phi",
    )
    assert {
        "traceparent",
        "correlationid",
        "causationid",
        "partitionkey",
        "dataclass",
    } < set(made)
    assert all(re.fullmatch(r"[a-z0-9]{1,20}", name) for name in made)


def test_attributes_without_a_value_are_left_out():
    made = event(subject=None, dataschema=None, correlation_uid="")
    assert not {
        "subject",
        "dataschema",
        "correlationid",
        "traceparent",
        "dataclass",
    } & set(made)


def test_data_may_be_empty():
    assert event(data={})["data"] == {}
    assert event(data=None)["data"] is None


@pytest.mark.parametrize(
    "code, version", [("supply.item.created", 1), ("finance.invoice.issued", 12)]
)
def test_types_read_back(code, version):
    assert envelope.parse_type(envelope.type_of(code, version)) == (code, version)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "supply.item.created.v1",
        "healthcare.supply.item",
        "healthcare..v1",
        "healthcare.x.v0",
        "healthcare.x.v1 ",
        "healthcare.X.v1",
        "healthcare.x.v1\n",
        "healthcare.x.v9999999",
    ],
)
def test_other_types_are_refused(text):
    with pytest.raises(Permanent) as caught:
        envelope.parse_type(text)
    assert caught.value.code == "unknown_event_type"


def test_values_of_business_documents():
    value = {
        "b": Decimal("10.50"),
        "a": Decimal("1E+3"),
        "moment": datetime(2026, 7, 1, 12, tzinfo=timezone(timedelta(hours=2))),
        "day": date(2026, 7, 1),
        "id": UUID(int=0),
        "ward": "Zürich",
    }
    assert envelope.dumps(value).decode() == (
        '{"b":"10.50","a":"1000","moment":"2026-07-01T10:00:00Z","day":"2026-07-01",'
        '"id":"00000000-0000-0000-0000-000000000000","ward":"Zürich"}'
    )


@pytest.mark.parametrize(
    "value",
    [
        float("nan"),
        float("inf"),
        Decimal("NaN"),
        Decimal("Infinity"),
        "\ud800",
        {1: object()},
        b"bytes",
        {b"x": 1},
        {(1, 2): 3},
    ],
)
def test_what_is_not_json_is_refused_without_being_quoted(value):
    with pytest.raises(Permanent) as caught:
        envelope.dumps({"patient": [value]})
    assert caught.value.code == "not_json"
    assert "patient" not in caught.value.message


def test_endless_nesting_is_refused():
    value: list = []
    value.append(value)
    with pytest.raises(Permanent):
        envelope.dumps(value)
    for _ in range(100_000):
        value = [value]
    with pytest.raises(Permanent):
        envelope.dumps(value)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(JSON)
def test_json_reads_back(value):
    try:
        body = envelope.dumps(value)
    except Permanent:
        assert "ud" in ascii(value)  # only lone surrogates are refused
    else:
        assert json.loads(body) == value
