# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo import api, fields, models
from odoo.tools import SQL

from .. import runtime
from ..engine import sql

BATCH = 10_000


class IntegrationAccessLog(models.Model):
    """One call of a client; calls of nobody we know are counted by the minute.

    Written by the gate only. It holds no values of a query, no part of a body and no
    number of a document: the route stands for the path.
    """

    _name = "integration.access.log"
    _description = "Integration Access Log"
    _order = "created_at desc, id desc"
    _rec_name = "route"
    _log_access = False
    _allow_sudo_commands = False

    created_at = fields.Datetime("Time", readonly=True, required=True, index=True)
    client_id = fields.Many2one(
        "integration.client", readonly=True, ondelete="set null"
    )
    key_id = fields.Many2one(
        "integration.client.key", readonly=True, ondelete="set null"
    )
    company_id = fields.Many2one("res.company", readonly=True, ondelete="set null")
    auth = fields.Selection(
        [
            ("key", "API key"),
            ("token", "Access token"),
            ("signature", "Signature"),
            ("certificate", "Certificate"),
            ("client_secret", "Client secret"),
            ("private_key_jwt", "Key pair"),
        ],
        "Authenticated By",
        readonly=True,
    )
    method = fields.Char(readonly=True)
    route = fields.Char(readonly=True)
    scope = fields.Char(readonly=True)
    status = fields.Integer(readonly=True, aggregator=None)
    outcome = fields.Selection(
        [
            ("ok", "Answered"),
            ("refused", "Refused"),
            ("limited", "Too fast or locked out"),
            ("failed", "Failed"),
        ],
        readonly=True,
    )
    code = fields.Char("Problem", readonly=True)
    address = fields.Char(readonly=True)
    duration_ms = fields.Float(
        "Duration (ms)", digits=(12, 1), readonly=True, aggregator="avg"
    )
    bytes_in = fields.Integer(readonly=True)
    bytes_out = fields.Integer(readonly=True)
    request_id = fields.Char(readonly=True)
    hits = fields.Integer("Calls", readonly=True, default=1)
    bucket = fields.Char(
        readonly=True, help="What counted calls have in common; empty for single ones."
    )

    _bucket_uniq = models.UniqueIndex("(bucket) WHERE bucket IS NOT NULL")
    # whom a lockout of his address does not concern; what a client's button shows
    _client_address_idx = models.Index("(client_id, address, created_at)")

    @api.autovacuum
    def _gc_old(self):
        """Forget calls older than ``access_log_days``, in batches."""
        statement = SQL(
            "DELETE FROM integration_access_log WHERE id IN"
            " (SELECT id FROM integration_access_log WHERE created_at < %s LIMIT %s)",
            sql.later(-86400 * runtime.gate().access_log_days),
            BATCH,
        )
        sql.run(self.env.cr, statement)
        return self.env.cr.rowcount, int(self.env.cr.rowcount == BATCH)
