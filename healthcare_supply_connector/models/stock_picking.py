# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from markupsafe import escape

from odoo import api, fields, models

from ..inbound import milestone, receipt, resolve
from ..payloads import shipment, stock
from ..payloads.batch import read_ahead

RECEIVED = "supply.goods.received"
DISPATCHED = "supply.shipment.dispatched"
BACKORDER = "supply.backorder.created"


class StockPicking(models.Model):
    """Transfers: receipts, shipments and backorders out, ship notices in."""

    _name = "stock.picking"
    _inherit = ["stock.picking", "integration.document"]

    shipment_notified = fields.Boolean(
        copy=False,
        readonly=True,
        help="A ship notice of the supplier made the proposals.",
    )
    shipment_notice_ids = fields.Many2many(
        "stock.shipment.notice",
        "stock_shipment_notice_picking_rel",
        "picking_id",
        "notice_id",
        copy=False,
        readonly=True,
    )

    receipt_confirmation_ids = fields.Many2many(
        "stock.receipt.confirmation",
        "stock_receipt_confirmation_picking_rel",
        "picking_id",
        "confirmation_id",
        copy=False,
        readonly=True,
    )
    over_receipt_accepted = fields.Boolean(
        copy=False,
        readonly=True,
        help="A person has accepted that more arrives than is tolerated.",
    )
    milestone_ids = fields.Many2many(
        "stock.shipment.milestone",
        "stock_shipment_milestone_picking_rel",
        "picking_id",
        "milestone_id",
        copy=False,
        readonly=True,
    )

    @api.model
    def _integration_builders(self):
        return {
            milestone.DELAYED: shipment.delays,
            milestone.ARRIVED: shipment.arrivals,
            RECEIVED: stock.receipts,
            DISPATCHED: stock.shipments,
            BACKORDER: stock.backorders,
        }

    def _integration_correlation(self, code):
        moves = self.move_ids
        read_ahead(moves, "purchase_line_id.order_id", "sale_line_id.order_id")
        return {picking.id: picking._integration_order_reference() for picking in self}

    def _integration_order_reference(self):
        """Return the correlation of the one order behind the transfer; None for several."""
        purchases = self.move_ids.purchase_line_id.order_id
        sales = self.move_ids.sale_line_id.order_id
        if len(purchases) == 1:
            return f"purchase.order/{purchases.name}"
        return f"sale.order/{sales.name}" if len(sales) == 1 else None

    def _integration_emit_done(self):
        """Emit what each transfer that is done means to partners."""
        received = self.filtered(
            lambda p: p.picking_type_code == "incoming"
            or p.location_id.usage == "supplier"
        )
        received._integration_emit(RECEIVED)
        self.filtered(lambda p: p.picking_type_code == "outgoing")._integration_emit(
            DISPATCHED
        )

    def _create_backorder(self, backorder_moves=None):
        backorders = super()._create_backorder(backorder_moves=backorder_moves)
        backorders._integration_emit(BACKORDER)
        return backorders

    def _tell_held(self, lots):
        """Tell who prepares the transfer that lots were taken out of it.

        :param lots: lots on quality hold that were reserved here
        """
        names = ", ".join(lots.mapped("name"))
        text = self.env._("Taken out because of a quality hold: %s", names)
        self.message_post(body=text)
        self.activity_schedule(
            "mail.mail_activity_data_warning",
            summary=self.env._("Lots on quality hold"),
            note=escape(text),
            user_id=self.user_id.id or self.env.uid,
        )

    @api.model
    def _integration_apply_shipment_notified(self, data, message):
        """Propose the content of a supplier's shipment on the open receipt of his order.

        :param data: canonical data, valid against the schema of the event type
        :param message: the ``integration.message`` it came in
        :return: the receipt; nothing is received by this
        :raise Rejected: order or line unknown, more than open, number used otherwise, …
        :raise Filtered: applied before
        """
        order = resolve.purchase_order(self.env, data["purchase_order"], message)
        pickings = self.env["stock.shipment.notice"]._apply(order, data, message)
        return pickings[:1]

    @api.model
    def _integration_apply_shipment_status_updated(self, data, message):
        """Record where a shipment is; open a case when it comes too late.

        :param data: canonical data, valid against the schema of the event type
        :param message: the ``integration.message`` it came in
        :return: the transfer
        :raise Rejected: shipment unknown or not the sender's
        :raise Filtered: told before, or older than what was told last
        """
        return milestone.apply(self.env, data, message)

    @api.model
    def _integration_apply_goods_receipt_confirmed(self, data, message):
        """Validate a receipt as the operator of the warehouse counted it.

        :param data: canonical data, valid against the schema of the event type
        :param message: the ``integration.message`` it came in
        :return: the receipt
        :raise Rejected: unknown, not open, more than is tolerated, received otherwise, …
        :raise Filtered: confirmed before
        """
        return receipt.apply(self.env, data, message)
