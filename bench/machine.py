# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""On what was measured, and how quiet it was."""

from __future__ import annotations

import datetime
import hashlib
import os
import platform
import statistics
import time

from dev.rig import postgres

ROUNDS = 5


def description() -> dict:
    """Return what a reader needs to compare: no names, no addresses."""
    return {
        "date": datetime.date.today().isoformat(),
        "cores": os.cpu_count(),
        "memory_gb": round(
            os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
        ),
        "system": platform.system(),
        "architecture": platform.machine(),
        "python": platform.python_version(),
        "postgresql": postgres.query("SHOW server_version")[0],
        "fsync": postgres.query("SHOW fsync")[0],
    }


def noise() -> dict:
    """Return the load of the machine, and what a fixed piece of work takes on it."""
    return {"load": round(os.getloadavg()[0], 2), "work_ms": round(_fixed_work(), 1)}


def _fixed_work() -> float:
    took = []
    for _round in range(ROUNDS):
        started = time.perf_counter()
        digest = b""
        for number in range(100_000):
            digest = hashlib.sha256(digest + str(number).encode()).digest()
        took.append(1000 * (time.perf_counter() - started))
    return statistics.median(took)


def summary(report: dict) -> str:
    """Return one line about the machine and its noise."""
    about, noise_ = report["machine"], report["noise"]
    before, after = noise_["before"], noise_["after"]
    return (
        f"{about['date']}, {about['cores']} cores, Python {about['python']}, PostgreSQL "
        f"{about['postgresql']} (fsync {about['fsync']}); load {before['load']} before, "
        f"{after['load']} after; fixed work {before['work_ms']} ms before, "
        f"{after['work_ms']} ms after"
    )
