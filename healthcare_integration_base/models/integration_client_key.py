# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo import fields, models


class IntegrationClientKey(models.Model):
    """An API key of a client; the key itself is shown once and not kept."""

    _name = "integration.client.key"
    _description = "API Key of an Integration Client"
    _inherit = ["integration.audited"]
    _order = "create_date desc"
    _allow_sudo_commands = False

    client_id = fields.Many2one(
        "integration.client", required=True, ondelete="cascade", index=True
    )
    company_id = fields.Many2one(related="client_id.company_id", store=True)
    name = fields.Char(required=True)
    prefix = fields.Char(
        readonly=True, help="First characters, to recognise the key by."
    )
    key_hash = fields.Char(groups=fields.NO_ACCESS, copy=False)
    active = fields.Boolean(default=True)
    expires_at = fields.Datetime()

    _prefix_uniq = models.UniqueIndex("(prefix)")

    def action_revoke(self):
        """Refuse the key from now on."""
        self.write({"active": False})

    def _is_usable(self, now):
        """Tell whether key and client may be used at ``now``."""
        key = self.sudo()
        in_time = not key.expires_at or key.expires_at > now
        return bool(key) and key.active and in_time and key.client_id._is_usable(now)
