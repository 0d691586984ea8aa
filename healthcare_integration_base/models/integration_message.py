# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo import fields, models

from ..const import DIRECTIONS, ERROR_CLASSES, PRIORITIES


class IntegrationMessage(models.Model):
    """One exchange of bytes with one endpoint; updated once in its life, when finished or retried."""

    _name = "integration.message"
    _description = "Integration Message"
    _order = "id desc"
    _rec_name = "uid"
    _log_access = False

    uid = fields.Char("Message ID", required=True, readonly=True, help="UUIDv7; the webhook-id.")
    direction = fields.Selection(DIRECTIONS, required=True, readonly=True)
    endpoint_id = fields.Many2one("integration.endpoint", required=True, readonly=True, ondelete="restrict")
    system_id = fields.Many2one(related="endpoint_id.system_id")
    subscription_id = fields.Many2one("integration.subscription", readonly=True, ondelete="set null", index="btree_not_null")
    client_id = fields.Many2one("integration.client", readonly=True, ondelete="set null", index="btree_not_null")
    event_id = fields.Many2one("integration.event", readonly=True, ondelete="restrict", index="btree_not_null")
    event_type_id = fields.Many2one("integration.event.type", readonly=True, ondelete="restrict", index=True)
    company_id = fields.Many2one("res.company", readonly=True)
    state = fields.Selection(
        [
            ("pending", "Pending"),
            ("delivered", "Delivered"),
            ("done", "Done"),
            ("filtered", "Filtered"),
            ("dead", "Dead"),
            ("cancelled", "Cancelled"),
            ("shadow", "Shadow"),
        ],
        default="pending",
        required=True,
        readonly=True,
    )
    attempt_count = fields.Integer("Attempts", readonly=True, default=0)
    priority = fields.Selection(PRIORITIES, default="1", required=True, readonly=True)
    ordering_key = fields.Char(readonly=True)
    external_id = fields.Char(readonly=True, help="The partner's id of an incoming message.")
    content_type = fields.Char(readonly=True)
    body_sha256 = fields.Char("Body SHA-256", readonly=True)
    size = fields.Integer(readonly=True, help="Bytes of the body.")
    mapping_id = fields.Many2one("integration.mapping", readonly=True, ondelete="restrict")
    mapping_version = fields.Integer(readonly=True)
    last_error_class = fields.Selection(ERROR_CLASSES, readonly=True)
    last_error_code = fields.Char(readonly=True)
    last_error = fields.Char(readonly=True, help="Safe text: never a value of the payload.")
    filter_reason = fields.Char(readonly=True)
    schema_errors = fields.Json(readonly=True, help="Deviations from the schema, path and rule.")
    replay_of_id = fields.Many2one("integration.message", readonly=True, ondelete="set null", index="btree_not_null")
    superseded = fields.Boolean(readonly=True, help="A replay of it took its place.")
    correlation_uid = fields.Char(readonly=True)
    traceparent = fields.Char(readonly=True)
    res_model = fields.Char("Document Model", readonly=True)
    res_id = fields.Many2oneReference("Document", model_field="res_model", readonly=True)
    res_name = fields.Char("Document", readonly=True)
    exception_id = fields.Many2one("integration.exception", readonly=True, ondelete="set null", index="btree_not_null")
    created_at = fields.Datetime("Created", required=True, readonly=True, default=fields.Datetime.now)
    finished_at = fields.Datetime("Finished", readonly=True)
    attempt_ids = fields.One2many("integration.attempt", "message_id", readonly=True)

    _uid_uniq = models.UniqueIndex("(uid)")
    _external_uniq = models.UniqueIndex(
        "(endpoint_id, external_id) WHERE direction = 'in' AND external_id IS NOT NULL AND replay_of_id IS NULL"
    )
    _event_subscription_uniq = models.UniqueIndex(
        "(event_id, subscription_id) WHERE replay_of_id IS NULL AND event_id IS NOT NULL AND subscription_id IS NOT NULL"
    )
    _endpoint_state_idx = models.Index("(endpoint_id, state, id)")
    _unfinished_idx = models.Index("(state, id) WHERE state IN ('pending', 'dead')")
    _document_idx = models.Index("(res_model, res_id)")
    _created_idx = models.Index("(created_at)")
