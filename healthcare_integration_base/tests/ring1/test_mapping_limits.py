# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Expressions that never end, nest without end or grow without end are cut off."""

import threading
import time
import tracemalloc

import pytest
from hib.protocol import cutoff
from hib.protocol.mapping import MappingError, compile_expression
from hypothesis import given
from hypothesis import strategies as st

# an exception that hits a callback of the garbage collector is reported, and sent again
pytestmark = pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnraisableExceptionWarning"
)

HANG = 30  # seconds; far above any budget below, far below "never"


def failure(text, data=None, **kwargs):
    with pytest.raises(MappingError) as caught:
        compile_expression(text).evaluate(data or {}, **kwargs)
    return caught.value.code


ENDLESS = {
    "tail recursion": "($f := function($n) { $f($n + 1) }; $f(1))",
    # the library's own time box is off for the second key of an object
    "second key": '{"a": 1, "b": ($f := function($n) { $f($n + 1) }; $f(1))}',
    "after an object": '({"a": 1, "b": 2}; $f := function($n) { $f($n + 1) }; $f(1))',
    "in $map": "$map([1..3], function($x) { ($f := function($n) { $f($n + 1) }; $f(1)) })",
    "inside a built-in": "$distinct([1..100000])",
    "in $sort": "$sort([1..50000], function($a, $b) { $sum([1..1000]) > 0 })",
    "in $reduce": "$reduce([1..100000], function($a, $b) { $a + $sum([1..1000]) })",
    "many built-ins": "$count([1..100000].$sum([1..10000]))",
}


@pytest.mark.parametrize("text", ENDLESS.values(), ids=ENDLESS)
@pytest.mark.parametrize("budget", [0.1, 0.5])
def test_endless_expressions_are_cut_off(text, budget):
    started = time.monotonic()
    assert failure(text, timeout=budget) == "mapping_timeout"
    assert budget <= time.monotonic() - started < HANG


