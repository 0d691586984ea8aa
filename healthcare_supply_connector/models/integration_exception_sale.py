# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo import models
from odoo.exceptions import UserError

from .sale_order import PRICE_CASE


class IntegrationException(models.Model):
    """Cases about the prices of a customer's order."""

    _inherit = "integration.exception"

    def action_take_customer_prices(self):
        """Take over the prices the customer asked for; the case is settled by it."""
        self.ensure_one()
        order = self.env["sale.order"]
        if self.code == PRICE_CASE and self.res_model == "sale.order":
            order = order.browse(self.res_id).exists()
        if not order:
            raise UserError(self.env._("The order of this case is gone."))
        return order.action_integration_take_prices()
