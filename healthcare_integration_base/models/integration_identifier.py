# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo import fields, models


class IntegrationIdentifier(models.Model):
    _name = "integration.identifier"
    _description = "External Identifier"
    _order = "system_id, kind, value"

    system_id = fields.Many2one("integration.system", required=True, ondelete="cascade", index=True)
    company_id = fields.Many2one(related="system_id.company_id", store=True)
    kind = fields.Char(required=True, help="e.g. gln, gtin, vendor_number")
    value = fields.Char(required=True)
    res_model = fields.Char(required=True)
    res_id = fields.Many2oneReference(model_field="res_model", required=True)

    _value_uniq = models.Constraint(
        "UNIQUE(system_id, kind, value)", "This identifier is taken already in that system."
    )
    _record_idx = models.Index("(res_model, res_id)")
