# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo import models


class StockRule(models.Model):
    _inherit = "stock.rule"

    def run(self, procurements, raise_user_error=True):
        result = super().run(procurements, raise_user_error=raise_user_error)
        if self.env.context.get("from_orderpoint"):
            self.env["stock.warehouse.orderpoint"]._integration_emit_triggered(
                procurements
            )
        return result
