# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo import fields, models

from ..const import ERROR_CLASSES


class IntegrationAttempt(models.Model):
    """One try of a message; inserted once, with its outcome."""

    _name = "integration.attempt"
    _description = "Integration Attempt"
    _order = "message_id, number, id"
    _log_access = False

    message_id = fields.Many2one(
        "integration.message",
        required=True,
        readonly=True,
        ondelete="cascade",
        index=True,
    )
    endpoint_id = fields.Many2one(related="message_id.endpoint_id")
    number = fields.Integer(readonly=True)
    started_at = fields.Datetime(required=True, readonly=True)
    duration = fields.Float(readonly=True, digits=(12, 3), help="Seconds.")
    outcome = fields.Selection(
        [
            ("success", "Success"),
            ("failure", "Failure"),
            ("unknown", "Unknown"),
            ("late", "Late result"),
        ],
        required=True,
        readonly=True,
    )
    error_class = fields.Selection(ERROR_CLASSES, readonly=True)
    error_code = fields.Char(readonly=True)
    status = fields.Integer("HTTP Status", readonly=True)
    request_headers = fields.Json(readonly=True, help="Redacted.")
    response_headers = fields.Json(readonly=True, help="Redacted.")
    response = fields.Binary(
        attachment=False,
        groups=fields.NO_ACCESS,
        help="At most 20 kB; ciphertext where phi.",
    )
    response_size = fields.Integer(readonly=True)
    trigger = fields.Selection(
        [("automatic", "Automatic"), ("manual", "Manual")],
        default="automatic",
        required=True,
        readonly=True,
    )
    user_id = fields.Many2one("res.users", readonly=True)
    client_id = fields.Many2one(
        "integration.client",
        readonly=True,
        ondelete="set null",
        index="btree_not_null",
        help="Who fetched it from a feed.",
    )
    next_attempt_at = fields.Datetime(readonly=True)
