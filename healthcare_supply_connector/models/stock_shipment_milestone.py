# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo import fields, models

STATUS = [
    ("picked_up", "Picked Up"),
    ("in_transit", "In Transit"),
    ("customs", "In Customs"),
    ("delayed", "Delayed"),
    ("out_for_delivery", "Out for Delivery"),
    ("arrived", "Arrived"),
    ("failed", "Delivery Failed"),
]


class StockShipmentMilestone(models.Model):
    """Where a shipment was at a time, as a carrier, supplier or operator told it."""

    _name = "stock.shipment.milestone"
    _description = "Shipment Milestone"
    _order = "occurred_at desc, id desc"
    _rec_name = "status"

    notice_id = fields.Many2one(
        "stock.shipment.notice", ondelete="cascade", index="btree_not_null"
    )
    picking_ids = fields.Many2many(
        "stock.picking",
        "stock_shipment_milestone_picking_rel",
        "milestone_id",
        "picking_id",
        "Transfers",
    )
    company_id = fields.Many2one("res.company", required=True, index=True)
    status = fields.Selection(STATUS, required=True)
    occurred_at = fields.Datetime(required=True)
    planned_at = fields.Datetime(help="When the shipment was to arrive at first.")
    expected_at = fields.Datetime(
        help="When it will arrive, as told with this milestone."
    )
    delay_days = fields.Integer("Delay (Days)")
    place = fields.Char()
    reason = fields.Char()
    message_uid = fields.Char("Message ID")
