# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo import fields, models



class IntegrationQueueEntry(models.Model):
    """One narrow row per unfinished message: the only thing that is claimed (SQL in the drain's store)."""

    _name = "integration.queue.entry"
    _description = "Integration Queue Entry"
    _log_access = False

    message_id = fields.Many2one("integration.message", required=True, ondelete="cascade")
    endpoint_id = fields.Many2one("integration.endpoint", required=True, ondelete="restrict")
    priority = fields.Integer(default=1, required=True)
    seq = fields.Integer(required=True)  # bigint in the database, see init()
    ordering_key = fields.Char()
    due_at = fields.Datetime()
    claim = fields.Char()
    claimed_at = fields.Datetime()
