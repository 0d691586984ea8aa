# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo import api, fields, models


class IntegrationCredentialPrevious(models.Model):
    """A rotated signing secret that still signs and verifies."""

    _name = "integration.credential.previous"
    _description = "Rotated Secret in its Grace Period"
    _order = "valid_until desc"
    _allow_sudo_commands = False

    credential_id = fields.Many2one(
        "integration.credential", required=True, ondelete="cascade", index=True
    )
    secret_token = fields.Binary(attachment=False, groups=fields.NO_ACCESS)
    valid_until = fields.Datetime(required=True)

    @api.autovacuum
    def _gc_expired(self):
        """Forget secrets whose grace is over."""
        expired = self.search([("valid_until", "<", fields.Datetime.now())], limit=1000)
        expired.unlink()
        return len(expired), int(len(expired) == 1000)
