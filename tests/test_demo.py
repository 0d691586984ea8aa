# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""The demonstration of the main job works, step by step."""

from __future__ import annotations

import json
import os
import subprocess

import pytest

from dev.rig import databases, odoo_source, paths, stamps
from tests import harness

MINUTES = 10


@pytest.fixture
def demo_database():
    """A fresh database with our addons and their demo data."""
    name = "t_demo"
    with stamps.exclusive():
        template = databases.ensure_demo_template(odoo_source.current())
    databases.drop(name)
    databases.create(name, template)
    yield name
    databases.drop(name)


def test_the_main_job_runs_end_to_end(demo_database, tmp_path):
    done = subprocess.run(
        [str(paths.VENV_PYTHON), "-m", "dev.demo"]
        + [f"--database={demo_database}", f"--port={harness.free_port()}"]
        + [f"--folder={tmp_path}"],
        env={**os.environ, **databases.odoo_environment()},
        cwd=paths.ROOT,
        capture_output=True,
        text=True,
        timeout=MINUTES * 60,
        check=False,
    )
    steps = json.loads((tmp_path / "report.json").read_text())["steps"]
    assert [(step["name"], step["detail"]) for step in steps if not step["ok"]] == []
    assert len(steps) >= 10
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
