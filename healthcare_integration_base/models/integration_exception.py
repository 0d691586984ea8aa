# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo import fields, models

from ..const import ERROR_CLASSES


class IntegrationException(models.Model):
    """A case for a human: one per cause, with all its messages."""

    _name = "integration.exception"
    _description = "Integration Exception"
    _inherit = ["mail.thread", "mail.activity.mixin"]
    _order = "state, deadline, id desc"
    _check_company_auto = True

    name = fields.Char(required=True, readonly=True)
    fingerprint = fields.Char(required=True, readonly=True, index=True)
    category = fields.Selection(ERROR_CLASSES, required=True, readonly=True)
    code = fields.Char(readonly=True, help="Stable error code.")
    queue_id = fields.Many2one(
        "integration.exception.queue", index=True, tracking=True, group_expand="_read_group_queue_ids"
    )
    user_id = fields.Many2one("res.users", string="Assigned to", tracking=True, index=True)
    state = fields.Selection(
        [
            ("open", "Open"),
            ("in_progress", "In progress"),
            ("resolved", "Resolved"),
            ("ignored", "Ignored"),
        ],
        default="open",
        required=True,
        readonly=True,
        tracking=True,
        index=True,
        group_expand=True,
    )
    company_id = fields.Many2one("res.company", readonly=True, index=True)
    endpoint_id = fields.Many2one("integration.endpoint", readonly=True, index=True)
    system_id = fields.Many2one(related="endpoint_id.system_id", store=True)
    event_type_id = fields.Many2one("integration.event.type", readonly=True)
    message_line_ids = fields.One2many("integration.message", "exception_id", string="Messages")
    count = fields.Integer("Messages Count", compute="_compute_count")
    unresolved_count = fields.Integer(compute="_compute_count")
    detail = fields.Text(readonly=True, help="What went wrong, without any value of the payload.")
    deadline = fields.Datetime(tracking=True, index=True)
    first_seen = fields.Datetime(readonly=True)
    last_seen = fields.Datetime(readonly=True)
    resolution = fields.Text(tracking=True)
    resolved_at = fields.Datetime(readonly=True)
    resolved_by_id = fields.Many2one("res.users", readonly=True)

    # Closed cases free their fingerprint, so the same cause opens a new one.
    _open_fingerprint_idx = models.UniqueIndex(
        "(fingerprint) WHERE state IN ('open', 'in_progress')", "There is an open case for this cause."
    )
