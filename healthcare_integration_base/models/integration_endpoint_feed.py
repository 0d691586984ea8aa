# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo import api, fields, models
from odoo.exceptions import ValidationError


class IntegrationEndpoint(models.Model):
    """Feeds: outgoing endpoints whose messages the partner fetches, instead of our pushing."""

    _inherit = "integration.endpoint"
    # lanes are kept in the capture cache
    _integration_captured_fields = (
        "state",
        "active",
        "system_id",
        "policy_id",
        "lane",
        "transport",
    )

    transport = fields.Selection(
        selection_add=[("feed", "Feed (the partner fetches)")],
        ondelete={"feed": "set default"},
    )
    feed_url = fields.Char(
        "Address of the Feed",
        compute="_compute_feed_url",
        help="Where the partner fetches its messages.",
    )
    last_fetched_at = fields.Datetime(
        "Last Fetched", compute="_compute_last_fetched_at"
    )

    @api.depends("code", "transport")
    def _compute_feed_url(self):
        for endpoint in self:
            is_feed = endpoint.transport == "feed" and endpoint.code
            endpoint.feed_url = is_feed and (
                f"{endpoint.get_base_url()}/integration/v1/feeds/{endpoint.code}"
            )

    @api.depends("health_ids.last_fetched_at")
    def _compute_last_fetched_at(self):
        for endpoint in self:
            endpoint.last_fetched_at = endpoint.health_ids[:1].last_fetched_at

    @api.constrains("state", "url", "direction", "transport")
    def _check_complete(self):
        """A feed needs no address of the partner."""
        pushed = self.filtered(lambda endpoint: endpoint.transport != "feed")
        return super(IntegrationEndpoint, pushed)._check_complete()

    @api.constrains("direction", "transport")
    def _check_feed_is_outgoing(self):
        for endpoint in self:
            if endpoint.transport == "feed" and endpoint.direction != "out":
                raise ValidationError(
                    self.env._(
                        "Endpoint %s: a feed is outgoing. What partners hand in comes over"
                        " HTTPS.",
                        endpoint.name,
                    )
                )

    def _drained_lane(self):
        """Return the lane whose drain sends the endpoint's messages; None for a feed."""
        self.ensure_one()
        return None if self.transport == "feed" else self.lane

    def _feed_companies(self, client):
        """Return the ids of the companies whose messages a client may fetch."""
        companies = self.env["res.company"].with_context(active_test=False)
        return companies.search([("id", "child_of", client._company().id)]).ids
