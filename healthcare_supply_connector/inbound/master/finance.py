# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Payment terms and cost centres as systems propose them."""

from __future__ import annotations

from decimal import Decimal

from .. import identify
from .kind import Field, Kind, alike, best, known, number, refused

MANAGER = "account.group_account_manager"


def _find_term(context, data):
    return known(
        lambda: identify.payment_term(
            context.env,
            context.message,
            {
                "code": data["code"],
                "identifier": {"kind": "payment_term_code", "value": data["code"]},
            },
            "/payment_term/code",
        ),
        context.env["account.payment.term"].search(
            [
                ("name", "=", data["name"]),
                ("company_id", "in", [False, context.env.company.id]),
            ],
            limit=1,
        ),
    )


def _term_candidates(context, data):
    terms = context.env["account.payment.term"].search([])
    return best(alike(terms, data["name"], context.env._("Similar name")))


def _term_lines(_context, rows, path):
    """Return the instalments; the one without a share gets what is left.

    :raise Rejected: ``payment_term_shares``: they do not come to a hundred percent
    """
    shares = [Decimal(row["percent"]) if "percent" in row else None for row in rows]
    rest = 100 - sum(share for share in shares if share is not None)
    if shares.count(None) > 1 or (rest if None not in shares else min(rest, 0)):
        raise refused("payment_term_shares", path, "The shares do not come to 100 %.")
    return [
        {
            "value": "percent",
            "value_amount": float(rest if share is None else share),
            "nb_days": row["days"],
            "delay_type": "days_after",
        }
        for row, share in zip(rows, shares, strict=True)
    ]


PAYMENT_TERM = Kind(
    "payment_term",
    "account.payment.term",
    MANAGER,
    (
        Field("name", "name"),
        Field("note", "note"),
        Field("discount_percent", "discount_percentage", number),
        Field("discount_days", "discount_days"),
        Field("lines", "line_ids", _term_lines),
        Field("active", "active"),
    ),
    _find_term,
    _term_candidates,
    lambda context, data: {
        "company_id": context.env.company.id,
        "early_discount": "discount_percent" in data,
    },
)


def _find_center(context, data):
    ref = {
        "code": data["code"],
        "identifier": {"kind": "cost_center_code", "value": data["code"]},
    }
    return known(
        lambda: identify.cost_center(
            context.env, context.message, ref, "/cost_center/code"
        ),
        context.env["account.analytic.account"],
    )


def _center_candidates(context, data):
    found = context.env["account.analytic.account"].search([], limit=2000)
    return best(alike(found, data["name"], context.env._("Similar name")))


def _plan(context, value, path):
    found = context.env["account.analytic.plan"].search([("name", "=", value)], limit=1)
    if not found:
        raise refused("plan_unknown", path, "There is no such analytic plan.")
    return found.id


def _center_defaults(context, data):
    vals = {"company_id": context.env.company.id}
    if "plan" not in data:
        plan = context.env["account.analytic.plan"].search(
            [("parent_id", "=", False)], limit=1
        )
        vals["plan_id"] = plan.id
    return vals


COST_CENTER = Kind(
    "cost_center",
    "account.analytic.account",
    MANAGER,
    (
        Field("code", "code"),
        Field("name", "name"),
        Field("plan", "plan_id", _plan),
        Field("active", "active"),
    ),
    _find_center,
    _center_candidates,
    _center_defaults,
)
