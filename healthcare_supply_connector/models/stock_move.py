# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo import api, fields, models

from ..inbound import shelf_life
from ..payloads import stock

MOVED = "supply.stock.moved"
ADJUSTED = "supply.stock.adjusted"
SHORTAGE = "supply.stock.shortage"
RECEIVED = "supply.goods.received"
DISPATCHED = "supply.shipment.dispatched"


class StockMove(models.Model):
    """Stock moves: where goods really move, so where movements and transfers are caught."""

    _name = "stock.move"
    _inherit = ["stock.move", "integration.document"]

    integration_missing_qty = fields.Float(
        "Published Shortage",
        digits="Product Unit",
        copy=False,
        readonly=True,
        help="What was missing when the shortage was last published.",
    )

    @api.model
    def _integration_builders(self):
        return {
            MOVED: stock.movements,
            ADJUSTED: stock.adjustments,
            SHORTAGE: stock.shortages,
        }

    def _action_done(self, cancel_backorder=False):
        moves = super()._action_done(cancel_backorder=cancel_backorder)
        moves._settle_arrived()
        if moves._integration_wanted(MOVED, ADJUSTED, RECEIVED, DISPATCHED):
            moves.filtered(lambda move: move.state == "done")._integration_emit_done()
        return moves

    def _settle_arrived(self):
        """Resolve the cases about shelf life of goods that have been received after all."""
        notices = self.move_line_ids.shipment_notice_id.filtered(
            lambda notice: notice.shelf_life_short
        )
        if notices:
            shelf_life.settle(notices, self.env._("The goods were received."))

    def _integration_emit_done(self):
        """Emit the movements, and the transfers that are done with them."""
        adjustments = self.filtered("is_inventory")
        adjustments._integration_emit(ADJUSTED)
        (self - adjustments)._integration_emit(MOVED)
        self.picking_id.filtered(
            lambda picking: picking.state == "done"
        )._integration_emit_done()

    def _action_assign(self, force_qty=False):
        # What a supplier has notified is the proposal: Odoo must not fill it up again.
        notified = self.filtered(
            lambda move: move.location_id.usage == "supplier"
            and move.picking_id.shipment_notified
            and move.picking_id.move_line_ids.shipment_notice_id
        )
        moves = self - notified
        result = super(StockMove, moves)._action_assign(force_qty=force_qty)
        if moves._integration_wanted(SHORTAGE):
            moves._integration_emit_shortages()
        return result

    def _integration_emit_shortages(self):
        """Emit each shortage once, and again only when the missing quantity changes."""
        short = self.filtered(lambda move: move._integration_is_short())
        for move in self:
            missing = move.product_uom_qty - move.quantity if move in short else 0.0
            if move.product_uom.compare(missing, move.integration_missing_qty) == 0:
                short -= move
            else:
                move.integration_missing_qty = missing
        short._integration_emit(SHORTAGE)

    def _integration_is_short(self):
        return (
            self.state in ("confirmed", "partially_available")
            and self.procure_method == "make_to_stock"
            and not self._should_bypass_reservation()
            and self.product_uom.compare(self.quantity, self.product_uom_qty) < 0
        )