def test_they_are_cut_off_in_other_threads_too():
    codes = []
    threads = [
        threading.Thread(
            target=lambda text=text: codes.append(failure(text, timeout=0.2)),
            daemon=True,
        )
        for text in ENDLESS.values()
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(HANG)
    assert codes == ["mapping_timeout"] * len(ENDLESS)


def test_the_time_counts_from_the_evaluation_not_from_compiling():
    compiled = compile_expression("$sum([1..100])")
    until = time.monotonic() + 0.15
    while time.monotonic() < until:  # the library's time box would have run out
        pass
    assert compiled.evaluate({}, timeout=0.1) == 5050


def test_after_a_cut_off_everything_works():
    for _ in range(5):
        failure(ENDLESS["inside a built-in"], timeout=0.05)
        assert compile_expression("$sum([1..100])").evaluate({}) == 5050


@pytest.mark.parametrize(
    "text",
    [
        "($f := function($n) { 1 + $f($n + 1) }; $f(1))",
        "($a := function($n) { [$b($n)] }; $b := function($n) { [$a($n)] }; $a(1))",
        "($f := function($x) { {'a': $f($x)} }; $f(1))",
        "($f := function($x) { $x ~> $f }; 1 ~> $f)",
        "$map([1], function($x) { ($f := function($y) { $map([1], $f) }; $f(1)) })",
    ],
)
def test_recursion_is_bounded(text):
    assert failure(text) == "mapping_too_deep"


def test_deep_data_and_deep_expressions():
    deep = []
    for _ in range(500):
        deep = [deep]
    assert failure("$", deep) in ("mapping_too_deep", "mapping_not_json")
    for text in (
        "(" * 5_000,
        "(" * 2_000 + "1" + ")" * 2_000,
        "[" * 3_000,
        "{'a':" * 2_000,
        "-" * 5_000 + "1",
    ):
        assert failure(text) in ("mapping_too_deep", "mapping_syntax")
    assert failure("1" + " + 1" * 30_000) == "mapping_too_large"


def growing(step, start):
    """An expression that applies a step sixty times to its own result."""
    body = f"$n = 0 ? $x : $f({step}, $n - 1)"
    return f"($f := function($x, $n) {{ {body} }}; $f({start}, 60))"


SHARED = growing("{'a': $x, 'b': $x}", "1")
GROWING = {
    "text": growing("$x & $x", "'aaaaaaaaaa'"),
    "array": growing("$append($x, $x)", "[1]"),
    "constructor": growing("[$x, $x]", "1"),
    "shared objects": SHARED,
    "shared objects as text": f"$string({SHARED})",
    "shared objects joined": f"'' & {SHARED}",
    "shared objects cloned": f"$clone({SHARED})",
    "shared objects compared": f"{SHARED} = {SHARED}",
    "range": "[1..9999999]",
    "pad": "$pad('a', 1000000000)",
    "pad left": "$pad('a', -1000000000)",
    "join": "$join([1..100000].('aaaaaaaaaaaaaaaaaaaa'), 'bbbbbbbbbbbbbbbbbbbbb')",
    "replace": "($a := $join([1..100000].('aaaa')); $replace($a, 'a', $a))",
    "replace by pattern": "($a := $join([1..1000].('aaaa')); $replace($a, /a/, '$0' & $a & $a))",
    "encoded": growing("$base64encode($base64encode($x))", "'aaaaaaaaaa'"),
    "escaped": growing("$string([$x])", "'\"'"),
}


@pytest.mark.parametrize("text", GROWING.values(), ids=GROWING)
def test_growth_is_bounded_in_memory(text):
    tracemalloc.start()
    try:
        code = failure(text, timeout=20)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert code in ("mapping_too_large", "mapping_too_deep")
    assert peak < 150_000_000


@pytest.mark.parametrize(
    "text",
    [
        "$eval('1')",
        "($e := $eval; $e('1'))",
        "'1' ~> $eval",
        "$map(['1'], $eval)",
        "$eval(?, 1)('1')",
        "{'a': [1, (2; $eval('1'))]}",
        "function($x) { $eval($x) }",
        "$__evaluate_entry",
        "($__evaluate_exit := 1)",
        "x[$eval('true')]",
        "x^(>$eval('a'))",
        "x{a: $eval('b')}",
        "|x|{'a': $eval('1')}|",
    ],
)
def test_forbidden_names_are_refused_when_compiling(text):
    with pytest.raises(MappingError) as caught:
        compile_expression(text)
    assert caught.value.code == "mapping_forbidden"


def test_eval_cannot_be_reached_by_a_computed_name():
    assert failure("$lookup($, 'eval')('1')", {"eval": "x"}) == "mapping_failed"


@pytest.mark.parametrize(
    "pattern",
    [
        "(a+)+$",
        "(a|aa)+$",
        "(a*)*b",
        "([a-z]+)*!",
        "(a|b|ab)*c",
        "(.*a){12}",
        "(a)\\1",
        "(?=a)b",
        "(x+x+)+y",
    ],
)
def test_catastrophic_patterns_are_refused_when_compiling(pattern):
    text = f"$match(x, /{pattern}/)"
    with pytest.raises(MappingError) as caught:
        compile_expression(text)
    assert caught.value.code == "mapping_regex" and caught.value.position == 10


@pytest.mark.parametrize("pattern", ["(", "[a", "a{2,1}", "*a", "(?P<n>", "a" * 600])
def test_wrong_patterns_are_an_error_of_the_author(pattern):
    with pytest.raises(MappingError) as caught:
        compile_expression(f"$match(x, /{pattern}/)")
    assert caught.value.code in ("mapping_regex", "mapping_syntax")


@pytest.mark.parametrize(
    "call",
    [
        "$match(x, /^a*a*a*a*b/)",
        "$contains(x, /\\s*x\\s*y\\s*z/)",
        "$split(x, /.*.*=.*/)",
        "$replace(x, /a*b*c*d/, 'y')",
    ],
)
def test_patterns_on_texts_too_long_for_them(call):
    assert failure(call, {"x": "a" * 100_000}) == "mapping_regex"
    compile_expression(call).evaluate({"x": "a" * 20})


def test_pictures_that_would_backtrack_are_refused():
    call = "$toMillis(x, '" + "[Y]" * 20 + "')"
    assert failure(call, {"x": "1" * 30 + "x"}) == "mapping_too_large"
    assert failure("$toMillis(x, '[Y]-[M]')", {"x": "1" * 100}) == "mapping_failed"


# -- the cut-off itself ----------------------------------------------------------


def test_cut_off_ends_a_loop_that_swallows_exceptions():
    def stubborn(_watch):
        while True:
            try:
                sum(range(100))
            except Exception:
                pass

    with pytest.raises(TimeoutError):
        cutoff.run_for(0.1, stubborn)


def test_an_exception_lost_in_a_destructor_is_sent_again():
    hits = []

    class Swallows:
        def __del__(self):
            try:
                while True:
                    sum(range(100))
            except BaseException as exc:
                hits.append(type(exc).__name__)

    def work(_watch):
        swallows = Swallows()
        del swallows
        while True:
            sum(range(100))

    with pytest.raises(TimeoutError):
        cutoff.run_for(0.05, work)
    assert hits == ["_CutOff"]


def test_cut_off_waits_while_shielded():
    steps = []

    def query():
        end = time.monotonic() + 0.4
        while time.monotonic() < end:
            sum(range(100))
        steps.append("query finished")

    def work(watch):
        watch.shield(query)
        steps.append("never")

    with pytest.raises(TimeoutError):
        cutoff.run_for(0.05, work)
    assert steps == ["query finished"]


def test_results_and_errors_pass():
    assert cutoff.run_for(5, lambda watch: 42) == 42
    with pytest.raises(KeyError):
        cutoff.run_for(5, lambda watch: {}["x"])


def test_nothing_arrives_after_the_call():
    """Calls that end at about the deadline: the exception must not hit later code."""
    outcomes = set()
    for round_ in range(40):
        end = time.monotonic() + 0.04 + round_ * 0.002

        def work(_watch, end=end):
            while time.monotonic() < end:
                pass
            return "in time"

        try:
            outcomes.add(cutoff.run_for(0.05, work))
        except TimeoutError:
            outcomes.add("late")
        for _ in range(2_000):
            pass
    assert outcomes == {"in time", "late"}


def test_cut_off_works_in_a_forked_child():
    import os

    cutoff.run_for(
        5, lambda watch: None
    )  # the watcher thread exists in the parent only
    child = os.fork()
    if not child:
        try:
            failure(ENDLESS["inside a built-in"], timeout=0.1)
            os._exit(0)
        except BaseException:
            os._exit(1)
    assert os.waitpid(child, 0)[1] == 0


@given(st.floats(0.001, 0.01))
def test_calls_with_a_tiny_budget(seconds):
    try:
        assert cutoff.run_for(seconds, lambda watch: sum(range(5_000))) == 12_497_500
    except TimeoutError:
        pass
