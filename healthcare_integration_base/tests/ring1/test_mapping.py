# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Mappings in JSONata: results, errors with a position, no data in errors."""

import copy
import threading

import pytest
from hib.protocol import mapping
from hib.protocol.errors import Permanent, Rejected
from hib.protocol.mapping import MappingError, compile_expression
from hypothesis import given, settings
from hypothesis import strategies as st

ORDER = {
    "number": "P00001",
    "partner": {"name": "Nord Medical", "gln": None},
    "lines": [{"sku": "A", "qty": "2.50"}, {"sku": "B", "qty": "1"}],
    "empty": [],
}


def run(text, data=ORDER, **kwargs):
    return compile_expression(text).evaluate(data, **kwargs)


def failure(text, data=ORDER, **kwargs):
    with pytest.raises(MappingError) as caught:
        run(text, data, **kwargs)
    return caught.value


# -- results ---------------------------------------------------------------------


@pytest.mark.parametrize(
    "text, expected",
    [
        ("number", "P00001"),
        (
            '{"order": number, "skus": lines.sku}',
            {"order": "P00001", "skus": ["A", "B"]},
        ),
        ("lines[sku='B'].qty", "1"),
        ("$sum(lines.$number(qty))", 3.5),
        ('$map(lines, function($l, $i) { $i & ":" & $l.sku })', ["0:A", "1:B"]),
        ("[1..3]", [1, 2, 3]),
        ("$count([1..3])", 3),
        ("partner.gln", None),
        ('{"gln": partner.gln, "none": partner.nothing}', {"gln": None}),
        ("nothing", None),
        ("$", ORDER),
        ("$uppercase(partner.name)", "NORD MEDICAL"),
        ('$pad(number, 8, "#")', "P00001##"),
        ('$replace(number, /^P0*/, "")', "1"),
        ("$append(lines.sku, 'C')", ["A", "B", "C"]),
        ("$join(lines.sku, '-')", "A-B"),
        ("$string(lines[0])", '{"sku":"A","qty":"2.50"}'),
        ('$toMillis("1970-01-01T00:00:01Z")', 1000),
        ("lines[0] = lines[0]", True),
        ("($f := function($n) { $n <= 1 ? 1 : $n * $f($n - 1) }; $f(10))", 3628800),
    ],
)
def test_expressions(text, expected):
    assert run(text) == expected


def test_types_of_results_are_plain():
    result = run('{"a": [1..2], "b": lines.sku, "c": lines[0]}')
    assert (
        type(result["a"]) is list
        and type(result["b"]) is list
        and type(result["c"]) is dict
    )


@pytest.mark.parametrize(
    "text",
    [
        "$",
        "empty{'a': 1}",
        "lines^(sku)",
        "$append(lines, 1)",
        "$sort(lines.sku)",
        "$reverse(lines)",
        "lines ~> |$|{'x': 1}|",
        "$merge(lines)",
    ],
)
def test_the_data_is_not_changed(text):
    """The evaluator adds to an empty array of its input, and marks results in place."""
    data = copy.deepcopy(ORDER)
    result = run(text, data)
    assert data == ORDER
    if isinstance(result, dict):
        result["lines"] = "changed"
        assert data == ORDER


@pytest.mark.parametrize("data", [None, [], {}, "text", 5, [1, 2], {"a": [[]]}])
def test_any_json_is_taken(data):
    assert run("$", data) == data


def test_data_that_is_no_json_is_refused():
    assert failure("$", {"x": object()}).code == "mapping_not_json"
    assert failure("$", {"x": float("nan")}).code == "mapping_not_json"


def test_variables_do_not_leak_into_the_next_message():
    compiled = compile_expression("($seen := $seen ? 'leaked' : number; $seen)")
    assert [compiled.evaluate(ORDER) for _ in range(3)] == ["P00001"] * 3
    run("($patient := 4711; $patient)")
    assert run("$patient") is None


def test_a_redefined_function_does_not_leak():
    assert (
        run("($uppercase := function($x) { 'hacked' }; $uppercase(number))") == "hacked"
    )
    assert run("$uppercase('a')") == "A"


def test_threads_do_not_disturb_each_other():
    compiled = compile_expression(
        "($n := n; $map([1..50], function($i) { $i * $n })[49])"
    )
    failures = []

    def work(number):
        for _ in range(20):
            if compiled.evaluate({"n": number}) != 50 * number:
                failures.append(number)
            if run("$substring(?, 0, 2)('abc')", {}) != "ab":
                failures.append("partial")

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not failures


def test_compiled_expressions_are_cached_within_bounds():
    assert compile_expression("1 + 41") is compile_expression("1 + 41")
    for number in range(mapping.CACHE_SIZE + 10):
        compile_expression(f"{number}")
    assert len(mapping._cache) == mapping.CACHE_SIZE


def test_the_recursion_limit_of_the_process_is_left_alone():
    """Importing jsonata-python sets it to 10,000, for everybody."""
    import subprocess
    import sys
    from pathlib import Path

    code = (
        "import sys, types; hib = types.ModuleType('hib');"
        "hib.__path__ = [sys.argv[1]]; sys.modules['hib'] = hib;"
        "before = sys.getrecursionlimit();"
        "from hib.protocol.mapping import compile_expression;"
        "assert 'jsonata' not in sys.modules, 'not lazy';"
        "assert compile_expression('1+1').evaluate({}) == 2;"
        "assert sys.getrecursionlimit() == before"
    )
    addon = Path(mapping.__file__).resolve().parents[1]
    subprocess.run([sys.executable, "-c", code, str(addon)], check=True, timeout=60)


