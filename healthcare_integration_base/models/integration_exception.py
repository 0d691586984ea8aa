# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import SQL

from ..access import check_group
from ..const import ERROR_CLASSES
from ..engine import cases, sql

HANDLER = "healthcare_integration_base.group_exception_handler"
SWEPT = 1000
# What handlers change in the form; closing goes through the buttons, with a reason.
WRITABLE = ("queue_id", "user_id", "deadline")


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
        "integration.exception.queue",
        index=True,
        tracking=True,
        group_expand="_read_group_queue_ids",
    )
    user_id = fields.Many2one(
        "res.users", string="Assigned to", tracking=True, index=True
    )
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
    company_id = fields.Many2one(
        "res.company", readonly=True, index=True, ondelete="restrict"
    )
    endpoint_id = fields.Many2one("integration.endpoint", readonly=True, index=True)
    system_id = fields.Many2one(related="endpoint_id.system_id", store=True)
    event_type_id = fields.Many2one("integration.event.type", readonly=True)
    message_line_ids = fields.One2many(
        "integration.message", "exception_id", string="Messages of the Case"
    )
    count = fields.Integer("Messages Count", compute="_compute_count")
    unresolved_count = fields.Integer(compute="_compute_count")
    detail = fields.Text(
        readonly=True, help="What went wrong, without any value of the payload."
    )
    deadline = fields.Datetime(tracking=True, index=True)
    first_seen = fields.Datetime(readonly=True)
    last_seen = fields.Datetime(readonly=True)
    resolution = fields.Text(tracking=True)
    resolved_at = fields.Datetime(readonly=True)
    resolved_by_id = fields.Many2one("res.users", readonly=True)

    # Closed cases free their fingerprint, so the same cause opens a new one.
    _open_fingerprint_idx = models.UniqueIndex(
        "(fingerprint) WHERE state IN ('open', 'in_progress')",
        "There is an open case for this cause.",
    )

    def write(self, vals):
        """Let users assign cases and set deadlines; the rest is done by buttons.

        :raises AccessError: another field of the case is written
        """
        kept = {
            *self.env["mail.thread"]._fields,
            *self.env["mail.activity.mixin"]._fields,
        }
        names = [name for name in vals if name not in WRITABLE and name not in kept]
        if names and not self.env.su:
            raise AccessError(
                self.env._(
                    "%s of a case is changed by its buttons only.", ", ".join(names)
                )
            )
        return super().write(vals)

    # -- figures -------------------------------------------------------------------------

    def _compute_count(self):
        rows = self.env["integration.message"]._read_group(
            [("exception_id", "in", self.ids)],
            ["exception_id", "state", "superseded"],
            ["__count"],
        )
        for case in self:
            own = [row for row in rows if row[0].id == case._origin.id]
            case.count = sum(count for *_key, count in own)
            case.unresolved_count = sum(
                count
                for _case, state, superseded, count in own
                if state in ("dead", "pending") and not superseded
            )

    @api.model
    def _read_group_queue_ids(self, queues, domain):
        """Show every queue as a column, the empty ones, too."""
        return queues.search([])

    # -- opening and closing ---------------------------------------------------------------

    @api.model
    def _open_cases(self, message_ids):
        """Put dead messages into the open cases of their causes; make those that lack.

        :param message_ids: ids of dead messages
        """
        cases.open_for(self.env, message_ids)

    @api.model
    def _open_endpoint_case(self, endpoint_id, category, code, text, message_id):
        """Open a case for what holds or disables an endpoint; its messages stay pending.

        :param message_id: the message with which it was found
        """
        self.env["integration.message"].invalidate_model()
        message = self.env["integration.message"].browse(message_id)
        row = {
            "id": message_id,
            "company_id": message.company_id.id or None,
            "exception_id": message.exception_id.id or None,
            "last_error": text,
        }
        cases.attach(self.env, cases.Cause(endpoint_id, None, category, code), [row])

    @api.model
    def _raise_case(
        self, cause, message=None, endpoint=None, event_type=None, company=None
    ):
        """Open the case of a cause, or continue the open one; in the current transaction.

        For what a person must decide although the message itself was applied.

        :param cause: ``protocol.cause.Cause``
        :param message: the integration.message in which it showed, if any; it gives what
            the other arguments leave out
        :param endpoint: whose case it is; without message and endpoint it is nobody's channel
        :param event_type: by which the queue is chosen
        :param company: whose case it is
        :return: the case, as superuser
        """
        return cases.raise_case(
            self.sudo().env, cause, message, endpoint, event_type, company
        )

    @api.model
    def _settle_case(self, code, key, resolution, company=None, system=None):
        """Resolve the open case of a cause, if there is one.

        :param str code: of the cause
        :param str key: of the cause
        :param str resolution: how it was settled, for people
        :return: the case, as superuser; empty if there was none
        """
        return cases.settle(self.sudo().env, code, key, resolution, company, system)

    @api.model
    def _close_for(self, messages):
        """Close the cases of messages that got through, where they were the last."""
        messages.exception_id._close_if_through()

    def _close_if_through(self):
        """Resolve open cases that have no unfinished message left."""
        self.env.flush_all()
        through = self.sudo().browse(cases.through(self.env, self.ids))
        through.invalidate_recordset()
        through.write(
            {
                "state": "resolved",
                "resolution": self.env._(
                    "No message of this case is waiting any more."
                ),
                "resolved_at": fields.Datetime.now(),
            }
        )

    @api.model
    def _sweep_cases(self):
        """Make up for cases that a crash left out."""
        statement = SQL(
            "SELECT id FROM integration_message WHERE state = 'dead' AND exception_id IS NULL"
            " AND NOT superseded ORDER BY id LIMIT %s",
            SWEPT,
        )
        dead = [row["id"] for row in sql.rows_of(self.env.cr, statement)]
        if dead:
            self._open_cases(dead)

    # -- buttons -----------------------------------------------------------------------------

    def action_take(self):
        """Take cases on: assigned to the user, in progress.

        :raises AccessError: the user does not handle exceptions
        :raises UserError: one of them is closed
        """
        check_group(self, HANDLER)
        self._check_open()
        self.sudo().write({"user_id": self.env.uid, "state": "in_progress"})
        return True

    def action_replay_all(self):
        """Replay all dead messages of the cases."""
        return self._unresolved(("dead",)).action_replay()

    def action_retry_all(self):
        """Retry all unfinished messages of the cases."""
        return self._unresolved(("dead", "pending")).action_retry()

    def action_resolve(self, reason):
        """Close cases that were settled elsewhere.

        :param str reason: how
        """
        return self._close("resolved", reason)

    def action_ignore(self, reason):
        """Close cases that need no solution.

        :param str reason: why
        """
        return self._close("ignored", reason)

    def _unresolved(self, states):
        self._check_open()
        messages = self.message_line_ids.filtered(
            lambda message: message.state in states and not message.superseded
        )
        if not messages:
            raise UserError(self.env._("There is no message left to send again."))
        return messages

    def _close(self, state, reason):
        check_group(self, HANDLER)
        self._check_open()
        if not (reason or "").strip():
            raise UserError(self.env._("Say how it was settled."))
        self.sudo().write(
            {
                "state": state,
                "resolution": reason.strip(),
                "resolved_at": fields.Datetime.now(),
                "resolved_by_id": self.env.uid,
            }
        )
        return True

    def _check_open(self):
        if any(case.state not in cases.OPEN for case in self):
            raise UserError(self.env._("A closed case is not changed any more."))
