# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Several transactions meet the same new cause at once: one case, and nobody's work is lost."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from tests.harness import run_in_odoo

WRITERS, KEYS = 3, 40
# Each is a process with snapshots of its own, as drains and users' requests have.
SOURCE = """
import time
import psycopg2
from odoo.addons.healthcare_integration_base.protocol.cause import Cause

env.cr.execute("SELECT pg_advisory_lock(0, 7000 + %(number)s)")
deadline = time.monotonic() + 120
while True:  # all start together
    env.cr.execute(
        "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND classid = 0"
        " AND objid BETWEEN 7000 AND 7099 AND granted"
    )
    if env.cr.fetchone()[0] >= %(writers)s:
        break
    assert time.monotonic() < deadline, "the others did not come"
    time.sleep(0.01)

conflicts = 0
for n in range(%(keys)s):
    cause = Cause(code="race", key="K%%s" %% n, title="Race %%s" %% n)
    for attempt in range(10):
        try:
            env.cr.execute("SELECT 1")  # the snapshot is older than the others' cases
            env["res.partner"].create({"name": "race %%s %(number)s" %% n})
            env["integration.exception"]._raise_case(cause)
            time.sleep(0.005)
            env.cr.commit()
            break
        except psycopg2.errors.SerializationFailure:
            conflicts += 1
            env.cr.rollback()
            env.clear()
    else:
        raise AssertionError("never got through")
print("conflicts:", conflicts)
"""


def test_one_case_of_a_cause_that_several_meet_at_once(database, sql):
    """Conflicts are serialization failures, which are repeated; never anything else."""
    sources = [
        SOURCE % {"number": number, "writers": WRITERS, "keys": KEYS}
        for number in range(WRITERS)
    ]
    with ThreadPoolExecutor(WRITERS) as pool:
        told = pool.map(lambda source: run_in_odoo(database, source, 240), sources)
        conflicts = [int(text.rpartition("conflicts:")[2]) for text in told]
    assert sum(conflicts), "they never met"
    rows = sql(
        "SELECT cause_key, count(*) FROM integration_exception WHERE code = 'race'"
        " GROUP BY cause_key"
    )
    assert len(rows) == KEYS
    assert {row["count"] for row in rows} == {1}
    work = sql.value("SELECT count(*) FROM res_partner WHERE name LIKE 'race %'")
    assert work == WRITERS * KEYS
