# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo import models


class StockMove(models.Model):
    """Reservations leave lots on quality hold alone, unless they go out of use."""

    _inherit = "stock.move"

    def _reserving(self):
        if self.location_dest_id._takes_held_lots() or self.scrap_id:
            return self
        return self.with_context(without_held_lots=True)

    def _update_reserved_quantity_vals(
        self,
        need,
        location_id,
        lot_id=None,
        package_id=None,
        owner_id=None,
        strict=True,
    ):
        """Prepare a reservation without lots on hold; same parameters and return."""
        return super(StockMove, self._reserving())._update_reserved_quantity_vals(
            need, location_id, lot_id, package_id, owner_id, strict
        )

    def _get_available_quantity(
        self,
        location_id,
        lot_id=None,
        package_id=None,
        owner_id=None,
        strict=False,
        allow_negative=False,
    ):
        """Return what can be reserved, lots on hold left out; same parameters."""
        return super(StockMove, self._reserving())._get_available_quantity(
            location_id, lot_id, package_id, owner_id, strict, allow_negative
        )

    def _set_quantity_done_prepare_vals(self, qty):
        """Fill a quantity from stock without lots on hold; same parameters and return."""
        return super(StockMove, self._reserving())._set_quantity_done_prepare_vals(qty)
