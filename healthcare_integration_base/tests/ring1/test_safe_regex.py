# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Regular expressions with a bounded cost."""

import re

import pytest
from hib.protocol import cutoff
from hib.protocol.safe_regex import MAX_STEPS, UnsafeRegex, compile_safe
from hypothesis import given, settings
from hypothesis import strategies as st


@pytest.mark.parametrize(
    "pattern",
    [
        "^[A-Z]{2}[0-9]+$",
        r"^\s*(.*?)\s*$",
        r"-?[0-9]+(\.[0-9]+)?",
        "(foo|bar)x",
        "([0-9]{3})+",
        "[^,]*,",
        "a|b|c",
        r"(\d{4})-(\d{2})",
        "^P0*",
        "(ab)*",
        "x{2,5}",
        "(?i:abc)+",
        "(?P<n>a)",
    ],
)
def test_ordinary_patterns_are_accepted_and_work(pattern):
    safe = compile_safe(pattern)
    text = "P0012 foo, 2026-01-02 abab 123456"
    assert bool(safe.search(text)) == bool(re.search(pattern, text))
    assert [m.span() for m in safe.finditer(text)] == [
        m.span() for m in re.finditer(pattern, text)
    ]
    assert safe.sub("#", text) == re.sub(pattern, "#", text)
    assert safe.split(text) == re.split(pattern, text)


@pytest.mark.parametrize(
    "pattern",
    [
        "(a+)+",
        "(a*)*",
        "(a+)*b",
        "(ab|cd)*",
        "(a|aa)+",
        "(a?b)+",
        "(a?){20}",
        "(.*,){5}",
        "((a{1,3}))+",
        "(x(y+))*",
        r"(a)\1",
        "(?=x)",
        "(?!x)",
        "(?<=x)y",
        "(?<!x)y",
        "(a)?(?(1)b|c)",
        "a{20000}",
        "x" * 501,
        "((ab|cd){2})+",
    ],
)
def test_unpredictable_patterns_are_refused(pattern):
    with pytest.raises(UnsafeRegex):
        compile_safe(pattern)


def test_the_length_of_the_subject_counts():
    safe = compile_safe("a*a*a*b")
    assert safe.search("a" * 50) is None
    for method in (
        safe.search,
        safe.finditer,
        safe.split,
        lambda text: safe.sub("", text),
    ):
        with pytest.raises(UnsafeRegex):
            method("a" * 5_000)


def test_an_anchor_saves_a_factor():
    assert compile_safe("^a*b").steps(1_000) < compile_safe("a*b").steps(1_000)
    assert not compile_safe("^a*b", re.MULTILINE).anchored


PIECES = st.sampled_from(
    [
        "a",
        "b",
        "[ab]",
        ".",
        "a*",
        "a+?",
        "b{0,3}",
        "(ab)*",
        "(a|b)",
        "(a|ab)",
        "^",
        "$",
        "(a*b)",
        "(.)",
        "a?",
        "(?:ab|a)?",
        "(a+)+",
        "(a|b)+",
        "[^a]*",
    ]
)


@settings(max_examples=300, deadline=None)
@given(
    st.lists(PIECES, min_size=1, max_size=7),
    st.integers(1, 400),
    st.sampled_from(["a", "ab", "aab", "b"]),
)
def test_what_is_accepted_ends_soon(pieces, length, unit):
    try:
        safe = compile_safe("".join(pieces))
        subject = (unit * length)[:length] + "!"
        cutoff.run_for(60, lambda watch: safe.search(subject))
    except UnsafeRegex:
        pass
    else:
        assert safe.steps(len(subject)) <= MAX_STEPS


@given(st.text(max_size=30))
def test_random_patterns_only_raise_two_errors(pattern):
    try:
        compile_safe(pattern)
    except (UnsafeRegex, re.error):
        pass
