# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""What a partner's message refers to: items, units, partners, taxes, places, accounts.

Every function takes the acting user's environment, so that a partner finds what its user
may see in its one company, and the incoming message (or its system), whose identifiers
and crosswalk count. What is unknown or ambiguous is ``Rejected`` with a cause: it becomes
one case, whose wizard lets a person pick the record.
"""

from .items import Found, item, items, own_items, stored_forms
from .ledger import account, cost_center, payment_term, tax
from .partners import customer, partner, supplier
from .places import location
from .units import ordered_unit, unit

__all__ = [
    "Found",
    "account",
    "cost_center",
    "customer",
    "item",
    "items",
    "location",
    "ordered_unit",
    "own_items",
    "partner",
    "payment_term",
    "stored_forms",
    "supplier",
    "tax",
    "unit",
]
