# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""All tests: ring 1, the addons inside Odoo, the whole system; one summary."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from . import chromium, databases, log_scan, paths
from .progress import RigError, say

TEST_DATABASE = "hi_test"
TEST_LOGS = paths.LOCAL / "test-logs"
# a group of tests that takes longer hangs
GROUP_SECONDS = 20 * 60
CLEANING_SECONDS = 30


@dataclass
class Result:
    """What became of one group of tests."""

    name: str
    passed: int = 0
    failed: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    seconds: float = 0.0


def everything(source: Path) -> list[Result]:
    """Run all tests of the repository.

    The whole system mostly waits, so its tests run in two groups beside those inside
    Odoo; what they print is shown when all are through.
    """
    chromium.ensure()
    for folder in (paths.REPORTS, TEST_LOGS):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
    results = [
        ring1(addon) for addon in paths.addons() if (addon / "tests/ring1").is_dir()
    ]
    fresh_database(source)
    try:
        with ThreadPoolExecutor(2) as pool:
            system = [
                pool.submit(_printing_later, name, files)
                for name, files in _system_groups().items()
            ]
            results += [
                inside_odoo(addon) for addon in paths.addons() if _has_odoo_tests(addon)
            ]
            results += [group.result() for group in system]
    finally:
        _end_servers()
    return results


def _system_groups() -> dict[str, list[str]]:
    """Return the files of the whole-system tests: delivery takes as long as all others."""
    files = sorted((paths.ROOT / "tests").glob("test_*.py"))
    delivery = [str(file) for file in files if file.stem.startswith("test_delivery")]
    others = [str(file) for file in files if str(file) not in delivery]
    return {"system-delivery": delivery, "system": others}


def _printing_later(name: str, files: list[str]) -> Result:
    output = TEST_LOGS / f"{name}.out"
    with output.open("wb") as stream:
        result = _pytest(name, "system", files, stream)
    print(output.read_text(errors="replace"), flush=True)
    return result


def fresh_database(source: Path, name: str = TEST_DATABASE) -> None:
    """Make the database the addons' own tests run upon."""
    template = databases.ensure_suite_template(source)
    databases.drop(name)
    databases.create(name, template)


def ring1(addon: Path, *arguments: str) -> Result:
    """Run an addon's tests of plain Python code."""
    target = arguments or (str(addon / "tests" / "ring1"),)
    return _pytest(f"ring1-{addon.name}", "ring1", target)


def inside_odoo(addon: Path, *arguments: str, database: str = TEST_DATABASE) -> Result:
    """Run an addon's tests inside Odoo, its browser tests among them."""
    name = f"odoo-{addon.name}"
    log = TEST_LOGS / f"{name}.log"
    log.unlink(missing_ok=True)
    result = _pytest(
        name,
        "odoo",
        (
            *(arguments or (str(addon / "tests"),)),
            f"--odoo-database={database}",
            f"--odoo-config={paths.CONF}",
            "--odoo-log-level=info",
            f"--odoo-extra=logfile={log}",
            "--odoo-extra=db-filter=^" + database + "$",
        ),
        # the tests drain by themselves; a real runner would take their jobs
        ODOO_QUEUE_JOB_CHANNELS="root:0",
    )
    result.failed += [f"{log.name}: {line}" for line in log_scan.scan(log)]
    return result


def whole_system(*arguments: str) -> Result:
    """Run some of the tests that start real servers."""
    try:
        return _pytest("system", "system", arguments)
    finally:
        _end_servers()


def report(results: list[Result]) -> int:
    """Print the summary; return the exit status."""
    skipped = [text for result in results for text in result.skipped]
    failed = [text for result in results for text in result.failed]
    print("\n" + "=" * 70)
    for result in results:
        print(
            f"{result.name:45} {result.passed:5} passed {len(result.failed):4} failed "
            f"{len(result.skipped):4} skipped {result.seconds:7.0f} s"
        )
    _print_list("skipped", skipped)
    _print_list("failed", failed)
    no_browser = [text for text in skipped if "chrome" in text.lower()]
    if no_browser and os.environ.get("CI") == "true":
        print("\nno Chromium: under CI, skipped browser tests are a failure")
    passed = sum(result.passed for result in results)
    print(
        f"\n{passed} passed, {len(failed)} failed, {len(skipped)} skipped", flush=True
    )
    wrong = failed or not passed or (no_browser and os.environ.get("CI") == "true")
    return 1 if wrong else 0


def _print_list(title: str, texts: list[str]) -> None:
    if texts:
        print(f"\n{title}:")
    for text in texts:
        print(f"  {text}")


def _has_odoo_tests(addon: Path) -> bool:
    return any((addon / "tests").glob("test_*.py"))


