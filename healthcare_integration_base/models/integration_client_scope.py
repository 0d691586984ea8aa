# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo import api, fields, models
from odoo.exceptions import ValidationError

# What a new client may do: exchange messages, but read none of our data.
DEFAULT_SCOPES = (
    "messages:write",
    "messages:read",
    "events:write",
    "acknowledgements:write",
    "feeds:read",
    "schemas:read",
    "attachments:read",
)
ALL_RESOURCES = "*:read"
# Scopes about events of certain types; a list of types narrows only these.
TYPED_SCOPES = (
    "messages:write",
    "events:write",
    "acknowledgements:write",
    "feeds:read",
)


class IntegrationClientScope(models.Model):
    """One thing a client may do; without a row for it, it may not."""

    _name = "integration.client.scope"
    _description = "Scope of an Integration Client"
    _inherit = ["integration.audited", "integration.captured"]
    _order = "scope"
    _rec_name = "scope"
    _allow_sudo_commands = False
    _integration_captured_fields = ("client_id", "scope", "event_type_ids")

    client_id = fields.Many2one(
        "integration.client", required=True, ondelete="cascade", index=True
    )
    company_id = fields.Many2one(related="client_id.company_id", store=True)
    scope = fields.Selection(selection="_selection_scope", required=True)
    direction = fields.Selection(
        [("in", "Sends to us"), ("out", "Fetches from us")],
        compute="_compute_direction",
    )
    event_type_ids = fields.Many2many(
        "integration.event.type",
        "integration_client_scope_event_type_rel",
        "scope_id",
        "event_type_id",
        string="Event Types",
        ondelete="restrict",  # or a scope that loses its last type would be of all types
        help="Only these types of events; empty: all of the client's endpoints.",
    )

    _client_scope_uniq = models.Constraint(
        "UNIQUE(client_id, scope)", "A client has each scope once."
    )

    @api.model
    def _scopes(self):
        """Return the scopes there are: code → (label, direction ``in`` or ``out``).

        Override it to add scopes, for example ``<resource>:read`` of a system API.
        ``*:read`` covers the scopes of all resources.
        """
        return {
            "messages:write": (self.env._("Hand in messages"), "in"),
            "events:write": (self.env._("Hand in CloudEvents"), "in"),
            "messages:read": (self.env._("Ask for the state of own messages"), "out"),
            "acknowledgements:write": (self.env._("Acknowledge our messages"), "in"),
            "feeds:read": (self.env._("Fetch messages from feeds"), "out"),
            "schemas:read": (self.env._("Read schemas and API descriptions"), "out"),
            "validations:read": (self.env._("Validate accounts and items"), "out"),
            "attachments:read": (self.env._("Download attachments"), "out"),
            ALL_RESOURCES: (self.env._("Read all resources of the system APIs"), "out"),
        }

    @api.model
    def _selection_scope(self):
        scopes = self._scopes().items()
        return [(code, f"{label} ({code})") for code, (label, _way) in scopes]

    @api.depends("scope")
    def _compute_direction(self):
        scopes = self._scopes()
        for record in self:
            record.direction = scopes.get(record.scope, (None, False))[1]

    @api.constrains("scope", "event_type_ids")
    def _check_event_types(self):
        for record in self:
            if record.event_type_ids and record.scope not in TYPED_SCOPES:
                raise ValidationError(
                    self.env._(
                        "Scope %s is not about events: leave its event types empty.",
                        record.scope,
                    )
                )
