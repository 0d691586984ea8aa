# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Which queue a case comes to, and who gets it.

In this order: the first routing rule that fits, the endpoint's own queue, the default
queue of the code, the first queue that takes the event type or category, the queue for
what no other takes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from odoo import fields

OPEN = ("open", "in_progress")


@dataclass(frozen=True)
class Facts:
    """What rules look at.

    :param amount: at stake, in the currency of the company
    """

    endpoint: Any
    event_type: Any
    system: Any
    partner: Any
    category: str
    code: str
    company_id: int | None
    amount: float = 0.0

    @property
    def event_code(self) -> str:
        """The code of the event type, empty if there is none."""
        return self.event_type.code or ""


def choose(env, facts: Facts):
    """Return (queue, user) for a new case; either may be empty."""
    rule = _rule(env, facts)
    if rule:
        queue = rule.queue_id
        strategy, person = rule.assign, rule.user_id
    else:
        queue = _queue(env, facts)
        strategy, person = "queue", env["res.users"]
    if strategy == "queue":
        strategy, person = queue.assign, queue.assign_user_id
    return queue, assignee(env, queue, strategy, person, facts.company_id)


def amount_in(env, amount: float, currency_id: int | None, company_id: int | None):
    """Return an amount in the currency of the company."""
    company = env["res.company"].browse(company_id or env.company.id)
    currency = env["res.currency"].browse(currency_id or company.currency_id.id)
    today = fields.Date.context_today(company)
    return currency._convert(amount or 0.0, company.currency_id, company, today)


# -- queues ------------------------------------------------------------------------


def _rule(env, facts: Facts):
    rules = env["integration.exception.route"].search(
        [
            ("company_id", "in", [False, facts.company_id]),
            ("queue_id.active", "=", True),
            ("queue_id.company_id", "in", [False, facts.company_id]),
        ]
    )
    return next((rule for rule in rules if rule._takes(facts)), rules.browse())


def _queue(env, facts: Facts):
    if facts.endpoint.exception_queue_id:
        return facts.endpoint.exception_queue_id
    usual = env["integration.exception.code"]._of(facts.code, facts.category).queue_id
    if usual.active and usual.company_id.id in (False, facts.company_id):
        return usual
    return _by_words(env, facts.event_code, facts.category, facts.company_id)


def route(env, endpoint, event_type, category: str, company_id: int | None):
    """Return the queue of a technical failure: the endpoint's, else the first that takes it."""
    if endpoint.exception_queue_id:
        return endpoint.exception_queue_id
    return _by_words(env, event_type.code or "", category, company_id)


def _by_words(env, event_code: str, category: str, company_id: int | None):
    queues = env["integration.exception.queue"].search(
        [("company_id", "in", [False, company_id])], order="sequence, id"
    )
    takers = queues.filtered(lambda queue: takes(queue, event_code, category))
    catch_all = queues.filtered(
        lambda q: not _words(q.category_codes) and not _words(q.event_prefixes)
    )
    return (takers - catch_all)[:1] or catch_all[:1] or queues[-1:]


def takes(queue, code: str, category: str) -> bool:
    """Tell whether a queue takes cases of an event type and category."""
    prefixes, categories = _words(queue.event_prefixes), _words(queue.category_codes)
    fits = not prefixes or any(code.startswith(prefix) for prefix in prefixes)
    return fits and (not categories or category in categories)


def _words(text: str | None) -> list[str]:
    return [word.strip() for word in (text or "").split(",") if word.strip()]


# -- people ------------------------------------------------------------------------


def assignee(env, queue, strategy: str, person, company_id: int | None):
    """Return the user a new case is assigned to; empty if nobody."""
    if strategy == "fixed":
        return _available(person, company_id)
    members = _available(queue.member_ids, company_id).sorted("id")
    if strategy == "round_robin":
        return _next(env, queue, members)
    if strategy == "least_loaded":
        return _least_loaded(env, members)
    return members.browse()


def _available(users, company_id: int | None):
    return users.filtered(
        lambda user: user.active
        and (not company_id or company_id in user.company_ids.ids)
        and user.has_group("healthcare_integration_base.group_exception_handler")
    )


def _next(env, queue, members):
    """Return who comes after the one that got the last case; nothing is written for it."""
    last = env["integration.exception"].search(
        [("queue_id", "=", queue.id), ("user_id", "in", members.ids)],
        order="id desc",
        limit=1,
    )
    after = members.filtered(lambda user: user.id > last.user_id.id)
    return (after or members)[:1]


def _least_loaded(env, members):
    load = dict(
        env["integration.exception"]._read_group(
            [("user_id", "in", members.ids), ("state", "in", OPEN)],
            ["user_id"],
            ["__count"],
        )
    )
    return min(members, key=lambda user: (load.get(user, 0), user.id), default=members)
