# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo import fields, models

from ..const import DIRECTIONS, SENSITIVITIES


class IntegrationEventType(models.Model):
    _name = "integration.event.type"
    _description = "Integration Event Type"
    _inherit = ["mail.thread"]
    _order = "code, version desc"
    _rec_name = "code"

    name = fields.Char(required=True, translate=True)
    code = fields.Char(required=True, help="domain.entity.past_participle, e.g. supply.purchase_order.released")
    version = fields.Integer(default=1, required=True)
    active = fields.Boolean(default=True)
    direction = fields.Selection(
        DIRECTIONS, default="out", required=True, help="Outgoing: Odoo emits it. Incoming: partners send it."
    )
    description = fields.Text(translate=True)
    schema_path = fields.Char(
        help="File of the JSON Schema in an addon, e.g. healthcare_supply_connector/schemas/x.v1.json"
    )
    schema_text = fields.Text("JSON Schema", help="Overrides the file.")
    source_of_truth = fields.Selection(
        [("odoo", "Odoo"), ("partner", "Partner")], default="odoo", required=True
    )
    owner_id = fields.Many2one("res.users")
    sensitivity = fields.Selection(SENSITIVITIES, default="internal", required=True, tracking=True)
    retention_days = fields.Integer(default=365)
    deprecated_on = fields.Date(tracking=True)
    sunset_on = fields.Date(tracking=True)
    model_id = fields.Many2one("ir.model", ondelete="cascade")
    model = fields.Char(related="model_id.model", store=True, index=True)
    keep_without_subscriber = fields.Boolean(tracking=True)
    handler_model = fields.Char(help="Model whose method applies an incoming message.")
    handler_method = fields.Char(help="Name starts with _integration_apply_.")

    _code_version_uniq = models.Constraint(
        "UNIQUE(code, version)", "An event type has one record per version."
    )
