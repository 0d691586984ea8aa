# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo import fields, models


class IntegrationEndpointHealth(models.Model):
    """Run-time state of an endpoint, written only by the drain that owns it."""

    _name = "integration.endpoint.health"
    _description = "Integration Endpoint Health"
    _log_access = False

    endpoint_id = fields.Many2one(
        "integration.endpoint", required=True, ondelete="cascade", index=True
    )
    breaker_state = fields.Selection(
        [("closed", "Closed"), ("open", "Open"), ("half_open", "Half open")],
        default="closed",
        required=True,
    )
    open_until = fields.Datetime()
    retry_floor_at = fields.Datetime(
        help="Nothing is sent before (Retry-After of the partner)."
    )
    failing_since = fields.Datetime()
    last_success_at = fields.Datetime()
    last_failure_at = fields.Datetime()
    last_fetched_at = fields.Datetime(help="When the partner last asked a feed.")
    runtime = fields.Json(help="Windows and buckets of breaker and limiter.")

    _endpoint_uniq = models.Constraint(
        "UNIQUE(endpoint_id)", "An endpoint has one row of health."
    )
