# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo import api, fields, models

from ..payloads import stock

TRIGGERED = "supply.replenishment.triggered"


class StockWarehouseOrderpoint(models.Model):
    _name = "stock.warehouse.orderpoint"
    _inherit = ["stock.warehouse.orderpoint", "integration.document"]

    integration_triggered_qty = fields.Float(
        "Last Published Quantity", digits="Product Unit", copy=False, readonly=True
    )
    integration_triggered_at = fields.Datetime(
        "Last Published", copy=False, readonly=True
    )

    @api.model
    def _integration_builders(self):
        return {TRIGGERED: stock.replenishments}

    @api.model
    def _integration_emit_triggered(self, procurements):
        """Emit the rules whose own procurements have just succeeded.

        Steps that follow on another location (multi-step routes) carry the rule, too;
        only the one of the rule's own location is its trigger.
        """
        if not self._integration_wanted(TRIGGERED):
            return
        triggered = self.browse()
        for procurement in procurements:
            rule = procurement.values.get("orderpoint_id")
            if rule and procurement.location_id == rule.location_id:
                rule.sudo().write(
                    {
                        "integration_triggered_qty": procurement.product_qty,
                        "integration_triggered_at": fields.Datetime.now(),
                    }
                )
                triggered |= rule
        triggered._integration_emit(TRIGGERED)
