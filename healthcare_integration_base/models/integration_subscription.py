# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo import fields, models

from ..const import PRIORITIES


class IntegrationSubscription(models.Model):
    _name = "integration.subscription"
    _description = "Integration Subscription"
    _inherit = ["mail.thread"]
    _order = "endpoint_id, sequence, id"
    _check_company_auto = True

    name = fields.Char(compute="_compute_name", store=True, readonly=False)
    sequence = fields.Integer(default=10)
    active = fields.Boolean(default=True, tracking=True)
    endpoint_id = fields.Many2one(
        "integration.endpoint",
        required=True,
        ondelete="cascade",
        index=True,
        check_company=True,
        domain="[('direction', '=', 'out')]",
        tracking=True,
    )
    company_id = fields.Many2one(related="endpoint_id.company_id", store=True)
    event_type_ids = fields.Many2many(
        "integration.event.type",
        "integration_subscription_event_type_rel",
        "subscription_id",
        "event_type_id",
        required=True,
    )
    model = fields.Char(compute="_compute_model", help="Model of the events, when all have the same.")
    domain = fields.Char(default="[]", required=True, help="Only records in this domain are sent.")
    mapping_id = fields.Many2one("integration.mapping", check_company=True, domain="[('direction', '=', 'out')]")
    mode = fields.Selection(
        [("realtime", "As it happens"), ("batch", "In batches")], default="realtime", required=True
    )
    priority = fields.Selection(PRIORITIES, default="1", required=True)
