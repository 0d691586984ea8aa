# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Where the rig keeps its things. All state lives in `.local/`."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LOCAL = Path(os.environ.get("HI_LOCAL") or ROOT / ".local").resolve()
VENV = LOCAL / "venv"
VENV_PYTHON = VENV / "bin" / "python"
ODOO_PACKAGE_ROOT = LOCAL / "odoo-root"
ODOO_CLONE = LOCAL / "odoo-src"
APT = LOCAL / "apt"
STAMPS = LOCAL / "stamps"
LOGS = LOCAL / "logs"
REPORTS = LOCAL / "reports"
DATA = LOCAL / "data"
CONF = LOCAL / "odoo.conf"
LOCK = LOCAL / "rig.lock"
RUN_ODOO = ROOT / "dev" / "rig" / "run_odoo.py"

# The clone's own short name: two clones on one machine share no socket, no
# temporary directory.
CLONE_KEY = hashlib.sha256(str(ROOT).encode()).hexdigest()[:10]


def site_packages() -> Path:
    """Return the venv's site-packages (the venv must exist)."""
    return next((VENV / "lib").glob("python3.*/site-packages"))


def addons() -> list[Path]:
    """Return the folders of this repository that are Odoo addons, by name."""
    return sorted(path.parent for path in ROOT.glob("*/__manifest__.py"))
