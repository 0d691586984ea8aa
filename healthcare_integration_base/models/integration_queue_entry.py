# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo import fields, models


class IntegrationQueueEntry(models.Model):
    """One narrow row per unfinished message: the only thing that is claimed.

    Only ``engine/queue.py`` reads and writes it, in SQL.
    """

    _name = "integration.queue.entry"
    _description = "Integration Queue Entry"
    _log_access = False

    message_id = fields.Many2one(
        "integration.message", required=True, ondelete="cascade"
    )
    endpoint_id = fields.Many2one(
        "integration.endpoint", required=True, ondelete="restrict"
    )
    priority = fields.Integer(
        default=1, required=True, help="0 urgent, 1 normal, 2 bulk."
    )
    seq = fields.Integer(
        required=True, help="Place in the order; a replay has its original's."
    )
    ordering_key = fields.Char()
    due_at = fields.Datetime(
        help="Empty: waits for an older one of its key, or is parked."
    )
    claim = fields.Char(help="The drain that is working on it.")
    claimed_at = fields.Datetime()
    manual_user_id = fields.Many2one(
        "res.users", ondelete="set null", help="Who asked for the next attempt by hand."
    )

    # of feeds
    lease = fields.Char(help="The last lease under which it was handed out.")
    lease_until = fields.Datetime(help="Set while a consumer of a feed has it.")
    client_id = fields.Many2one(
        "integration.client", ondelete="set null", help="The last consumer."
    )

    _message_uniq = models.UniqueIndex("(message_id)")
    _due_idx = models.Index(
        "(endpoint_id, priority, due_at, seq) WHERE claim IS NULL AND due_at IS NOT NULL"
    )
    _key_idx = models.Index(
        "(endpoint_id, ordering_key, seq) WHERE ordering_key IS NOT NULL"
    )
    _claim_idx = models.Index("(endpoint_id) WHERE claim IS NOT NULL")
    _lease_idx = models.Index("(lease_until) WHERE lease_until IS NOT NULL")

    def init(self):
        """Leave room for updates in place, and let dead rows be removed early."""
        self.env.cr.execute(
            "ALTER TABLE integration_queue_entry SET (fillfactor = 50,"
            " autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000)"
        )
