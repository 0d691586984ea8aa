# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Causes as they are kept: whatever a partner sent, a database takes them."""

import json
from datetime import datetime
from decimal import Decimal

import pytest
from hib.protocol.cause import Cause
from hypothesis import given
from hypothesis import strategies as st

JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text() | st.integers(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


def test_a_cause_comes_back_as_it_was():
    cause = Cause(
        code="price_difference",
        key="P00042/10",
        title="Price 5.10 against 4.80 on P00042",
        amount=Decimal("3.00"),
        currency="EUR",
        deadline=datetime(2026, 11, 20, 8, 30),
        document=("purchase.order", 42),
        data={"line": 10},
    )
    assert Cause.from_json(json.loads(json.dumps(cause.to_json()))) == cause


@given(key=st.text(), title=st.text(), data=st.dictionaries(st.text(), JSON))
def test_whatever_is_in_it_fits_into_jsonb_and_one_line(key, title, data):
    stored = Cause(code="x", key=key, title=title, data=data).to_json()
    text = json.dumps(stored, allow_nan=False)
    assert "\\u0000" not in text
    json.dumps(stored, ensure_ascii=False).encode()
    assert len(stored["title"].splitlines()) <= 1
    assert len(stored["title"]) <= 200 and len(stored["key"]) <= 500
    assert Cause.from_json(stored).to_json() == stored


@pytest.mark.parametrize(
    "amount", ["NaN", "Infinity", "1e999999", "-1e40"], ids=lambda text: text
)
def test_absurd_amounts_are_left_out(amount):
    cause = Cause(code="x", key="", title="x", amount=Decimal(amount))
    assert cause.to_json()["amount"] is None


def test_moments_and_amounts_in_data_become_text():
    cause = Cause(
        code="x",
        key="",
        title="x",
        data={"due": datetime(2026, 1, 2), "p": Decimal("5.10")},
    )
    assert cause.to_json()["data"] == {"due": "2026-01-02 00:00:00", "p": "5.10"}


@pytest.mark.parametrize(
    "stored",
    [
        {},
        {"code": "x"},
        {"code": "x", "key": "", "title": "", "category": "business", "document": [1]},
    ],
)
def test_what_is_no_cause_is_refused(stored):
    with pytest.raises(ValueError):
        Cause.from_json(stored)


def test_without_personal_data_only_the_kind_is_told():
    cause = Cause(
        code="patient_unknown",
        key="MRN-4711",
        title="Unknown patient Anna",
        data={"name": "Anna"},
        document=("res.partner", 7),
    )
    kept = cause.without_personal_data(lambda key: f"h({len(key)})")
    assert kept == Cause(
        code="patient_unknown",
        key="h(8)",
        title="Patient unknown",
        document=("res.partner", 7),
    )
