# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo import fields, models


class IntegrationEvent(models.Model):
    """Something that happened, in canonical form; immutable once its transaction is committed."""

    _name = "integration.event"
    _description = "Integration Event"
    _order = "id desc"
    _rec_name = "uid"
    _log_access = False

    uid = fields.Char("Event ID", required=True, readonly=True, help="UUIDv7.")
    type_id = fields.Many2one("integration.event.type", required=True, readonly=True, ondelete="restrict", index=True)
    version = fields.Integer(required=True, readonly=True)
    res_model = fields.Char("Document Model", readonly=True)
    res_id = fields.Many2oneReference("Document", model_field="res_model", readonly=True)
    res_name = fields.Char(readonly=True, help="Number of the document when it happened.")
    company_id = fields.Many2one("res.company", readonly=True, index=True)
    user_id = fields.Many2one("res.users", readonly=True, help="Who did it.")
    ordering_key = fields.Char(readonly=True)
    occurred_at = fields.Datetime(required=True, readonly=True)
    data = fields.Text(readonly=True, groups=fields.NO_ACCESS, help="Canonical JSON; ciphertext where phi.")
    error = fields.Char(readonly=True, help="Why no payload could be built; code, no values.")
    correlation_uid = fields.Char(readonly=True, index=True)
    causation_uid = fields.Char(readonly=True)
    traceparent = fields.Char(readonly=True)
    origin_system_id = fields.Many2one("integration.system", readonly=True, help="System the change came in from.")
    txid = fields.Char(readonly=True, groups=fields.NO_ACCESS, help="Transaction and its start: coalescing key.")
    message_ids = fields.One2many("integration.message", "event_id", readonly=True)

    _uid_uniq = models.UniqueIndex("(uid)")
    _coalesce_uniq = models.UniqueIndex("(txid, type_id, res_model, res_id) WHERE txid IS NOT NULL")
    _document_idx = models.Index("(res_model, res_id)")
    _occurred_idx = models.Index("(occurred_at)")
