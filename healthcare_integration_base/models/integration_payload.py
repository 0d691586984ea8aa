# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo import fields, models


class IntegrationPayload(models.Model):
    """The exact bytes of a message; no right for any group, seen only through an audited method."""

    _name = "integration.payload"
    _description = "Integration Payload"
    _log_access = False

    message_id = fields.Many2one(
        "integration.message", required=True, ondelete="cascade"
    )
    kind = fields.Selection(
        [("body", "Body"), ("answer", "Answer")], default="body", required=True
    )
    body = fields.Binary(attachment=False, groups=fields.NO_ACCESS)
    encrypted = fields.Boolean()
    facts = fields.Json(
        help="Content type, mapping and deviations from the schema, when rendered."
    )

    _message_kind_uniq = models.UniqueIndex("(message_id, kind)")
