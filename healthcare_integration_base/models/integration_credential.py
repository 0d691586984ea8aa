# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo import fields, models


class IntegrationCredential(models.Model):
    _name = "integration.credential"
    _description = "Integration Credential"
    _inherit = ["mail.thread"]
    _order = "name"
    _allow_sudo_commands = False

    name = fields.Char(required=True, tracking=True)
    active = fields.Boolean(default=True, tracking=True)
    company_id = fields.Many2one("res.company")
    kind = fields.Selection(
        [
            ("none", "None"),
            ("basic", "Basic"),
            ("bearer", "Bearer token"),
            ("header", "Custom header"),
            ("signing_secret", "Signing secret (Standard Webhooks)"),
        ],
        default="bearer",
        required=True,
        tracking=True,
    )
    username = fields.Char(help="User name of basic authentication.")
    header_name = fields.Char(help="Name of the custom header, e.g. X-Api-Key.")
    secret = fields.Char(
        compute="_compute_secret",
        inverse="_inverse_secret",
        help="Write only: it is stored encrypted and never shown again.",
    )
    secret_token = fields.Binary(attachment=False, copy=False, groups=fields.NO_ACCESS)
    secret_key_id = fields.Char(
        string="Encryption Key", readonly=True, copy=False, help="Key of the key ring it is under."
    )
    has_secret = fields.Boolean(compute="_compute_has_secret")
    expires_at = fields.Datetime(tracking=True)
    previous_ids = fields.One2many(
        "integration.credential.previous", "credential_id", copy=False
    )
    endpoint_ids = fields.Many2many(
        "integration.endpoint",
        "integration_endpoint_credential_rel",
        "credential_id",
        "endpoint_id",
        check_company=True,
    )


class IntegrationCredentialPrevious(models.Model):
    _name = "integration.credential.previous"
    _description = "Rotated Secret in its Grace Period"
    _order = "valid_until desc"

    credential_id = fields.Many2one(
        "integration.credential", required=True, ondelete="cascade", index=True
    )
    secret_token = fields.Binary(attachment=False, groups=fields.NO_ACCESS)
    valid_until = fields.Datetime(required=True)
