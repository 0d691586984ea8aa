# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import AccessError
from odoo.fields import Domain
from odoo.tools import SQL

from ..const import ERROR_CLASSES
from ..engine import cases, routing, sql

SWEPT = 1000
# What handlers change in the form; closing goes through the buttons, with a reason.
WRITABLE = ("queue_id", "user_id", "deadline", "priority")
URGENCIES = [
    ("overdue", "Overdue"),
    ("due", "Due within a day"),
    ("fine", "In time"),
    ("closed", "Closed"),
]
DAY = timedelta(days=1)


class IntegrationException(models.Model):
    """A case for a human: one per cause, with all its messages."""

    _name = "integration.exception"
    _description = "Integration Exception"
    _inherit = ["mail.thread", "mail.activity.mixin", "integration.emitter"]
    _order = "priority desc, deadline, id desc"
    _check_company_auto = True

    name = fields.Char(required=True, readonly=True)
    fingerprint = fields.Char(required=True, readonly=True, index=True)
    category = fields.Selection(ERROR_CLASSES, required=True, readonly=True)
    code = fields.Char(readonly=True, index=True, help="Stable error code.")
    cause_key = fields.Char(
        readonly=True, help="What tells this cause from others of its code."
    )
    cause_data = fields.Json(
        readonly=True, help="What the button that finishes the case needs to know."
    )
    decision = fields.Boolean(
        "Waits for a Decision",
        readonly=True,
        help="A person must decide; messages that get through don't close it.",
    )
    waiting_for = fields.Selection(
        [("replay", "Replay"), ("partner", "Partner")], readonly=True, tracking=True
    )
    previous_id = fields.Many2one(
        "integration.exception",
        "Former Case",
        readonly=True,
        index="btree_not_null",
        help="The last case of the same cause, closed by then.",
    )
    amount = fields.Monetary(
        "Amount at Stake",
        readonly=True,
        help="The latest amount of each document of the case, added up.",
    )
    currency_id = fields.Many2one("res.currency", readonly=True)
    stakes = fields.Json(
        readonly=True, help="Amount and currency by document (model,id)."
    )
    res_model = fields.Char("Document Model", readonly=True)
    res_id = fields.Many2oneReference(
        "Document Record", model_field="res_model", readonly=True
    )
    queue_id = fields.Many2one(
        "integration.exception.queue",
        index=True,
        tracking=True,
        group_expand="_read_group_queue_ids",
    )
    user_id = fields.Many2one(
        "res.users",
        string="Assigned to",
        tracking=True,
        index=True,
        check_company=True,
        domain=[("share", "=", False)],
    )
    priority = fields.Selection(
        [("0", "Normal"), ("1", "Important"), ("2", "Urgent")], default="0"
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
    direction = fields.Selection(related="endpoint_id.direction")
    # columns, not related fields: a case may be of a system without a channel
    system_id = fields.Many2one("integration.system", readonly=True, index=True)
    partner_id = fields.Many2one("res.partner", readonly=True, index="btree_not_null")
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
    urgency = fields.Selection(
        URGENCIES, compute="_compute_urgency", store=True, readonly=True
    )
    age_days = fields.Integer(
        "Age (days)", compute="_compute_age_days", help="Since the case was opened."
    )
    escalation_level = fields.Integer("Escalated", readonly=True, default=0)
    escalated_at = fields.Datetime(readonly=True)
    first_seen = fields.Datetime(readonly=True)
    last_seen = fields.Datetime(readonly=True)
    resolution = fields.Text(tracking=True)
    resolution_kind = fields.Selection(
        [
            ("replayed", "Sent again"),
            ("mended", "Mended"),
            ("corrected", "Message corrected"),
            ("told", "Settled elsewhere"),
            ("ignored", "Ignored"),
            ("itself", "By itself"),
        ],
        "Settled by",
        readonly=True,
    )
    resolved_at = fields.Datetime(readonly=True)
    resolved_by_id = fields.Many2one("res.users", readonly=True)
    title = fields.Char("Kind", compute="_compute_code_texts")
    meaning = fields.Text("What Happened", compute="_compute_code_texts")
    advice = fields.Text("What to Do", compute="_compute_code_texts")
    document_name = fields.Char("Document", compute="_compute_document_name")
    document_count = fields.Integer("Documents Count", compute="_compute_document_name")
    company_amount = fields.Monetary(
        "Amount in Company Currency",
        compute="_compute_company_amount",
        currency_field="company_currency_id",
        store=True,
        help="For totals and searches over several currencies; at the rate of the last change.",
    )
    company_currency_id = fields.Many2one(
        "res.currency", compute="_compute_company_amount", store=True
    )

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

    @api.depends("deadline", "state")
    def _compute_urgency(self):
        now = fields.Datetime.now()
        for case in self:
            case.urgency = case._urgency_at(now)

    def _urgency_at(self, now):
        if self.state not in cases.OPEN:
            return "closed"
        if not self.deadline or self.deadline >= now + DAY:
            return "fine"
        return "due" if self.deadline >= now else "overdue"

    @api.model
    def _refresh_urgency(self):
        """Let the time that has passed show in lists and columns."""
        now = fields.Datetime.now()
        passed = Domain("deadline", "<", now) & Domain("urgency", "in", ("fine", "due"))
        near = Domain("deadline", "<", now + DAY) & Domain("urgency", "=", "fine")
        late = self.search(Domain("state", "in", cases.OPEN) & (passed | near))
        self.env.add_to_compute(self._fields["urgency"], late)

    def _compute_age_days(self):
        now = fields.Datetime.now()
        for case in self:
            seen = case.first_seen or case.create_date or now
            case.age_days = ((case.resolved_at or now) - seen).days

    @api.depends("code", "category")
    @api.depends_context("lang")
    def _compute_code_texts(self):
        for case in self:
            kind = self.env["integration.exception.code"]._of(case.code, case.category)
            kind = kind.sudo()
            case.title = kind.name or (case.code or "").replace("_", " ").capitalize()
            case.meaning, case.advice = kind.meaning, kind.advice

    @api.depends("res_model", "res_id", "stakes")
    @api.depends_context("uid")
    def _compute_document_name(self):
        for case in self:
            document = case._document()
            readable = document and document.has_access("read")
            case.document_name = readable and document.display_name
            keys = [key for key in case.stakes or {} if key]
            case.document_count = len(keys) or int(bool(readable))

    def _document(self):
        """Return the document the case is about, as the user; None if it is gone."""
        model = self.env.get(self.res_model) if self.res_model else None
        return None if model is None else model.browse(self.res_id).exists() or None

    @api.depends("amount", "currency_id", "company_id")
    def _compute_company_amount(self):
        for case in self:
            company = case.company_id or self.env.company
            case.company_currency_id = company.currency_id
            case.company_amount = routing.amount_in(
                self.env, case.amount, case.currency_id.id, company.id
            )

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
        endpoint = self.env["integration.endpoint"].browse(endpoint_id)
        opening = cases.technical(
            category,
            code,
            text,
            endpoint_id=endpoint_id,
            company_id=(message.company_id or endpoint.company_id).id or None,
            system_id=endpoint.system_id.id,
        )
        row = {"id": message_id, "exception_id": message.exception_id.id or None}
        cases.attach(self.env, opening, [row])

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

    def _close_if_through(self):
        """Resolve open cases that have no unfinished message left and need no decision."""
        self.env.flush_all()
        through = self.sudo().browse(cases.through(self.env, self.ids))
        through.invalidate_recordset()
        for case in through:
            case._integration_close(
                "resolved",
                case.resolution
                or self.env._("No message of this case is waiting any more."),
                case.resolution_kind or "itself",
                case.resolved_by_id.id,
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
