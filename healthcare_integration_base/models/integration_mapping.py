# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo import fields, models

from ..const import DIRECTIONS


class IntegrationMapping(models.Model):
    _name = "integration.mapping"
    _description = "Integration Mapping"
    _inherit = ["mail.thread"]
    _order = "name, version desc"

    name = fields.Char(required=True, tracking=True)
    version = fields.Integer(default=1, required=True, readonly=True, copy=False)
    company_id = fields.Many2one("res.company")
    direction = fields.Selection(DIRECTIONS, default="out", required=True)
    event_type_id = fields.Many2one("integration.event.type", required=True, ondelete="restrict")
    system_id = fields.Many2one("integration.system", help="Whose crosswalks are used.")
    state = fields.Selection(
        [("draft", "Draft"), ("approved", "Approved"), ("active", "Active"), ("retired", "Retired")],
        default="draft",
        required=True,
        readonly=True,
        copy=False,
        tracking=True,
    )
    kind = fields.Selection(
        [("table", "Field table"), ("jsonata", "JSONata expression")], default="table", required=True
    )
    line_ids = fields.One2many("integration.mapping.line", "mapping_id", copy=True)
    expression_text = fields.Text("JSONata")
    expression = fields.Text(
        "Expression", compute="_compute_expression", help="What is evaluated: typed, or compiled from the table."
    )
    content_type = fields.Char(
        default="application/json", help="Content type of the mapped body."
    )
    author_id = fields.Many2one("res.users", readonly=True, default=lambda self: self.env.user, copy=False)
    approver_id = fields.Many2one("res.users", readonly=True, copy=False)
    approved_at = fields.Datetime(readonly=True, copy=False)
    previous_id = fields.Many2one("integration.mapping", readonly=True, copy=False)


class IntegrationMappingLine(models.Model):
    _name = "integration.mapping.line"
    _description = "Integration Mapping Field"
    _order = "sequence, id"

    mapping_id = fields.Many2one("integration.mapping", required=True, ondelete="cascade", index=True)
    sequence = fields.Integer(default=10)
    target = fields.Char(required=True, help="Path in the partner's document, e.g. order.lines[].sku")
    source = fields.Char(help="Path in the event's data, e.g. lines[].product.code")
    transform = fields.Selection(
        [
            ("none", "As it is"),
            ("string", "Text"),
            ("number", "Number"),
            ("boolean", "Yes/No"),
            ("upper", "Upper case"),
            ("lower", "Lower case"),
            ("trim", "Trim"),
            ("date", "Date"),
            ("datetime", "Date and time"),
        ],
        default="none",
        required=True,
    )
    default = fields.Char()
    required = fields.Boolean()
    crosswalk = fields.Char(help="Domain of the crosswalk that translates the value, e.g. uom")
