# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo import fields, models


class StockShipmentNoticePackage(models.Model):
    """A package on its way; its SSCC is never accepted twice."""

    _name = "stock.shipment.notice.package"
    _description = "Shipment Notice Package"
    _order = "notice_id, parent_sscc nulls first, sscc"
    _rec_name = "sscc"

    notice_id = fields.Many2one(
        "stock.shipment.notice", required=True, ondelete="cascade", index=True
    )
    company_id = fields.Many2one(related="notice_id.company_id", store=True)
    sscc = fields.Char("SSCC", required=True)
    parent_sscc = fields.Char("In Package")
    tracking_number = fields.Char()
    package_id = fields.Many2one("stock.package", ondelete="set null")

    _sscc_uniq = models.UniqueIndex(
        "(company_id, sscc)", "A package with this SSCC was notified before."
    )
