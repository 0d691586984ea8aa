# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""What completes a sales order: the last delivery or the last invoice."""

from odoo import models


class StockMove(models.Model):
    _inherit = "stock.move"

    def _action_done(self, cancel_backorder=False):
        done = super()._action_done(cancel_backorder=cancel_backorder)
        done.sudo().sale_line_id.order_id._integration_check_completed()
        return done


class AccountMove(models.Model):
    _inherit = "account.move"

    def _post(self, soft=True):
        posted = super()._post(soft=soft)
        lines = posted.sudo().invoice_line_ids.sale_line_ids
        lines.order_id._integration_check_completed()
        return posted
