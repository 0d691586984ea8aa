# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo import fields, models

from ..inbound import documents, shelf_life, shipment
from .stock_shipment_milestone import STATUS


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
    expected_at = fields.Datetime(help="As told last.")
    planned_at = fields.Datetime(help="As told first, else as ordered.")
    status = fields.Selection(STATUS, help="Last milestone that was told.")
    milestone_ids = fields.One2many("stock.shipment.milestone", "notice_id")
    package_ids = fields.One2many("stock.shipment.notice.package", "notice_id")
    shelf_life_short = fields.Boolean(
        compute="_compute_shelf_life_short", search="_search_shelf_life_short"
    )
    system_id = fields.Many2one("integration.system", ondelete="set null")
    carrier = fields.Char()
    tracking_number = fields.Char()
    message_uid = fields.Char("Message ID")
    digest = fields.Char(required=True)
    line_ids = fields.One2many("stock.shipment.notice.line", "notice_id")

    _number_uniq = models.UniqueIndex(
        "(company_id, partner_id, name)",
        "This shipment of the supplier is known already.",
    )

    def _compute_shelf_life_short(self):
        for notice in self:
            notice.shelf_life_short = any(notice.line_ids.mapped("shelf_life_short"))

    def _search_shelf_life_short(self, operator, value):
        if operator != "in":
            return NotImplemented
        return [("line_ids.shelf_life_short", operator, value)]

    def _apply(self, order, data, message):
        """Record the notice and propose its content on the open receipts of the order.

        :param order: the confirmed purchase order
        :param data: canonical data of ``supply.shipment.notified``
        :return: the receipts it makes proposals on
        :raise Rejected: number used for something else, line unknown, more than open, …
        :raise Filtered: applied before
        """
        shipment.check_number(self, order, data)
        plan = shipment.Plan(order, data, message)
        tolerance = self.env["supply.tolerance"]._for(
            order.company_id, order.partner_id
        )
        vals = self._prepare(order, data, message, plan, tolerance)
        notice = self.sudo().create(vals)
        plan.apply(notice)
        shelf_life.raise_cases(notice, message, tolerance)
        documents.attach(plan.pickings[:1], data, message)
        return plan.pickings

    def _prepare(self, order, data, message, plan, tolerance):
        expected = data.get("expected_at")
        expected = expected and shipment.utc(expected)
        ordered = plan.moves.purchase_line_id.mapped("date_planned")
        return {
            "name": data["shipment_number"],
            "partner_id": order.partner_id.commercial_partner_id.id,
            "purchase_id": order.id,
            "company_id": order.company_id.id,
            "picking_ids": [fields.Command.set(plan.pickings.ids)],
            "shipped_at": shipment.utc(data["shipped_at"]),
            "expected_at": expected,
            "planned_at": expected or min(ordered, default=False),
            "carrier": data.get("carrier"),
            "tracking_number": data.get("tracking_number"),
            "message_uid": message.sudo().uid,
            "digest": shipment.digest(data),
            "system_id": message.sudo().endpoint_id.system_id.id,
            "line_ids": [
                fields.Command.create(vals)
                for vals in plan.notice_lines(tolerance, expected)
            ],
        }
