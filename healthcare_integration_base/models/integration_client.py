# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo import fields, models


class IntegrationClient(models.Model):
    """A machine identity that may call us."""

    _name = "integration.client"
    _description = "Integration Client"
    _inherit = ["mail.thread"]
    _order = "name"
    _check_company_auto = True

    name = fields.Char(required=True, tracking=True)
    active = fields.Boolean(default=True, tracking=True)
    system_id = fields.Many2one(
        "integration.system", required=True, ondelete="restrict", check_company=True, tracking=True
    )
    company_id = fields.Many2one(related="system_id.company_id", store=True)
    user_id = fields.Many2one(
        "res.users",
        string="Acts As",
        required=True,
        tracking=True,
        help="The user with whose rights its messages are applied.",
    )
    owner_id = fields.Many2one("res.users", tracking=True)
    expires_at = fields.Datetime(tracking=True)
    endpoint_ids = fields.Many2many(
        "integration.endpoint",
        "integration_client_endpoint_rel",
        "client_id",
        "endpoint_id",
        domain="[('direction', '=', 'in')]",
        check_company=True,
    )
    credential_ids = fields.Many2many(
        "integration.credential",
        "integration_client_credential_rel",
        "client_id",
        "credential_id",
        domain="[('kind', '=', 'signing_secret')]",
        check_company=True,
        help="Secrets with which the client signs its calls (Standard Webhooks).",
    )
    key_ids = fields.One2many("integration.client.key", "client_id")


class IntegrationClientKey(models.Model):
    _name = "integration.client.key"
    _description = "API Key of an Integration Client"
    _order = "create_date desc"
    _allow_sudo_commands = False

    client_id = fields.Many2one("integration.client", required=True, ondelete="cascade", index=True)
    company_id = fields.Many2one(related="client_id.company_id", store=True)
    name = fields.Char(required=True)
    prefix = fields.Char(readonly=True, index=True, help="First characters, to recognise the key by.")
    key_hash = fields.Char(groups=fields.NO_ACCESS, copy=False)
    active = fields.Boolean(default=True)
    expires_at = fields.Datetime()
