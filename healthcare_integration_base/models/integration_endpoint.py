# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo import fields, models

from ..const import DIRECTIONS


class IntegrationEndpoint(models.Model):
    _name = "integration.endpoint"
    _description = "Integration Endpoint"
    _inherit = ["mail.thread", "mail.activity.mixin"]
    _order = "system_id, name"
    _check_company_auto = True

    name = fields.Char(required=True, tracking=True)
    code = fields.Char(
        required=True,
        copy=False,
        tracking=True,
        help="Appears in the URL partners call; unique in the database.",
    )
    active = fields.Boolean(default=True)
    system_id = fields.Many2one(
        "integration.system",
        required=True,
        ondelete="restrict",
        index=True,
        tracking=True,
        check_company=True,
    )
    company_id = fields.Many2one(related="system_id.company_id", store=True, index=True)
    environment = fields.Selection(related="system_id.environment")
    direction = fields.Selection(DIRECTIONS, default="out", required=True, tracking=True)
    transport = fields.Selection([("https", "HTTPS")], default="https", required=True)
    codec = fields.Selection([("json", "JSON")], default="json", required=True)
    url = fields.Char("URL", tracking=True)
    policy_id = fields.Many2one(
        "integration.policy",
        required=True,
        ondelete="restrict",
        check_company=True,
        tracking=True,
        default=lambda self: self._default_policy(),
    )
    credential_ids = fields.Many2many(
        "integration.credential",
        "integration_endpoint_credential_rel",
        "endpoint_id",
        "credential_id",
        check_company=True,
    )
    lane = fields.Char(
        compute="_compute_lane",
        store=True,
        readonly=False,
        precompute=True,
        required=True,
        help="Work of one drain: 'out', 'in', or a lane of its own for this endpoint.",
    )
    state = fields.Selection(
        [
            ("draft", "Draft"),
            ("test", "Test"),
            ("shadow", "Shadow"),
            ("active", "Active"),
            ("paused", "Paused"),
            ("disabled", "Disabled"),
        ],
        default="draft",
        required=True,
        copy=False,
        tracking=True,
    )
    state_reason = fields.Char(readonly=True, copy=False, tracking=True)
    exception_queue_id = fields.Many2one("integration.exception.queue", check_company=True)
    subscription_ids = fields.One2many("integration.subscription", "endpoint_id")
    # incoming
    event_type_id = fields.Many2one(
        "integration.event.type",
        domain="[('direction', '=', 'in')]",
        help="What an incoming message is, when it does not say so itself.",
    )
    mapping_id = fields.Many2one("integration.mapping", domain="[('direction', '=', 'in')]")
    client_ids = fields.Many2many(
        "integration.client",
        "integration_client_endpoint_rel",
        "endpoint_id",
        "client_id",
        check_company=True,
    )
    dedupe_days = fields.Integer(
        default=0, help="Days a message id is remembered; 0 = as long as the message is kept."
    )
    health_ids = fields.One2many("integration.endpoint.health", "endpoint_id")

    _code_uniq = models.Constraint("UNIQUE(code)", "The code of an endpoint must be unique.")
