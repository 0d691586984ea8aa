# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo import fields, models


class IntegrationCrosswalk(models.Model):
    _name = "integration.crosswalk"
    _description = "Integration Crosswalk"
    _order = "system_id, domain, external_value"

    system_id = fields.Many2one("integration.system", required=True, ondelete="cascade", index=True)
    company_id = fields.Many2one(related="system_id.company_id", store=True)
    domain = fields.Char(required=True, index=True, help="What is translated, e.g. uom, product, tax")
    external_value = fields.Char(required=True)
    internal_value = fields.Char(required=True)
    valid_from = fields.Date()
    valid_to = fields.Date()
    active = fields.Boolean(default=True)