def _pytest(name: str, kind: str, arguments, stream=None, **env: str) -> Result:
    paths.REPORTS.mkdir(parents=True, exist_ok=True)
    TEST_LOGS.mkdir(parents=True, exist_ok=True)
    xml = paths.REPORTS / f"{name}.xml"
    xml.unlink(missing_ok=True)
    say(f"tests: {name}")
    started = time.monotonic()
    config = paths.ROOT / "dev" / f"pytest-{kind}.ini"
    command = [
        paths.VENV_PYTHON,
        "-m",
        "pytest",
        "-c",
        config,
        f"--rootdir={paths.ROOT}",
        "-q",
    ]
    code = _run_in_group(
        [*map(str, command), f"--junitxml={xml}", *arguments],
        {**databases.odoo_environment(), **_environment(), **env},
        stream,
    )
    result = _read(name, xml, code)
    result.seconds = time.monotonic() - started
    return result


def _environment() -> dict[str, str]:
    return {
        "HI_ODOO_CONF": str(paths.CONF),
        "HYPOTHESIS_STORAGE_DIRECTORY": str(paths.LOCAL / "hypothesis"),
        "PYTHONDONTWRITEBYTECODE": "1",
    }


def _run_in_group(command: list[str], env: dict[str, str], stream=None) -> int:
    """Run pytest in a process group of its own, for no longer than is allowed."""
    environment = {**os.environ, **env}
    # pytest-odoo would take it for a wish to test with this file alone
    environment.pop("ODOO_RC", None)
    process = subprocess.Popen(
        command,
        cwd=paths.ROOT,
        env=environment,
        start_new_session=True,
        stdout=stream,
        stderr=subprocess.STDOUT if stream else None,
    )
    try:
        return process.wait(GROUP_SECONDS)
    except subprocess.TimeoutExpired:
        say(f"stopped after {GROUP_SECONDS} s")
        return -signal.SIGKILL
    finally:
        _end(process)


def _end(process: subprocess.Popen) -> None:
    """End pytest: as Ctrl-C does, so that fixtures clean up; then by force."""
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(CLEANING_SECONDS)
        except subprocess.TimeoutExpired:
            pass
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    process.wait()


def _end_servers() -> None:
    """Kill servers whose test was killed before it could stop them."""
    for command in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            ours = f"{TEST_LOGS}/".encode() in command.read_bytes()
        except OSError:
            continue  # ended meanwhile, or somebody else's
        if ours:
            os.kill(int(command.parent.name), signal.SIGKILL)


def _read(name: str, xml: Path, code: int) -> Result:
    """Read what pytest wrote; a run that ended early is a failure of its own."""
    result = Result(name)
    if xml.exists():
        for case in ElementTree.parse(xml).iter("testcase"):
            _sort_in(result, case)
    if code not in (0, 1, 5):
        result.failed.append(f"{name}: pytest ended with exit status {code}")
    elif code == 1 and not result.failed:
        result.failed.append(f"{name}: pytest reports a failure, see above")
    return result


def _sort_in(result: Result, case) -> None:
    title = f"{case.get('classname')}::{case.get('name')}"
    bad = (
        case.find("failure") if case.find("failure") is not None else case.find("error")
    )
    skipped = case.find("skipped")
    if bad is not None:
        result.failed.append(f"{title}: {_gist(bad.get('message'))}")
    elif skipped is not None:
        result.skipped.append(f"{title}: {skipped.get('message')}")
    else:
        result.passed += 1


def _gist(text: str | None) -> str:
    lines = [line.strip() for line in (text or "").splitlines() if line.strip()]
    # "failed on teardown with ..." says what it is about in the lines that follow
    return " | ".join(lines[: 3 if text and text.startswith("failed on ") else 1])[:300]


def selected(source: Path, arguments: list[str]) -> int:
    """Run the tests somebody named: `[-d DATABASE] PATH [pytest options]`.

    The path tells the kind. Tests inside Odoo run upon `hi_test`, which is made
    anew when an addon's files changed, or upon the database named by -d as it is.
    """
    database = None
    if arguments[:1] == ["-d"]:
        database, arguments = arguments[1], arguments[2:]
    if not arguments:
        raise RigError("usage: dev/pytest [-d DATABASE] PATH [pytest options]")
    path = Path(arguments[0].split("::")[0]).resolve()
    if "ring1" in path.parts:
        result = ring1(path, *arguments)
    elif path.is_relative_to(paths.ROOT / "tests"):
        result = whole_system(*arguments)
    else:
        if not database:
            database = _current_test_database(source)
        addon = next(a for a in paths.addons() if path.is_relative_to(a))
        result = inside_odoo(addon, *arguments, database=database)
    return report([result])


def _current_test_database(source: Path) -> str:
    template = databases.ensure_suite_template(source)
    if not databases.ensure_copy(TEST_DATABASE, template):
        fresh_database(source)
        databases.note(TEST_DATABASE, template)
    return TEST_DATABASE


if __name__ == "__main__":
    sys.exit("run make test, or dev/pytest PATH")
