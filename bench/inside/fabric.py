# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Systems, endpoints and subscriptions of the benchmarks."""

from odoo import Command

from odoo.addons.healthcare_integration_base.protocol import signing

RELEASED = "supply.purchase_order.released"


def endpoint(env, code, url, *, ordering="none", concurrency=4, lane="out"):
    """Return an active outgoing endpoint that signs, with a policy of its own."""
    policy = env["integration.policy"].create(
        {"name": code, "ordering": ordering, "concurrency": concurrency}
    )
    secret = signing.generate_secret()
    credential = env["integration.credential"].create(
        {"name": code, "kind": "signing_secret", "secret": secret}
    )
    made = env["integration.endpoint"].create(
        {
            "name": code,
            "code": code,
            "system_id": _system(env).id,
            "url": url,
            "policy_id": policy.id,
            "lane": lane,
            "credential_ids": [Command.link(credential.id)],
        }
    )
    made.action_activate()
    return made


def _system(env):
    systems = env["integration.system"]
    vals = {"name": "Bench", "code": "bench", "environment": "test"}
    return systems.search([("code", "=", "bench")]) or systems.create([vals])


def subscription(env, target, **vals):
    """Return a subscription of an endpoint to released purchase orders."""
    types = env["integration.event.type"].search([("code", "=", RELEASED)])
    return env["integration.subscription"].create(
        {
            "name": target.code,
            "endpoint_id": target.id,
            "event_type_ids": [Command.set(types.ids)],
            **vals,
        }
    )
