# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo import api, fields, models
from odoo.tools import SQL

from ..engine import sql

BATCH = 1000


class IntegrationRate(models.Model):
    """One token bucket that all processes share; written by the gate only."""

    _name = "integration.rate"
    _description = "Token Bucket of Callers"
    _log_access = False
    _allow_sudo_commands = False

    bucket = fields.Char(required=True, readonly=True)
    tokens = fields.Float(readonly=True)
    granted = fields.Integer(readonly=True)
    refilled_at = fields.Datetime(required=True, readonly=True)

    _bucket_uniq = models.UniqueIndex("(bucket)")

    @api.autovacuum
    def _gc_full(self):
        """Delete what nobody has asked for a day: a new bucket is a full one."""
        statement = SQL(
            "DELETE FROM integration_rate WHERE id IN (SELECT id FROM integration_rate"
            " WHERE refilled_at < %s LIMIT %s)",
            sql.later(-86400),
            BATCH,
        )
        sql.run(self.env.cr, statement)
        return self.env.cr.rowcount, int(self.env.cr.rowcount == BATCH)
