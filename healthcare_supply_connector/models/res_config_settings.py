# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo import fields, models


class ResConfigSettings(models.TransientModel):
    _inherit = "res.config.settings"

    supplier_approval_policy = fields.Selection(
        related="company_id.supplier_approval_policy", readonly=False, required=True
    )
    approval_rejection_policy = fields.Selection(
        related="company_id.approval_rejection_policy", readonly=False, required=True
    )
    lot_expiry_horizon_days = fields.Integer(
        related="company_id.lot_expiry_horizon_days", readonly=False
    )
