# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo import fields, models


class ResCompany(models.Model):
    _inherit = "res.company"

    supplier_approval_policy = fields.Selection(
        [
            ("none", "No check"),
            ("warning", "Warn the buyer"),
            ("block", "Refuse to confirm"),
        ],
        string="Orders to Unapproved Suppliers",
        default="none",
        required=True,
        help="What happens when an order is confirmed with a supplier that is not approved.",
    )
    approval_rejection_policy = fields.Selection(
        [("note", "Tell the buyer"), ("cancel", "Cancel the order")],
        string="Orders Rejected by the Approval System",
        default="note",
        required=True,
        help="What happens when an external approval system rejects an order.",
    )
    lot_expiry_horizon_days = fields.Integer(
        "Expiry Horizon (Days)",
        default=90,
        help="A lot on hand that expires within so many days is published once as expiring. "
        "0 switches it off.",
    )

    _lot_expiry_horizon_positive = models.Constraint(
        "CHECK(lot_expiry_horizon_days >= 0)", "The expiry horizon cannot be negative."
    )
