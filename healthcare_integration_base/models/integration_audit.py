# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo import fields, models


class IntegrationAuditEntry(models.Model):
    """Append-only record of what somebody did (database trigger, no foreign keys)."""

    _name = "integration.audit.entry"
    _description = "Integration Audit Entry"
    _order = "id desc"
    _log_access = False

    occurred_at = fields.Datetime(required=True, readonly=True)
    action = fields.Selection(
        [
            ("payload_view", "Payload viewed"),
            ("replay", "Replayed"),
            ("retry", "Retried"),
            ("skip", "Skipped"),
            ("configuration", "Configuration changed"),
            ("secret", "Secret changed"),
            ("state", "State changed"),
        ],
        required=True,
        readonly=True,
    )
    user_id = fields.Integer(readonly=True)
    user_login = fields.Char(readonly=True)
    company_id = fields.Integer(readonly=True)
    address = fields.Char(readonly=True)
    res_model = fields.Char(readonly=True)
    res_id = fields.Integer(readonly=True)
    res_name = fields.Char(readonly=True)
    reason = fields.Char(readonly=True)
    detail = fields.Text(readonly=True, help="Changed fields, JSON; never a secret.")
    seal_id = fields.Integer(readonly=True, help="Link of the chain that covers it, 0 while unsealed.")


class IntegrationAuditSeal(models.Model):
    """One link of the hash chain over audit entries, made by a job."""

    _name = "integration.audit.seal"
    _description = "Integration Audit Seal"
    _order = "id desc"
    _log_access = False

    sealed_at = fields.Datetime(required=True, readonly=True)
    first_entry_id = fields.Integer(required=True, readonly=True)
    last_entry_id = fields.Integer(required=True, readonly=True)
    entry_count = fields.Integer(required=True, readonly=True)
    previous_hash = fields.Char(readonly=True)
    hash = fields.Char(required=True, readonly=True)
