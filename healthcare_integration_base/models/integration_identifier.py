# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo import api, fields, models
from odoo.exceptions import ValidationError


class IntegrationIdentifier(models.Model):
    """What an external system calls one of our records."""

    _name = "integration.identifier"
    _description = "External Identifier"
    _inherit = ["integration.audited"]
    _order = "system_id, kind, value"
    _rec_name = "value"

    system_id = fields.Many2one(
        "integration.system", required=True, ondelete="cascade", index=True
    )
    company_id = fields.Many2one(related="system_id.company_id", store=True)
    kind = fields.Char(required=True, help="e.g. gln, gtin, vendor_number")
    value = fields.Char(required=True)
    res_model = fields.Char(required=True)
    res_id = fields.Many2oneReference(model_field="res_model", required=True)

    _value_uniq = models.Constraint(
        "UNIQUE(system_id, kind, value)",
        "This identifier is taken already in that system.",
    )
    _record_idx = models.Index("(res_model, res_id)")

    @api.constrains("res_model", "res_id")
    def _check_record(self):
        for identifier in self:
            model = self.env.get(identifier.res_model)
            if model is None or not model.sudo().browse(identifier.res_id).exists():
                raise ValidationError(
                    self.env._(
                        "There is no record %(id)s of model %(model)s.",
                        id=identifier.res_id,
                        model=identifier.res_model,
                    )
                )
