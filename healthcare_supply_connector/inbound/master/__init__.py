# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Masters that systems propose: what they mean, what of ours they are, what they change.

One module per area with its kinds; :mod:`.kind` says what a kind is made of.
"""

from .finance import COST_CENTER, PAYMENT_TERM
from .goods import ITEM, PRICE, UNIT
from .kind import Context, Field, Kind
from .supplier import SUPPLIER

KINDS = {
    kind.name: kind for kind in (ITEM, SUPPLIER, UNIT, PRICE, PAYMENT_TERM, COST_CENTER)
}

__all__ = ["KINDS", "Context", "Field", "Kind"]
