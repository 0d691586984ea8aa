# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo import api, fields, models

from .. import runtime

HEALTH_FIELDS = (
    "open_until",
    "retry_floor_at",
    "failing_since",
    "last_success_at",
    "last_failure_at",
)
OPEN_CASES = ("open", "in_progress")


class IntegrationEndpointFigures(models.AbstractModel):
    """What the screens of an endpoint show beside its configuration; nothing here is stored."""

    _name = "integration.endpoint.figures"
    _description = "Figures of an Endpoint"

    pending_count = fields.Integer(compute="_compute_message_counts")
    dead_count = fields.Integer(compute="_compute_message_counts")
    case_count = fields.Integer("Open Cases", compute="_compute_case_count")
    subscription_count = fields.Integer(compute="_compute_subscription_count")
    database_environment = fields.Char(compute="_compute_environment_matches")
    environment_matches = fields.Boolean(
        compute="_compute_environment_matches",
        help="The endpoint belongs to the environment this database runs as.",
    )
    receive_url = fields.Char(
        "Address for the Partner",
        compute="_compute_receive_url",
        help="Where the partner posts its messages.",
    )
    breaker_state = fields.Selection(
        [("closed", "Closed"), ("open", "Open"), ("half_open", "Half open")],
        "Circuit Breaker",
        compute="_compute_health",
        help="Closed: requests pass. Open: the partner fails and is left alone for a while.",
    )
    open_until = fields.Datetime("Next Probe", compute="_compute_health")
    retry_floor_at = fields.Datetime(
        "Nothing Before", compute="_compute_health", help="As the partner asked."
    )
    failing_since = fields.Datetime(compute="_compute_health")
    last_success_at = fields.Datetime("Last Success", compute="_compute_health")
    last_failure_at = fields.Datetime("Last Failure", compute="_compute_health")

    def _compute_message_counts(self):
        groups = self.env["integration.message"]._read_group(
            [
                ("endpoint_id", "in", self.ids),
                ("state", "in", ("pending", "dead")),
                ("superseded", "=", False),
            ],
            ["endpoint_id", "state"],
            ["__count"],
        )
        counts = {(endpoint.id, state): count for endpoint, state, count in groups}
        for endpoint in self:
            endpoint.pending_count = counts.get((endpoint._origin.id, "pending"), 0)
            endpoint.dead_count = counts.get((endpoint._origin.id, "dead"), 0)

    def _compute_case_count(self):
        groups = self.env["integration.exception"]._read_group(
            [("endpoint_id", "in", self.ids), ("state", "in", OPEN_CASES)],
            ["endpoint_id"],
            ["__count"],
        )
        counts = {endpoint.id: count for endpoint, count in groups}
        for endpoint in self:
            endpoint.case_count = counts.get(endpoint._origin.id, 0)

    @api.depends("subscription_ids")
    def _compute_subscription_count(self):
        for endpoint in self:
            endpoint.subscription_count = len(endpoint.subscription_ids)

    @api.depends("system_id.environment")
    def _compute_environment_matches(self):
        environment = runtime.database_environment()
        for endpoint in self:
            endpoint.database_environment = environment
            endpoint.environment_matches = endpoint.environment == environment

    @api.depends("code", "direction")
    def _compute_receive_url(self):
        for endpoint in self:
            incoming = endpoint.direction == "in" and endpoint.code
            endpoint.receive_url = incoming and (
                f"{endpoint.get_base_url()}/integration/v1/messages/{endpoint.code}"
            )

    @api.depends(*(f"health_ids.{name}" for name in ("breaker_state", *HEALTH_FIELDS)))
    def _compute_health(self):
        for endpoint in self:
            health = endpoint.health_ids[:1]
            endpoint.breaker_state = health.breaker_state or "closed"
            for name in HEALTH_FIELDS:
                endpoint[name] = health[name]
