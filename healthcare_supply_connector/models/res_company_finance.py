# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo import fields, models


class ResCompany(models.Model):
    """Rules of a company for what partners bill, order and pay."""

    _inherit = "res.company"

    supplier_invoice_posting = fields.Selection(
        [("draft", "Leave as drafts"), ("post", "Post those that match")],
        "Bills from Messages",
        default="draft",
        required=True,
    )
    invoice_accept_limit = fields.Monetary(
        "Differences a Clerk May Accept",
        default=500.0,
        help="A difference that comes to more is accepted by an accounting administrator.",
    )
    order_price_tolerance = fields.Float(
        "Customer's Prices (%)",
        default=1.0,
        digits=(5, 2),
        help="How far the price in a customer's order may be from ours before a person is told.",
    )
    payment_advice_policy = fields.Selection(
        [("link", "Link to payments that exist"), ("draft", "Make draft payments")],
        "Payment Advices",
        default="draft",
        required=True,
    )

    _finance_limits_positive = models.Constraint(
        "CHECK(invoice_accept_limit >= 0 AND order_price_tolerance >= 0)",
        "A limit cannot be negative.",
    )


class ResConfigSettings(models.TransientModel):
    _inherit = "res.config.settings"

    supplier_invoice_posting = fields.Selection(
        related="company_id.supplier_invoice_posting", readonly=False, required=True
    )
    invoice_accept_limit = fields.Monetary(
        related="company_id.invoice_accept_limit",
        readonly=False,
        currency_field="company_currency_id",
    )
    order_price_tolerance = fields.Float(
        related="company_id.order_price_tolerance", readonly=False
    )
    payment_advice_policy = fields.Selection(
        related="company_id.payment_advice_policy", readonly=False, required=True
    )
