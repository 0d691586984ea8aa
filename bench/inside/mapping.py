# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Renders the body of one real event again and again."""

import time

from odoo import Command

from odoo.addons.healthcare_integration_base.engine import render

from . import fabric, orders

#: target, source, transform, default
ROWS = (
    ("document_type", "", "none", "PURCHASE_ORDER"),
    ("number", "order.number", "none", ""),
    ("ordered_on", "order.ordered_at", "date", ""),
    ("currency", "order.currency", "none", ""),
    ("total", "order.total_amount", "number", ""),
    ("buyer", "buyer.name", "upper", ""),
    ("lines[].reference", "lines[].line_ref", "none", ""),
    ("lines[].article", "lines[].item.code", "trim", ""),
    ("lines[].quantity", "lines[].quantity", "number", ""),
    ("lines[].price", "lines[].unit_price", "number", ""),
)


def prepare(env):
    """Make an event and an active field table; return both bodies for a look."""
    target = fabric.endpoint(env, "bench-mapping", "http://127.0.0.1:9/in")
    fabric.subscription(env, target)
    _table(env)
    env.cr.commit()
    orders.make(env, 1).button_confirm()
    env.cr.flush()
    event, mapping, endpoint = _subjects(env)
    values = render.event_values(event)
    bodies = [
        render.render(values, one, endpoint) for one in (mapping.browse(), mapping)
    ]
    assert not any(body.schema_errors for body in bodies)
    return {"cloudevents": bodies[0].body.decode(), "table": bodies[1].body.decode()}


def _table(env):
    types = env["integration.event.type"].search([("code", "=", fabric.RELEASED)])
    lines = [
        Command.create(
            {
                "sequence": number,
                "target": target,
                "source": source or False,
                "transform": transform,
                "default": default or False,
            }
        )
        for number, (target, source, transform, default) in enumerate(ROWS)
    ]
    vals = {
        "name": "Bench",
        "kind": "table",
        "event_type_id": types.id,
        "line_ids": lines,
    }
    mapping = env["integration.mapping"].create([vals])
    second = env.ref("base.user_admin")  # the author is somebody else
    mapping.with_user(second).action_approve()
    mapping.with_user(second).action_activate()


def _subjects(env):
    event = env["integration.event"].search(
        [("type_id.code", "=", fabric.RELEASED)], limit=1
    )
    mapping = env["integration.mapping"].search([("name", "=", "Bench")])
    endpoint = env["integration.endpoint"].search([("code", "=", "bench-mapping")])
    return event, mapping, endpoint


def renders(env, seconds):
    """Return how many bodies a second are made in each form, and schema checks alone."""
    event, mapping, endpoint = _subjects(env)
    values = render.event_values(event)
    return {
        "cloudevents": _rate(
            lambda: render.render(values, mapping.browse(), endpoint), seconds
        ),
        "table": _rate(lambda: render.render(values, mapping, endpoint), seconds),
        "schema": _rate(lambda: event.type_id._validate(values.data), seconds),
    }


def _rate(function, seconds):
    function()  # compiles, fills caches
    count, started = 0, time.perf_counter()
    while time.perf_counter() < started + seconds:
        function()
        count += 1
    return count / (time.perf_counter() - started)
