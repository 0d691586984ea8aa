# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo import api, fields, models
from odoo.tools import SQL

from ..access import check_group
from ..engine import lockout, sql

ADMINISTRATOR = "healthcare_integration_base.group_administrator"
BATCH = 1000


class IntegrationLockout(models.Model):
    """Failed authentications of one address or one credential, and since when it is locked."""

    _name = "integration.lockout"
    _description = "Integration Lockout"
    _order = "last_failed_at desc, id desc"
    _rec_name = "subject"
    _log_access = False
    _allow_sudo_commands = False

    kind = fields.Selection(
        [("address", "Network address"), ("credential", "Key or client id")],
        readonly=True,
        required=True,
    )
    subject = fields.Char("Who", readonly=True, required=True)
    client_id = fields.Many2one("integration.client", readonly=True, ondelete="cascade")
    company_id = fields.Many2one(related="client_id.company_id")
    failures = fields.Integer(readonly=True)
    window_started_at = fields.Datetime(readonly=True)
    last_failed_at = fields.Datetime("Last Failure", readonly=True)
    last_address = fields.Char("Last From", readonly=True)
    locked_until = fields.Datetime(readonly=True, index=True)
    locked = fields.Boolean(compute="_compute_locked", search="_search_locked")

    _kind_subject_uniq = models.UniqueIndex("(kind, subject)")

    @api.depends("locked_until")
    def _compute_locked(self):
        now = fields.Datetime.now()
        for record in self:
            record.locked = bool(record.locked_until and record.locked_until > now)

    @api.model
    def _search_locked(self, operator, value):
        if operator != "in":
            return NotImplemented
        now = fields.Datetime.now()
        if True in value:
            return [("locked_until", ">", now)]
        return ["|", ("locked_until", "=", False), ("locked_until", "<=", now)]

    def action_unlock(self):
        """Let them try again at once; forget their failures.

        :raises AccessError: the user is no integration administrator
        """
        check_group(self, ADMINISTRATOR)
        for record in self.sudo():
            self.env["integration.audit.entry"]._log(
                "configuration",
                record.client_id or record,
                detail={"unlocked": record.subject, "failures": record.failures},
            )
        self.sudo().write(
            {"locked_until": False, "failures": 0, "window_started_at": False}
        )
        self.env.cr.postcommit.add(lockout.forget)
        lockout.forget()

    @api.autovacuum
    def _gc_over(self):
        """Delete what is neither locked nor within any window."""
        statement = SQL(
            "DELETE FROM integration_lockout WHERE id IN (SELECT id FROM integration_lockout"
            " WHERE last_failed_at < %s AND (locked_until IS NULL OR locked_until < %s)"
            " LIMIT %s)",
            sql.later(-7 * 86400),
            sql.NOW,
            BATCH,
        )
        sql.run(self.env.cr, statement)
        return self.env.cr.rowcount, int(self.env.cr.rowcount == BATCH)
