# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo import fields, models


class IntegrationClientKey(models.Model):
    """An API key or OAuth secret of a client; it is shown once and not kept."""

    _name = "integration.client.key"
    _description = "API Key of an Integration Client"
    _inherit = ["integration.audited", "integration.captured"]
    _order = "create_date desc, id desc"
    _allow_sudo_commands = False
    _integration_captured_fields = ("client_id", "kind", "active", "expires_at")

    client_id = fields.Many2one(
        "integration.client", required=True, ondelete="cascade", index=True
    )
    company_id = fields.Many2one(related="client_id.company_id", store=True)
    kind = fields.Selection(
        [("api_key", "API key"), ("client_secret", "OAuth client secret")],
        default="api_key",
        required=True,
        readonly=True,
    )
    name = fields.Char(required=True)
    prefix = fields.Char(
        readonly=True, help="First characters, to recognise the key by."
    )
    key_hash = fields.Char(groups=fields.NO_ACCESS, copy=False)
    active = fields.Boolean(default=True)
    expires_at = fields.Datetime()
    last_used_at = fields.Datetime("Last Use", readonly=True, copy=False)
    last_used_from = fields.Char(readonly=True, copy=False)

    _prefix_uniq = models.UniqueIndex("(prefix)")

    def action_revoke(self):
        """Refuse the key from now on, and the access tokens obtained with it."""
        self.write({"active": False})
