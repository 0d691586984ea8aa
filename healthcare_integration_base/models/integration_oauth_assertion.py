# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
import hashlib

from odoo import api, fields, models
from odoo.tools import SQL

from ..engine import sql
from ..runtime import autonomous

BATCH = 1000


class IntegrationOauthAssertion(models.Model):
    """Assertions that were used, until they expire: each counts once (RFC 7523, 3, jti)."""

    _name = "integration.oauth.assertion"
    _description = "Used Assertion of a Client"
    _log_access = False
    _allow_sudo_commands = False

    client_id = fields.Many2one(
        "integration.client", required=True, readonly=True, ondelete="cascade"
    )
    digest = fields.Char(required=True, readonly=True)
    expires_at = fields.Datetime(required=True, readonly=True, index=True)

    _client_digest_uniq = models.UniqueIndex("(client_id, digest)")

    @api.model
    def _use(self, client_id, jti, expires_at):
        """Note that an assertion was used, for everybody and at once.

        :param expires_at: seconds since 1970
        :return: False if it was used before
        """
        statement = SQL(
            "INSERT INTO integration_oauth_assertion (client_id, digest, expires_at)"
            " VALUES (%s, %s, to_timestamp(%s) AT TIME ZONE 'UTC')"
            " ON CONFLICT (client_id, digest) DO NOTHING",
            client_id,
            hashlib.sha256(jti.encode()).hexdigest(),
            expires_at,
        )
        with autonomous(self.env) as own:
            sql.run(own.cr, statement)
            return bool(own.cr.rowcount)

    @api.autovacuum
    def _gc_expired(self):
        """Delete what has expired; an hour later, whatever clocks say."""
        statement = SQL(
            "DELETE FROM integration_oauth_assertion WHERE id IN"
            " (SELECT id FROM integration_oauth_assertion WHERE expires_at < %s LIMIT %s)",
            sql.later(-3600),
            BATCH,
        )
        sql.run(self.env.cr, statement)
        return self.env.cr.rowcount, int(self.env.cr.rowcount == BATCH)
