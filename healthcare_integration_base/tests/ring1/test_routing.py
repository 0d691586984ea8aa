# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Paths and rules by which an endpoint tells its messages apart."""

import pytest
from hib.protocol import paths
from hib.protocol.routing import Document, Rule, choose, condition
from hypothesis import given
from hypothesis import strategies as st

ORDER = {
    "kind": "order",
    "order": {"lines": [{"sku": "A-1", "qty": 2}], "urgent": True},
    "a.b": 1,
    "none": None,
}


def document(data=ORDER, mimetype="application/json", **event):
    return Document(data, event, mimetype)


def holds(*texts, **kwargs):
    return condition(*texts).holds(document(**kwargs))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("kind", "order"),
        ("$.kind", "order"),
        ("order.lines[0].sku", "A-1"),
        ('["a.b"]', 1),
        ("order.urgent", True),
        ("none", None),
        ("order.lines[1].sku", paths.MISSING),
        ("order.kind", paths.MISSING),
        ("kind.x", paths.MISSING),
        ("kind[0]", paths.MISSING),
        ("$event.type", "t"),
    ],
)
def test_a_path_finds_its_value(path, value):
    assert paths.parse(path).find(ORDER, {"type": "t"}) is value or (
        paths.parse(path).find(ORDER, {"type": "t"}) == value
    )


@pytest.mark.parametrize(
    "path", ["", " ", "a..b", "a[", "a[-1]", "a[x]", "$event", "$event.a.b", "x" * 256]
)
def test_a_path_that_is_none_is_refused(path):
    with pytest.raises(ValueError):
        paths.parse(path)


@given(st.text(max_size=30))
def test_any_text_is_a_path_or_refused(text):
    try:
        path = paths.parse(text)
    except ValueError:
        return
    path.find(ORDER, {})


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (("equals", "kind", "order"), True),
        (("equals", "kind", "invoice\norder"), True),
        (("equals", "kind", "Order"), False),
        (("equals", "order.lines[0].qty", "2"), True),
        (("equals", "order.urgent", "true"), True),
        (("equals", "order", "x"), False),
        (("exists", "order.lines[0]"), True),
        (("exists", "none"), False),
        (("exists", "nothing"), False),
        (("matches", "kind", "^or"), True),
        (("matches", "kind", "^x"), False),
        (("matches", "nothing", ".*"), False),
        (("content_type", "", "application/JSON"), True),
        (("content_type", "", "text/xml"), False),
        (("always",), True),
        (("jsonata", "", "", "kind = 'order'"), None),
    ],
)
def test_conditions(texts, expected):
    assert holds(*texts) is expected


@pytest.mark.parametrize(
    "texts",
    [
        ("unknown",),
        ("equals", "", "x"),
        ("equals", "kind", ""),
        ("equals", "kind", " \n "),
        ("matches", "kind", ""),
        ("matches", "kind", "("),
        ("matches", "kind", "(a+)+b"),
        ("content_type", "", ""),
        ("exists", ""),
    ],
)
def test_what_cannot_be_decided_cheaply_is_no_condition(texts):
    with pytest.raises(ValueError):
        condition(*texts)


def test_the_first_rule_that_holds_decides():
    rules = [
        Rule(1, condition("equals", "kind", "invoice"), 10),
        Rule(2, condition("equals", "kind", "order"), 20),
        Rule(3, condition("always"), 30),
    ]
    assert choose(rules, document()) == (rules[1], True)
    assert choose(rules[:1], document()) == (None, True)
    assert choose([], document()) == (None, True)


def test_an_expression_before_leaves_it_undecided():
    rules = [
        Rule(1, condition("jsonata", "", "", "true"), 10),
        Rule(2, condition("always"), 20),
    ]
    assert choose(rules, document()) == (None, False)
    assert choose(rules[::-1], document()) == (rules[1], True)


def test_a_pattern_that_would_take_too_long_does_not_hold():
    rule = condition("matches", "kind", "a*b*c*d*x")
    assert rule.holds(document({"kind": "a" * 5000})) is False
