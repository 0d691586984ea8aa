# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo import fields, models


class StockReceiptConfirmation(models.Model):
    """What the operator of a warehouse told about a receipt, and what came of it.

    A receipt that has one is known to both sides, so it is never booked a second time.
    """

    _name = "stock.receipt.confirmation"
    _description = "Receipt Confirmation"
    _order = "received_at desc, id desc"

    name = fields.Char("Operator's Reference", required=True)
    system_id = fields.Many2one("integration.system", ondelete="restrict", index=True)
    partner_id = fields.Many2one("res.partner", "Operator", ondelete="restrict")
    picking_ids = fields.Many2many(
        "stock.picking",
        "stock_receipt_confirmation_picking_rel",
        "confirmation_id",
        "picking_id",
        "Receipts",
    )
    company_id = fields.Many2one("res.company", required=True, index=True)
    received_at = fields.Datetime(required=True)
    outcome = fields.Selection(
        [
            ("booked", "Received by this message"),
            ("recognised", "Already received by hand"),
            ("by_hand", "Received by hand, another delivery"),
        ],
        required=True,
    )
    message_uid = fields.Char("Message ID")
    digest = fields.Char()
    line_ids = fields.One2many("stock.receipt.confirmation.line", "confirmation_id")

    _reference_uniq = models.UniqueIndex(
        "(company_id, system_id, name) WHERE outcome <> 'by_hand'",
        "This receipt was confirmed before.",
    )
