# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo import api, fields, models


class IntegrationClientKeyGenerate(models.TransientModel):
    """Makes an API key of a client and shows it once; no column ever holds it."""

    _name = "integration.client.key.generate"
    _description = "New API Key of an Integration Client"
    _allow_sudo_commands = False

    client_id = fields.Many2one("integration.client", required=True, ondelete="cascade")
    kind = fields.Selection(
        [("api_key", "API key"), ("client_secret", "OAuth client secret")],
        default="api_key",
        required=True,
    )
    oauth_id = fields.Char(related="client_id.oauth_id")
    name = fields.Char(
        required=True, help="To tell the keys of a client apart, e.g. its purpose."
    )
    expires_at = fields.Datetime(help="Empty: until it is revoked.")
    shown_key = fields.Char(
        "API Key",
        store=False,
        readonly=True,
        help="Shown this once: hand it to the partner now.",
    )

    @api.model
    def default_get(self, fields_list):
        """Show the key that ``action_generate`` has just made."""
        values = super().default_get(fields_list)
        shown = self.env.context.get("integration_shown_key", False)
        values.setdefault("shown_key", shown)
        return values

    def action_generate(self):
        """Make the key and show it once.

        :return: the same form, with the key
        :raises AccessError: the user is no integration administrator
        """
        self.ensure_one()
        key = self.client_id._generate_key(self.name, self.expires_at, self.kind)
        return {
            "type": "ir.actions.act_window",
            "name": (
                self.env._("New API Key")
                if self.kind == "api_key"
                else self.env._("New OAuth Secret")
            ),
            "res_model": self._name,
            "view_mode": "form",
            "views": [(False, "form")],
            "target": "new",
            "context": {
                "default_client_id": self.client_id.id,
                "default_kind": self.kind,
                "default_name": self.name,
                "default_expires_at": self.expires_at,
                "integration_shown_key": key,
            },
        }
