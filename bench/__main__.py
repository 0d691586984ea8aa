# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""`python3 -m bench [capture|delivery|inbound|mapping ...]`: have the rig, then measure."""

import os
import subprocess

from dev.rig import cli, databases, paths, stamps
from dev.rig.progress import RigError

NAMES = ("capture", "delivery", "inbound", "mapping")


def main(arguments: list[str]) -> int:
    """Run the named benchmarks, or all of them, with the venv's Python."""
    unknown = sorted({name for name in arguments if name[:1] != "-"} - set(NAMES))
    if unknown:
        raise RigError(
            f"there is no benchmark {', '.join(unknown)}",
            f"make bench BENCH={'|'.join(NAMES)}",
        )
    source = cli.prepare()
    with stamps.exclusive():
        databases.ensure_suite_template(source)
    # two runs at a time would measure each other
    return subprocess.call(
        [str(paths.VENV_PYTHON), "-B", "-m", "bench.run", *arguments],
        env={**os.environ, **databases.odoo_environment()},
        cwd=paths.ROOT,
    )


cli.guarded(main)
