# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""What makes bills be matched again: goods received, orders changed."""

from odoo import models

WATCHED = ("price_unit", "discount", "product_qty", "product_uom_id", "qty_received")


class StockMove(models.Model):
    _inherit = "stock.move"

    def _action_done(self, cancel_backorder=False):
        done = super()._action_done(cancel_backorder=cancel_backorder)
        done.purchase_line_id._integration_match_bills()
        return done


class PurchaseOrderLine(models.Model):
    _inherit = "purchase.order.line"

    def write(self, vals):
        result = super().write(vals)
        if any(name in vals for name in WATCHED):
            self._integration_match_bills()
        return result

    def _integration_match_bills(self):
        """Match the draft bills again that came in by message for these lines."""
        bills = self.sudo().invoice_lines.move_id.filtered(
            lambda move: move.state == "draft"
            and move.integration_match_state != "none"
        )
        bills._integration_match()