# -- crosswalk -------------------------------------------------------------------


def test_crosswalk():
    def lookup(domain, value):
        return {("uom", "Units"): "C62"}.get((domain, value))

    assert run('$crosswalk("uom", "Units")', crosswalk=lookup) == "C62"
    assert run('$crosswalk("uom", "Boxes")', crosswalk=lookup) is None
    assert run('["Units"].$crosswalk("uom", $)', crosswalk=lookup) == "C62"
    assert run('$map(["Units", "Units"], $crosswalk("uom", ?))', crosswalk=lookup) == [
        "C62",
        "C62",
    ]
    assert run('$crosswalk("uom", nothing)', crosswalk=None) is None
    assert failure('$crosswalk("uom", "Units")').code == "mapping_no_crosswalk"


def test_errors_of_the_crosswalk_are_passed_on():
    def lookup(domain, value):
        raise Rejected("No value for the code", code="crosswalk_missing")

    with pytest.raises(Rejected) as caught:
        run('$crosswalk("uom", "x")', crosswalk=lookup)
    assert caught.value.code == "crosswalk_missing"


# -- errors ----------------------------------------------------------------------


@pytest.mark.parametrize(
    "text, position",
    [
        ("a.b.(", 5),
        ('{"a": }', 7),
        ('"abc', 4),
        ("1 +", 3),
        ("[1,2", 4),
        ("/", 1),
        ("a /* comment", None),
        ("a & /", 5),
        ("$x := ", 6),
        ("a ) b", 3),
        ("", 0),
        ("  ", 0),
        ("a\n.b\n.(", 7),
        ('"\\u12"', None),
        ("1e999", 0),
    ],
)
def test_syntax_errors_name_the_position(text, position):
    error = failure(text)
    assert error.code == "mapping_syntax" and error.status == 422
    assert position is None or error.position == position
    assert 0 <= error.position <= len(text)


def test_syntax_errors_name_the_reason():
    assert (
        failure("1 +").message == "Unexpected end of expression (S0207) at character 3"
    )


@pytest.mark.parametrize(
    "text, code",
    [
        ("$number(secret)", "mapping_failed"),
        ("secret + 1", "mapping_failed"),
        ("$error(secret)", "mapping_failed"),
        ("$assert(false, secret)", "mapping_failed"),
        ("secret()", "mapping_failed"),
        ("$parseInteger(secret, '#0')", "mapping_failed"),
        ("$toMillis(secret)", "mapping_failed"),
        ("{secret: 1, 'ssn-4711': 2}", "mapping_failed"),
        ("$asNumber(secret)", "mapping_bad_value"),
        ("$asDate(secret)", "mapping_bad_value"),
        ("$asDateTime(secret)", "mapping_bad_value"),
        ("$asBoolean(secret)", "mapping_bad_value"),
        ("$required(nothing, 'sku')", "mapping_required_missing"),
        ("1/0", "mapping_failed"),
        ("$power(10, 400)", "mapping_failed"),
        ("function($x) { $x }", "mapping_not_json"),
        ('{"f": $uppercase}', "mapping_not_json"),
        ("/a/", "mapping_not_json"),
    ],
)
def test_failures_quote_no_data(text, code, capfd):
    error = failure(text, {"secret": "ssn-4711"})
    assert error.code == code
    assert isinstance(error, Permanent)
    said = (
        error.message + str(error) + repr(error.__cause__) + "".join(capfd.readouterr())
    )
    assert "4711" not in said
    assert error.__suppress_context__ or error.__context__ is None


def test_failures_name_the_position():
    error = failure("number & $number('x')")
    assert error.position is not None and "at character" in error.message


def test_the_message_says_what_is_missing():
    assert "lines[].sku" in failure("$required(nothing, 'lines[].sku')").message
    assert (
        failure("$asNumber('x', 'qty')").message
        == "The field qty: A value cannot be read as a number"
    )


@settings(max_examples=300, deadline=None)
@given(
    st.text(max_size=60)
    | st.text("$()[]{}.,:;?/\\\"'`*&|~>=<+-%!@#^_ 0aeinv\n", max_size=30)
)
def test_random_expressions_only_raise_our_error(text):
    try:
        run(text, timeout=5)
    except MappingError as exc:
        assert exc.code.startswith("mapping_")


@settings(max_examples=60, deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=3),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from(["a", "b", "lines"]), inner)
        ),
        max_leaves=12,
    ),
    st.sampled_from(
        [
            "a.b",
            "lines.a",
            "$count(lines)",
            "{'x': a, 'y': [lines.b]}",
            "**.a",
            "$string($)",
            "$map(lines, function($l){ $l.a })",
            "$exists(a.b) ? a.b : 'none'",
            "a^(b)",
            "lines{a: b}",
        ]
    ),
)
def test_random_data_only_raises_our_error(data, text):
    before = copy.deepcopy(data)
    try:
        run(text, data, timeout=5)
    except MappingError:
        pass
    assert data == before
