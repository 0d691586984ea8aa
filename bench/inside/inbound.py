# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Endpoints that take messages, the same for the peers, and what came in."""

import json

from odoo import Command
from odoo.tools import SQL

TYPE = "supply.shipment.notified"
USER = "bench-machine"
CODE = "bench-in"
HOOK = "model.sudo().create({'body': json.dumps(payload)})"
SNIPPET = """
env["bench.inbound"].sudo().create({"body": request.httprequest.get_data(as_text=True)})
result = {"status_code": 200, "payload": "{}"}
"""


def prepare(env, partner_id=None):
    """Make an endpoint with its client; return the API key."""
    company = env.company
    user = env["res.users"].create(
        {
            "name": "Bench Machine",
            "login": USER,
            "company_id": company.id,
            "company_ids": [Command.set(company.ids)],
            "group_ids": [
                Command.link(env.ref("purchase.group_purchase_user").id),
                Command.link(env.ref("stock.group_stock_user").id),
                Command.link(env.ref("stock.group_production_lot").id),
            ],
        }
    )
    system = env["integration.system"].create(
        {
            "name": "Bench In",
            "code": "bench-in",
            "environment": "test",
            "company_id": company.id,
            "partner_id": partner_id,
        }
    )
    event_type = env["integration.event.type"].search(
        [("code", "=", TYPE), ("direction", "=", "in")], limit=1
    )
    endpoint = env["integration.endpoint"].create(
        {
            "name": "Bench In",
            "code": CODE,
            "system_id": system.id,
            "direction": "in",
            "event_type_id": event_type.id,
        }
    )
    endpoint.action_activate()
    endpoint.action_pause()
    client = env["integration.client"].create(
        {
            "name": "Bench",
            "system_id": system.id,
            "user_id": user.id,
            "endpoint_ids": [Command.set(endpoint.ids)],
            "rate_limit": 0,
        }
    )
    return client._generate_key("bench")


def prepare_peers(env):
    """Make the peers' endpoints, each keeps a row; return their paths."""
    model = env["ir.model"]._get("bench.inbound")
    env["endpoint.endpoint"].create(
        {
            "name": "Bench",
            "route": "/bench/endpoint",
            "request_method": "POST",
            "request_content_type": "application/json",
            "auth_type": "public",
            "exec_mode": "code",
            "exec_as_user_id": env.ref("base.user_admin").id,
            "code_snippet": SNIPPET,
        }
    ).registry_sync = True
    env["fastapi.endpoint"].create(
        {
            "name": "Bench",
            "root_path": "/bench-fastapi",
            "app": "bench",
            "user_id": env.ref("base.user_admin").id,
        }
    ).registry_sync = True
    rule = env["base.automation"].create(
        {
            "name": "Bench",
            "model_id": model.id,
            "trigger": "on_webhook",
            "record_getter": "model.browse(1)",
            "log_webhook_calls": False,
        }
    )
    env["ir.actions.server"].create(
        {
            "name": "Bench",
            "model_id": model.id,
            "base_automation_id": rule.id,
            "usage": "base_automation",
            "state": "code",
            "code": HOOK,
        }
    )
    env["bench.inbound"].create({"body": "the webhook needs a record"})
    return {
        "endpoint": "/bench/endpoint",
        "fastapi": "/bench-fastapi/messages",
        "webhook": f"/web/hook/{rule.webhook_uuid}",
    }


def counts(env):
    """Return how many messages, bodies, queue entries and rows of peers are there."""
    tables = (
        "integration_message",
        "integration_payload",
        "integration_queue_entry",
        "bench_inbound",
    )
    found = {}
    for table in tables:
        env.cr.execute(SQL("SELECT count(*) FROM %s", SQL.identifier(table)))
        found[table] = env.cr.fetchone()[0]
    return found


def forget(env):
    """Drop what came in, so that each round begins alike."""
    env.cr.execute(
        "TRUNCATE integration_queue_entry, integration_payload, integration_attempt;"
        "DELETE FROM integration_message; DELETE FROM bench_inbound WHERE id > 1;"
    )


def sample(env):
    """Return the content of a ship notice of three lines, as JSON."""
    return json.dumps(notice("P00001", 1))


def notice(order, number, lines=3):
    """Return a ship notice: one of each line of the order, with its lot."""
    return {
        "shipment_number": f"{order}-{number}",
        "purchase_order": order,
        "shipped_at": "2026-11-20T08:00:00Z",
        "expected_at": "2026-11-21T08:00:00Z",
        "carrier": "DHL",
        "tracking_number": f"00340{number:015d}",
        "lines": [
            {
                "line_ref": str(line + 1),
                "quantity": "1",
                "lots": [
                    {
                        "lot": f"LOT-{order}-{line}",
                        "expiry_date": "2030-11-30",
                        "quantity": "1",
                    }
                ],
            }
            for line in range(lines)
        ],
    }
