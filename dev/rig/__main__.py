# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""`python3 -m dev.rig COMMAND`."""

import sys

if sys.version_info < (3, 10):  # noqa: UP036  it is what this line is for
    sys.exit(
        "[rig] ERROR: Odoo 19 runs with Python 3.10 to 3.13, this is "
        + sys.version.split()[0]
        + "\n[rig]   fix: name another one: make demo PYTHON=python3.12"
    )

from dev.rig import cli  # noqa: E402

cli.guarded(cli.main)
