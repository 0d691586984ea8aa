# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""The demonstration: what it promises comes out, and what goes wrong is told."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time

import pytest

from dev.demo import processes
from dev.demo.report import Failed, Report, expect, until
from dev.partners import journal
from dev.rig import paths

KEYS = ["received_at", "path", "headers", "body_base64", "verified", "answered"]
PARTNERS = ("supplier_network", "finance", "logistics")


def test_the_main_job_runs_end_to_end(database, tmp_path):
    run = subprocess.run(
        [str(paths.VENV_PYTHON), "-m", "dev.demo", "--database", database]
        + ["--folder", str(tmp_path)],
        cwd=paths.ROOT,
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    report = json.loads((tmp_path / "report.json").read_text())
    assert len(report["steps"]) >= 19
    assert all(step["ok"] is True and step["detail"] for step in report["steps"])
    for name in PARTNERS:
        check_log(tmp_path / f"{name}.jsonl")
    assert "Bearer" not in (tmp_path / "odoo.log").read_text()


def check_log(path):
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert lines, f"{path.name} is empty"
    assert all(list(line) == KEYS for line in lines)
    assert all(line["verified"] for line in lines)
    assert {line["headers"].get("authorization") for line in lines} <= {None, "***"}


def test_a_failed_step_is_told_and_the_run_goes_on(tmp_path, capsys):
    report = Report(tmp_path / "report.json")

    def broken():
        expect(1 == 2, "one is not two")

    assert not report.run("first", broken)
    assert not report.run("second", lambda: {}["missing"])
    assert report.run("third", lambda: "fine")
    assert not report.ok
    written = json.loads(report.path.read_text())
    assert [step["ok"] for step in written["steps"]] == [False, False, True]
    assert written["steps"][0]["detail"] == "one is not two"
    assert "KeyError" in written["steps"][1]["detail"]
    assert "one is not two" in report.table()
    assert "FAILED" in capsys.readouterr().out


def test_a_report_without_steps_is_no_success(tmp_path):
    assert not Report(tmp_path / "report.json").ok


def test_waiting_ends_with_the_reason():
    started = time.monotonic()
    with pytest.raises(Failed, match="in vain: the moon"):
        until(lambda: False, "the moon", 0.2)
    assert time.monotonic() - started < 10
    assert until(iter([0, None, "now"]).__next__, "the third") == "now"


def test_a_partner_that_cannot_start_says_why(tmp_path):
    partner = processes.PartnerProcess("finance", tmp_path / "one.jsonl")
    port = int(partner.url.rpartition(":")[2])
    try:
        with pytest.raises(Failed, match="address already in use"):
            processes.PartnerProcess("finance", tmp_path / "two.jsonl", port)
        with pytest.raises(Failed, match="finance cannot dance"):
            partner.control("dance")
    finally:
        partner.stop()
    assert partner.process.returncode == 0


def test_errors_and_tracebacks_in_a_server_log_are_found(tmp_path):
    log = tmp_path / "odoo.log"
    lines = [
        "2026-11-20 17:42:45,318 1599 INFO demo odoo.http: fine",
        "2026-11-20 17:42:46,318 1599 ERROR demo odoo.sql_db: bad query",
        "2026-11-20 17:42:47,318 1599 INFO demo odoo.x: something",
        "Traceback (most recent call last):",
    ]
    log.write_text("\n".join(lines))
    assert [text[:9] for text in processes.trouble(log)] == ["2026-11-2", "Traceback"]


def test_a_journal_gives_back_the_bytes(tmp_path):
    log = journal.Journal(tmp_path / "x.jsonl")
    headers = {"Authorization": "Bearer s", "Webhook-Id": "1", "X-Api-Key": "k"}
    log.received("/a", headers, b"\xff\x00", verified=True, answered=202, at="now")
    entry = journal.read(log.path)[0]
    assert entry["body"] == b"\xff\x00"
    assert entry["headers"] == {
        "authorization": "***",
        "webhook-id": "1",
        "x-api-key": "***",
    }


def test_a_run_that_is_stopped_leaves_no_process(tmp_path):
    script = (
        "import signal, sys, time\n"
        "from pathlib import Path\n"
        "from dev.demo.processes import PartnerProcess, cleaning\n"
        "with cleaning() as stack:\n"
        "    partner = PartnerProcess('finance', Path(sys.argv[1]) / 'f.jsonl')\n"
        "    stack.callback(partner.stop)\n"
        "    print(partner.process.pid, flush=True)\n"
        "    time.sleep(60)\n"
    )
    run = subprocess.Popen(
        [str(paths.VENV_PYTHON), "-c", script, str(tmp_path)],
        cwd=paths.ROOT,
        stdout=subprocess.PIPE,
    )
    pid = int(run.stdout.readline())
    run.terminate()
    run.send_signal(signal.SIGINT)
    run.wait(20)
    run.stdout.close()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
