# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo import api, models
from odoo.fields import Domain


class StockQuant(models.Model):
    _inherit = "stock.quant"

    @api.model
    def _get_gather_domain(
        self,
        product_id,
        location_id,
        lot_id=None,
        package_id=None,
        owner_id=None,
        strict=False,
    ):
        """Leave lots on hold out of what is looked up for a reservation.

        Only then (context ``without_held_lots``): giving a reservation back, moving and
        counting find the stock of lots on hold as ever.
        """
        domain = super()._get_gather_domain(
            product_id, location_id, lot_id, package_id, owner_id, strict
        )
        if self.env.context.get("without_held_lots"):
            held = Domain("lot_id.on_hold", "=", True)
            domain = Domain.AND([domain, ~held])
        return domain
