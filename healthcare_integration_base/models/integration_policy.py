# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo import fields, models


class IntegrationPolicy(models.Model):
    _name = "integration.policy"
    _description = "Integration Delivery Policy"
    _order = "name"

    name = fields.Char(required=True)
    active = fields.Boolean(default=True)
    company_id = fields.Many2one("res.company")
    connect_timeout = fields.Float(
        default=5.0, required=True, help="Seconds to open the connection, TLS included."
    )
    deadline = fields.Float(
        default=30.0,
        required=True,
        help="Seconds for the whole exchange, from the name look-up to the last byte of the answer.",
    )
    retry_schedule = fields.Char(
        default="5s 5m 30m 2h 5h 10h 14h 20h 24h",
        help="Delays between attempts, e.g. 5s 5m 2h. Empty: a single attempt.",
    )
    retry_jitter = fields.Float(
        default=0.2, required=True, help="Share by which each delay is spread, 0.2 = ±20 %."
    )
    max_rate = fields.Float(
        default=0.0, required=True, help="Messages per second; 0 = unlimited."
    )
    burst = fields.Integer(default=10, required=True)
    concurrency = fields.Integer(
        default=4, required=True, help="Requests in flight to one endpoint at a time."
    )
    ordering = fields.Selection(
        [("none", "No order"), ("key", "Per ordering key")],
        default="key",
        required=True,
        help="Per ordering key: a message waits for the older unfinished ones of the same document.",
    )
    breaker_min_requests = fields.Integer(default=10, required=True)
    breaker_failure_rate = fields.Float(default=0.7, required=True)
    breaker_window = fields.Float(default=300.0, required=True, help="Seconds.")
    breaker_open_seconds = fields.Float(default=30.0, required=True)
    max_body_size = fields.Integer(
        default=1_048_576, required=True, help="Largest body accepted from a partner, in bytes."
    )
    endpoint_ids = fields.One2many("integration.endpoint", "policy_id")
