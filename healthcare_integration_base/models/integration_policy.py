# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo import api, fields, models
from odoo.exceptions import ValidationError

from ..protocol.retry import RetrySchedule


class IntegrationPolicy(models.Model):
    """How messages to an endpoint are timed, repeated, ordered and limited."""

    _name = "integration.policy"
    _description = "Integration Delivery Policy"
    _inherit = ["integration.audited", "integration.captured"]
    _order = "name"
    _integration_captured_fields = ("ordering", "max_body_size")

    name = fields.Char(required=True)
    active = fields.Boolean(default=True)
    # restrict: without its company it would be shared with all the others
    company_id = fields.Many2one("res.company", ondelete="restrict")
    connect_timeout = fields.Float(
        default=5.0, required=True, help="Seconds to open the connection, TLS included."
    )
    deadline = fields.Float(
        default=30.0,
        required=True,
        help="Seconds for the whole exchange, from the name look-up to the last byte "
        "of the answer.",
    )
    retry_schedule = fields.Char(
        default="5s 5m 30m 2h 5h 10h 14h 20h 24h",
        help="Delays between attempts, e.g. 5s 5m 2h. Empty: a single attempt.",
    )
    retry_jitter = fields.Float(
        default=0.2,
        required=True,
        help="Share by which each delay is spread, 0.2 = ±20 %.",
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
        help="Per ordering key: a message waits for the older unfinished ones "
        "of the same document.",
    )
    breaker_min_requests = fields.Integer(default=10, required=True)
    breaker_failure_rate = fields.Float(default=0.7, required=True)
    breaker_window = fields.Float(default=300.0, required=True, help="Seconds.")
    breaker_open_seconds = fields.Float(default=30.0, required=True)
    max_body_size = fields.Integer(
        default=1_048_576,
        required=True,
        help="Largest body accepted from a partner, in bytes.",
    )
    endpoint_ids = fields.One2many("integration.endpoint", "policy_id")

    _timeouts = models.Constraint(
        "CHECK(connect_timeout > 0 AND deadline >= connect_timeout AND deadline <= 600)",
        "The deadline must be at most 600 seconds and not shorter than the connect timeout.",
    )
    _jitter = models.Constraint(
        "CHECK(retry_jitter >= 0 AND retry_jitter < 1)",
        "The jitter must be from 0 to below 1.",
    )
    _limits = models.Constraint(
        "CHECK(max_rate >= 0 AND burst > 0 AND concurrency BETWEEN 1 AND 100)",
        "The rate cannot be negative, the burst starts at 1, the concurrency is 1 to 100.",
    )
    _breaker = models.Constraint(
        "CHECK(breaker_min_requests > 0 AND breaker_failure_rate > 0 AND breaker_failure_rate <= 1"
        " AND breaker_window > 0 AND breaker_open_seconds > 0)",
        "The breaker needs positive values and a failure rate of at most 1.",
    )
    _body_size = models.Constraint(
        "CHECK(max_body_size BETWEEN 1 AND 104857600)",
        "The largest body must be from 1 byte to 100 MiB.",
    )

    @api.constrains("retry_schedule", "retry_jitter")
    def _check_retry_schedule(self):
        for policy in self:
            try:
                policy._retry_schedule()
            except ValueError as error:
                raise ValidationError(
                    self.env._(
                        "Retry schedule of %(name)s: %(error)s",
                        name=policy.name,
                        error=error,
                    )
                ) from None

    def _retry_schedule(self):
        """Return the delays between attempts.

        :rtype: protocol.retry.RetrySchedule
        :raises ValueError: the text is no schedule; tells the position
        """
        self.ensure_one()
        return RetrySchedule.parse(self.retry_schedule or "", self.retry_jitter)
