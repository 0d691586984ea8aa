# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""The harness and the rig themselves do what the other tests rely on."""

from __future__ import annotations

import os
import subprocess
from importlib.metadata import distributions, requires

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from dev.rig import apt, databases, log_scan, paths, testing
from tests import harness

DEB822 = """\
Types: deb
URIs: http://mirror.example/debian
Suites: bookworm bookworm-updates
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
URIs: http://mirror.example/debian-security
Suites: bookworm-security
Components: main

Types: deb
Enabled: no
URIs: http://other.example/debian
Suites: sid
"""
ONE_LINE = """\
# deb http://commented.example/debian stable main
deb [arch=amd64 signed-by=/etc/keyring.gpg] http://mirror.example/debian stable main
deb-src http://mirror.example/debian stable main
deb https://packages.example/tool stable main
"""


def test_a_server_serves_its_database_dies_and_comes_back(database, odoo_server, sql):
    server = odoo_server()
    partner = server.login().call("res.partner", "create", [{"name": "Harness"}])
    assert (
        sql.value("SELECT name FROM res_partner WHERE id = %s", partner[0]) == "Harness"
    )
    server.kill9()
    assert not server.running()
    assert not server.answers()
    server.start()
    assert server.login().search_read(
        "res.partner", [("id", "=", partner[0])], ["name"]
    )


def test_prefork_workers_die_with_their_server(odoo_server):
    server = odoo_server(workers=2)
    assert server.login().session["uid"]
    server.kill9()
    harness.poll(lambda: harness.port_is_free(server.port), what="the port to be free")


def test_an_error_in_odoos_shell_is_an_error_of_the_test(database):
    assert "admin" in harness.run_in_odoo(
        database, "print(env.ref('base.user_admin').login)"
    )
    with pytest.raises(AssertionError, match="ZeroDivisionError"):
        harness.run_in_odoo(database, "1 / 0")


def test_a_call_that_odoo_refuses_is_an_error_with_its_name(odoo_server):
    admin = odoo_server(allow_log=("recursive Partner",)).login()
    with pytest.raises(harness.RpcError) as refused:
        admin.call("res.partner", "write", [1], {"parent_id": 1})
    assert refused.value.name == "odoo.exceptions.ValidationError"


def test_odoo_finds_its_python_again_when_it_restarts_itself():
    """It executes a bare `python` then, which finds its packages by way of PATH."""
    inner = "import sys; print(sys.prefix)"
    outer = f"import os, sys; os.execve(sys.executable, ['python', '-c', {inner!r}], os.environ)"
    environment = {**os.environ, **databases.odoo_environment()}
    command = [paths.VENV_PYTHON, "-c", outer]
    found = subprocess.check_output(command, env=environment, text=True)
    assert found.strip() == str(paths.VENV)


def test_the_main_debian_mirror_is_found_in_both_formats(tmp_path, monkeypatch):
    monkeypatch.setattr(apt, "SOURCES", tmp_path)
    (tmp_path / "sources.list.d").mkdir()
    (tmp_path / "sources.list").write_text(ONE_LINE)
    (line,) = apt._mirrors()
    assert line.endswith("http://mirror.example/debian {suite} main\n")
    (tmp_path / "sources.list").unlink()
    (tmp_path / "sources.list.d" / "debian.sources").write_text(DEB822)
    (line,) = apt._mirrors()
    assert line.endswith("http://mirror.example/debian {suite} main\n")


def test_only_undeclared_warnings_of_a_log_are_found(tmp_path, monkeypatch):
    allowed = tmp_path / "allow.txt"
    allowed.write_text("# harmless\nsome\\.logger: known\n")
    monkeypatch.setattr(log_scan, "ALLOWED", allowed)
    log = tmp_path / "odoo.log"
    log.write_text(
        "2026-11-20 17:00:00,123 42 INFO db a.logger: fine\n"
        "2026-11-20 17:00:00,123 42 WARNING db some.logger: known trouble\n"
        "2026-11-20 17:00:00,123 42 ERROR db a.logger: bad \n"
        "2026-11-20 17:00:01,123 42 ERROR db a.logger: bad \n"
        "Traceback (most recent call last):\n"
    )
    assert log_scan.scan(log) == ["ERROR db a.logger: bad  (2x)"]


def test_requests_cut_off_by_the_end_of_the_server_are_no_finding(tmp_path):
    line = "2026-11-20 17:00:00,123 42 {} db {}\n".format
    query = line("ERROR", "odoo.sql_db: bad query: b'SELECT 1'")
    log = tmp_path / "odoo.log"
    log.write_text(
        line("INFO", "odoo.service.server: Initiating shutdown")
        + query
        + line("ERROR", "a.logger: bad")
    )
    assert log_scan.scan(log) == ["ERROR db a.logger: bad  (1x)"]
    log.write_text(query)
    assert len(log_scan.scan(log)) == 1


@pytest.mark.parametrize(
    ("code", "xml", "passed", "failed", "skipped"),
    [
        (0, '<testcase classname="a" name="b"/>', 1, 0, 0),
        (1, '<testcase><failure message="x"/></testcase>', 0, 1, 0),
        (1, '<testcase><error message="x"/></testcase>', 0, 1, 0),
        (
            0,
            '<testcase><skipped message="Chrome executable not found"/></testcase>',
            0,
            0,
            1,
        ),
        (2, "", 0, 1, 0),
        (1, '<testcase classname="a" name="b"/>', 1, 1, 0),
    ],
)
def test_a_run_of_pytest_is_counted(tmp_path, code, xml, passed, failed, skipped):
    report = tmp_path / "r.xml"
    report.write_text(f"<testsuites><testsuite>{xml}</testsuite></testsuites>")
    result = testing._read("group", report, code)
    counts = (result.passed, len(result.failed), len(result.skipped))
    assert counts == (passed, failed, skipped)


@pytest.mark.parametrize(("ci", "status"), [("true", 1), ("", 0)])
def test_skipped_browser_tests_fail_only_under_ci(monkeypatch, capsys, ci, status):
    monkeypatch.setenv("CI", ci)
    result = testing.Result(
        "tours", passed=2, skipped=["t: Chrome executable not found"]
    )
    assert testing.report([result]) == status
    assert capsys.readouterr().out.splitlines()[-1] == "2 passed, 0 failed, 1 skipped"


def test_our_requirements_name_all_that_their_packages_need():
    """Else `pip install --no-deps -r requirements.txt` would leave something out."""
    named = {
        canonicalize_name(Requirement(line).name)
        for line in (paths.ROOT / "requirements.txt").read_text().splitlines()
        if line.strip() and not line.startswith("#")
    }
    needed = {
        canonicalize_name(requirement.name)
        for name in named & {canonicalize_name(d.name) for d in distributions()}
        for requirement in map(Requirement, requires(name) or [])
        if not requirement.marker or requirement.marker.evaluate({"extra": ""})
    }
    assert needed - named == {"odoo"}


def test_every_addon_is_seen_by_the_rig():
    assert {path.name for path in paths.addons()} >= {"healthcare_integration_base"}
