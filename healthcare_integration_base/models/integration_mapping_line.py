# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo import api, fields, models

from ..protocol import mapping as jsonata

TRANSFORMS = [
    ("none", "As it is"),
    ("string", "Text"),
    ("number", "Number"),
    ("boolean", "Yes/No"),
    ("upper", "Upper case"),
    ("lower", "Lower case"),
    ("trim", "Trim"),
    ("date", "Date"),
    ("datetime", "Date and time"),
]


class IntegrationMappingLine(models.Model):
    """One row of a field table: where a value comes from, where it goes."""

    _name = "integration.mapping.line"
    _description = "Integration Mapping Field"
    _order = "sequence, id"
    _rec_name = "target"

    mapping_id = fields.Many2one(
        "integration.mapping", required=True, ondelete="cascade", index=True
    )
    sequence = fields.Integer(default=10)
    target = fields.Char(
        required=True, help="Path in the partner's document, e.g. order.lines[].sku"
    )
    source = fields.Char(help="Path in the event's data, e.g. lines[].product.code")
    transform = fields.Selection(TRANSFORMS, default="none", required=True)
    default = fields.Char()
    required = fields.Boolean()
    crosswalk = fields.Char(
        help="Domain of the crosswalk that translates the value, e.g. uom"
    )

    def _to_ring1(self):
        return jsonata.FieldRow(
            target=self.target or "",
            source=self.source or "",
            transform=self.transform or "none",
            default=self.default or None,
            required=self.required,
            crosswalk=self.crosswalk or None,
        )

    @api.constrains("target", "source", "transform", "default", "required", "crosswalk")
    def _check_expression(self):
        self.mapping_id._check_expression()

    @api.model_create_multi
    def create(self, vals_list):
        mapping_ids = {vals.get("mapping_id") for vals in vals_list} - {None, False}
        self.env["integration.mapping"].browse(mapping_ids)._check_draft()
        lines = super().create(vals_list)
        lines._touch()
        return lines

    def write(self, vals):
        self._touch()
        result = super().write(vals)
        self._touch()
        return result

    def unlink(self):
        self._touch()
        return super().unlink()

    def _touch(self):
        """Only drafts have their rows changed; who does it becomes the author."""
        for mapping in self.mapping_id:
            mapping._check_draft()
            if mapping.author_id != self.env.user:
                mapping._integration_transition({"author_id": self.env.uid})
