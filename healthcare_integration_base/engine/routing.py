# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Which queue a case comes to."""

from __future__ import annotations


def route(env, endpoint, event_type, category: str, company_id: int | None):
    """Return the queue for a cause: the endpoint's own, else the first that takes it."""
    if endpoint.exception_queue_id:
        return endpoint.exception_queue_id
    queues = env["integration.exception.queue"].search(
        [("company_id", "in", [False, company_id])], order="sequence, id"
    )
    takers = queues.filtered(
        lambda queue: takes(queue, event_type.code or "", category)
    )
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
