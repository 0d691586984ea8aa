# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""The interface keeps what its OpenAPI document promises, whatever comes in.

Schemathesis reads the document of a running server, and calls each operation with values
that fit and values that do not.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import urllib.request

import pytest

from dev.rig import paths
from tests.harness import run_in_odoo

CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
    "response_headers_conformance",
)
# A bounded number of examples: the same ones each time.
LIMITS = (
    *("--max-examples", "6"),
    *("--max-time", "60"),
    *("--generation-deterministic", "--no-shrink", "--continue-on-failure"),
)

SETUP = """
from odoo import Command
company = env.company
names = ["base.group_user", "purchase.group_purchase_user", "stock.group_stock_user",
         "account.group_account_readonly", "analytic.group_analytic_accounting"]
user = env["res.users"].create({
    "name": "Machine", "login": "machine", "company_id": company.id,
    "company_ids": [Command.set(company.ids)],
    "group_ids": [Command.set([env.ref(name).id for name in names])],
})
supplier = env["res.partner"].create(
    {"name": "Medline", "is_company": True, "supplier_rank": 1, "customer_rank": 1, "ref": "V1"})
system = env["integration.system"].create({
    "name": "Network", "code": "network", "environment": "test", "company_id": company.id,
    "partner_id": supplier.id})
product = env["product.product"].create({
    "name": "Serum", "default_code": "SER-1", "type": "consu", "is_storable": True,
    "tracking": "lot", "use_expiration_date": True})
order = env["purchase.order"].create({"partner_id": supplier.id, "order_line": [
    Command.create({"product_id": product.id, "product_qty": 4, "price_unit": 3})]})
order.button_confirm()
move = order.picking_ids.move_ids
move.move_line_ids.unlink()
env["stock.move.line"].create(
    {**move._prepare_move_line_vals(quantity=4), "lot_name": "LOT-1", "picked": True})
order.picking_ids._action_done()
event_type = env["integration.event.type"].search(
    [("code", "=", "supply.purchase_order.acknowledged"), ("direction", "=", "in")])
endpoint = env["integration.endpoint"].create({
    "name": "In", "code": "network-in", "system_id": system.id, "direction": "in",
    "state": "active", "event_type_id": event_type.id})
client = env["integration.client"].create({
    "name": "Network", "system_id": system.id, "user_id": user.id, "record_scope": "company",
    "endpoint_ids": [Command.set(endpoint.ids)], "scope_ids": [
        Command.create({"scope": code}) for code in env["integration.client.scope"]._scopes()]})
print("KEY", client._generate_key("test"))
env.cr.commit()
"""


@pytest.fixture
def key(database):
    """The API key of a client that may do everything."""
    return re.search(r"KEY (\S+)", run_in_odoo(database, SETUP))[1]


def document(server, key: str) -> dict:
    """Return the server's OpenAPI document."""
    request = urllib.request.Request(
        f"{server.url}/integration/v1/openapi.json",
        headers={"Authorization": f"Bearer {key}"},
    )
    with urllib.request.urlopen(request, timeout=60) as response:
        return json.load(response)


def schemathesis(
    server, key: str, folder, *options: str
) -> subprocess.CompletedProcess:
    """Let Schemathesis call the server by the document in ``folder``."""
    command = [str(paths.VENV_PYTHON), "-m", "schemathesis.cli", "run"]
    command += [str(folder / "openapi.json"), "--url", server.url, "--no-color"]
    command += [
        "--header",
        f"Authorization: Bearer {key}",
        "--checks",
        ",".join(CHECKS),
    ]
    command += [
        "--suppress-health-check",
        "all",
        "--warnings",
        "off",
        *LIMITS,
        *options,
    ]
    return subprocess.run(
        command,
        cwd=folder,
        env={
            **os.environ,
            "PYTHONPATH": str(paths.ROOT),
            "SCHEMATHESIS_HOOKS": "tests.contract_hooks",
            "HYPOTHESIS_STORAGE_DIRECTORY": str(folder / "hypothesis"),
        },
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def test_the_interface_answers_as_its_document_promises(
    database, odoo_server, key, sql, tmp_path
):
    server = odoo_server()
    described = document(server, key)
    (tmp_path / "openapi.json").write_text(json.dumps(described))
    done = schemathesis(
        server, key, tmp_path, "--phases", "examples,coverage,fuzzing", "--workers", "1"
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    answers = {
        row["status"]: row["n"]
        for row in sql(
            "SELECT status, sum(hits) AS n FROM integration_access_log GROUP BY 1"
        )
    }
    operations = sum(len(item) for item in described["paths"].values())
    # it was really called, and not only turned away
    assert sum(answers.values()) > 3 * operations, answers
    assert answers.get(200, 0) > operations, answers
    assert not any(status >= 500 for status in answers if status != 503), answers
