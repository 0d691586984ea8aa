# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo import fields, models

from ..inbound import shipment


class StockShipmentNotice(models.Model):
    """A supplier's ship notice: what is on its way, as he told it.

    It makes proposals on the open receipt (lots, expiry, quantities); nothing is
    received by it. Its number is unique per supplier, so a repeated notice is known.
    """

    _name = "stock.shipment.notice"
    _description = "Shipment Notice"
    _order = "shipped_at desc, id desc"

    name = fields.Char("Shipment Number", required=True)
    partner_id = fields.Many2one(
        "res.partner", "Supplier", required=True, ondelete="restrict", index=True
    )
    purchase_id = fields.Many2one(
        "purchase.order",
        "Purchase Order",
        required=True,
        ondelete="cascade",
        index=True,
    )
    company_id = fields.Many2one("res.company", required=True, index=True)
    picking_ids = fields.Many2many(
        "stock.picking",
        "stock_shipment_notice_picking_rel",
        "notice_id",
        "picking_id",
        "Receipts",
    )
    shipped_at = fields.Datetime(required=True)
    expected_at = fields.Datetime()
    carrier = fields.Char()
    tracking_number = fields.Char()
    message_uid = fields.Char("Message ID")
    digest = fields.Char(required=True)
    line_ids = fields.One2many("stock.shipment.notice.line", "notice_id")

    _number_uniq = models.UniqueIndex(
        "(company_id, partner_id, name)",
        "This shipment of the supplier is known already.",
    )

    def _apply(self, order, data, message):
        """Record the notice and propose its content on the open receipts of the order.

        :param order: the confirmed purchase order
        :param data: canonical data of ``supply.shipment.notified``
        :return: the receipts it makes proposals on
        :raise Rejected: number used for something else, line unknown, more than open, …
        :raise Filtered: applied before
        """
        shipment.check_number(self, order, data)
        plan = shipment.Plan(order, data)
        notice = self.sudo().create(self._prepare(order, data, message, plan))
        plan.apply(notice)
        return plan.pickings

    def _prepare(self, order, data, message, plan):
        expected = data.get("expected_at")
        return {
            "name": data["shipment_number"],
            "partner_id": order.partner_id.commercial_partner_id.id,
            "purchase_id": order.id,
            "company_id": order.company_id.id,
            "picking_ids": [fields.Command.set(plan.pickings.ids)],
            "shipped_at": shipment.utc(data["shipped_at"]),
            "expected_at": shipment.utc(expected) if expected else False,
            "carrier": data.get("carrier"),
            "tracking_number": data.get("tracking_number"),
            "message_uid": message.sudo().uid,
            "digest": shipment.digest(data),
            "line_ids": [fields.Command.create(vals) for vals in plan.notice_lines()],
        }


class StockShipmentNoticeLine(models.Model):
    _name = "stock.shipment.notice.line"
    _description = "Shipment Notice Line"

    notice_id = fields.Many2one(
        "stock.shipment.notice", required=True, ondelete="cascade", index=True
    )
    company_id = fields.Many2one(related="notice_id.company_id", store=True)
    purchase_line_id = fields.Many2one(
        "purchase.order.line", required=True, ondelete="cascade", index=True
    )
    line_ref = fields.Char(related="purchase_line_id.integration_line_ref")
    product_id = fields.Many2one("product.product", required=True, ondelete="restrict")
    product_uom_id = fields.Many2one("uom.uom", required=True, ondelete="restrict")
    quantity = fields.Float(digits="Product Unit", required=True)
    lot_name = fields.Char("Lot")
    expiry_date = fields.Date()
