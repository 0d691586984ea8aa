# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
import re

from odoo import api, fields, models
from odoo.exceptions import ValidationError

from ..const import ENVIRONMENTS

# Endpoint codes stand in URLs, system codes in events and logs.
CODE = re.compile(r"[a-z0-9]([a-z0-9._-]*[a-z0-9])?")


class IntegrationSystem(models.Model):
    """An external system or partner we exchange messages with."""

    _name = "integration.system"
    _description = "External System"
    _inherit = [
        "mail.thread",
        "mail.activity.mixin",
        "integration.audited",
        "integration.captured",
    ]
    _order = "name"
    _integration_captured_fields = ("active", "company_id", "environment")
    _check_company_auto = True

    name = fields.Char(required=True, tracking=True)
    code = fields.Char(required=True, tracking=True)
    active = fields.Boolean(default=True)
    kind = fields.Selection(
        [
            ("ehr", "Electronic health record"),
            ("patient_access", "Patient access"),
            ("lis", "Laboratory (LIS)"),
            ("ris", "Radiology (RIS)"),
            ("pharmacy", "Pharmacy"),
            ("payer", "Payer"),
            ("billing", "Billing"),
            ("supplier", "Supplier"),
            ("supplier_network", "Supplier network"),
            ("logistics", "Logistics / 3PL"),
            ("carrier", "Carrier"),
            ("finance", "Finance"),
            ("payment_gateway", "Payment gateway"),
            ("document_repository", "Document repository"),
            ("crm", "CRM"),
            ("analytics", "Analytics"),
            ("broker", "Message broker"),
            ("middleware", "Middleware"),
            ("other", "Other"),
        ],
        default="other",
        required=True,
        tracking=True,
    )
    partner_id = fields.Many2one("res.partner", tracking=True, check_company=True)
    environment = fields.Selection(
        ENVIRONMENTS, default="test", required=True, tracking=True
    )
    owner_id = fields.Many2one("res.users", tracking=True)
    contact = fields.Char(help="Whom to call at the partner's.")
    escalation = fields.Char(help="Whom to call when the contact does not answer.")
    criticality = fields.Selection(
        [
            ("low", "Low"),
            ("medium", "Medium"),
            ("high", "High"),
            ("critical", "Critical"),
        ],
        default="medium",
        required=True,
    )
    data_region = fields.Char(help="Where the partner keeps the data, e.g. EU, US.")
    # restrict: without its company it would be shared with all the others
    company_id = fields.Many2one(
        "res.company", default=lambda self: self.env.company, ondelete="restrict"
    )
    baa_reference = fields.Char(
        "Agreement Reference", help="Business associate or data processing agreement."
    )
    baa_expires_on = fields.Date("Agreement Expires On")
    note = fields.Html()
    endpoint_ids = fields.One2many("integration.endpoint", "system_id")
    endpoint_count = fields.Integer(compute="_compute_endpoint_count")

    _code_uniq = models.Constraint(
        "UNIQUE(code)", "The code of a system must be unique."
    )

    def copy_data(self, default=None):
        return [
            {**vals, "code": (default or {}).get("code") or copied_code(system)}
            for system, vals in zip(self, super().copy_data(default), strict=True)
        ]

    @api.depends("endpoint_ids")
    def _compute_endpoint_count(self):
        counts = dict(
            self.env["integration.endpoint"]._read_group(
                [("system_id", "in", self.ids)], ["system_id"], ["__count"]
            )
        )
        for system in self:
            system.endpoint_count = counts.get(system, 0)

    @api.constrains("code")
    def _check_code(self):
        for system in self:
            check_code(system, system.code)

    @api.constrains("environment")
    def _check_endpoint_urls(self):
        # http is allowed in test environments only.
        self.endpoint_ids._check_url()


def copied_code(record):
    """Return a code for a copy of the record that no other record has."""
    model = record.sudo().with_context(active_test=False)
    number = 2
    while model.search_count([("code", "=", f"{record.code}-{number}")], limit=1):
        number += 1
    return f"{record.code}-{number}"


def check_code(record, code):
    """Let only codes pass that read well in a URL.

    :raises ValidationError: naming the allowed characters
    """
    if not CODE.fullmatch(code or ""):
        raise ValidationError(
            record.env._(
                "The code %s may hold lower-case letters, digits, dot, hyphen and underscore only.",
                code,
            )
        )
