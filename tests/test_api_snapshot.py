# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Who follows a collection by updated_since loses nothing, however late a change commits."""

from __future__ import annotations

import json
import re
import urllib.parse
import urllib.request

from tests.harness import connect, poll, run_in_odoo

SETUP = """
from odoo import Command
company = env.company
user = env["res.users"].create({
    "name": "Machine", "login": "machine", "company_id": company.id,
    "company_ids": [Command.set(company.ids)],
})
system = env["integration.system"].create({
    "name": "Analytics", "code": "analytics", "environment": "test", "company_id": company.id})
client = env["integration.client"].create({
    "name": "Analytics", "system_id": system.id, "user_id": user.id,
    "record_scope": "company", "scope_ids": [Command.create({"scope": "products:read"})]})
for code in ("EARLY", "SLOW", "QUICK"):
    env["product.product"].create({"name": code, "default_code": code, "type": "consu"})
print("KEY", client._generate_key("test"))
env.cr.commit()
"""
# As Odoo does: the moment at which the transaction began.
TOUCH = """
    UPDATE product_product SET write_date = now() AT TIME ZONE 'UTC'
    WHERE default_code = %s RETURNING write_date
"""


class Follower:
    """A consumer that asks again and again for what has changed since the last item."""

    def __init__(self, server, key: str, since: str) -> None:
        self.server, self.key, self.since = server, key, since
        self.seen: list[str] = []

    def visit(self) -> list[str]:
        """Read what is new; return the numbers seen so far."""
        query = urllib.parse.urlencode(
            {"updated_since": self.since, "fields": "number,updated_at"}
        )
        request = urllib.request.Request(
            f"{self.server.url}/integration/v1/products?{query}",
            headers={"Authorization": f"Bearer {self.key}"},
        )
        with urllib.request.urlopen(request, timeout=60) as response:
            items = json.load(response)["items"]
        for item in items:
            self.seen.append(item["number"])
            self.since = item["updated_at"]
        return self.seen


def test_a_change_that_commits_late_is_not_lost(database, odoo_server, sql):
    key = re.search(r"KEY (\S+)", run_in_odoo(database, SETUP))[1]
    server = odoo_server()
    since = sql.value("SELECT clock_timestamp() AT TIME ZONE 'UTC'")
    follower = Follower(server, key, f"{since.isoformat()}Z")
    sql(TOUCH, "EARLY")
    poll(lambda: "EARLY" in follower.visit())

    slow = connect(database)
    slow.autocommit = False
    with slow.cursor() as cursor:
        cursor.execute(TOUCH, ("SLOW",))  # begins first, commits last
        [begun] = cursor.fetchone()
        quick = sql.value(TOUCH, "QUICK")
        assert begun < quick
        # long enough that a follower would get QUICK, if nobody held it back
        poll(lambda: _has_aged(sql, quick))
        assert "QUICK" not in follower.visit()
        slow.commit()
    slow.close()

    poll(lambda: {"SLOW", "QUICK"} <= set(follower.visit()))
    first = {
        number: follower.seen.index(number) for number in ("EARLY", "SLOW", "QUICK")
    }
    assert sorted(first, key=first.get) == ["EARLY", "SLOW", "QUICK"]


def _has_aged(sql, moment) -> bool:
    return sql.value(
        "SELECT clock_timestamp() AT TIME ZONE 'UTC' - %s > interval '3 s'", moment
    )
