# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.fields import Domain


class IntegrationExceptionQueue(models.Model):
    """Where cases of a kind wait for the people who can solve them."""

    _name = "integration.exception.queue"
    _description = "Integration Exception Queue"
    _inherit = ["integration.audited"]
    _order = "sequence, name"
    _check_company_auto = True

    name = fields.Char(required=True, translate=True)
    sequence = fields.Integer(default=10)
    active = fields.Boolean(default=True)
    # restrict: without its company it would be shared with all the others
    company_id = fields.Many2one("res.company", ondelete="restrict")
    member_ids = fields.Many2many("res.users", string="Members")
    leader_id = fields.Many2one(
        "res.users", ondelete="restrict", help="Hears of cases that stay overdue."
    )
    members_only = fields.Boolean(
        help="Only members, the leader and whoever has a case see the cases of this queue."
    )
    route_ids = fields.One2many("integration.exception.route", "queue_id", "Rules")
    category_codes = fields.Char(
        help="Categories that come here, separated by commas; empty: what no other queue takes."
    )
    event_prefixes = fields.Char(
        help="Event type codes that come here, by their beginning and separated by commas, "
        "e.g. finance."
    )
    hours_to_resolve = fields.Float(default=24.0, required=True)
    escalation_ids = fields.One2many("integration.exception.escalation", "queue_id")
    assign = fields.Selection(
        [
            ("none", "Nobody; members take cases themselves"),
            ("least_loaded", "The member with the fewest open cases"),
            ("round_robin", "Members in turn"),
            ("fixed", "One person"),
        ],
        "New Cases Are Assigned to",
        default="none",
        required=True,
    )
    assign_user_id = fields.Many2one("res.users", "Person", ondelete="restrict")
    notify = fields.Selection(
        [
            ("none", "Nobody"),
            ("owner", "Whoever it is assigned to"),
            ("leader", "Whoever it is assigned to, else the leader"),
        ],
        "Activity for",
        default="owner",
        required=True,
        help="Who gets an activity when a case is opened or assigned.",
    )
    color = fields.Integer()
    exception_ids = fields.One2many("integration.exception", "queue_id")
    open_count = fields.Integer("Open Cases", compute="_compute_counts")
    unassigned_count = fields.Integer("Unassigned Cases", compute="_compute_counts")
    overdue_count = fields.Integer("Overdue Cases", compute="_compute_counts")
    due_count = fields.Integer("Due within a Day", compute="_compute_counts")
    open_amount = fields.Monetary(
        "At Stake",
        compute="_compute_open_amount",
        help="What the open cases are about, in the currency of your company.",
    )
    currency_id = fields.Many2one("res.currency", compute="_compute_open_amount")

    @api.constrains("assign", "assign_user_id")
    def _check_person(self):
        for queue in self:
            if queue.assign == "fixed" and not queue.assign_user_id:
                raise ValidationError(
                    self.env._("Say which person the cases are assigned to.")
                )

    @api.constrains("hours_to_resolve")
    def _check_hours(self):
        if any(queue.hours_to_resolve <= 0 for queue in self):
            raise ValidationError(
                self.env._("A case needs some time: hours to resolve is above zero.")
            )

    def _open_domain(self):
        return Domain("queue_id", "in", self.ids) & Domain(
            "state", "in", ("open", "in_progress")
        )

    def _compute_counts(self):
        unresolved, now = self._open_domain(), fields.Datetime.now()
        day = Domain("deadline", ">=", now) & Domain(
            "deadline", "<", now + timedelta(days=1)
        )
        for name, domain in {
            "open_count": unresolved,
            "unassigned_count": unresolved & Domain("user_id", "=", False),
            "overdue_count": unresolved & Domain("deadline", "<", now),
            "due_count": unresolved & day,
        }.items():
            counts = dict(
                self.env["integration.exception"]._read_group(
                    domain, ["queue_id"], ["__count"]
                )
            )
            for queue in self:
                queue[name] = counts.get(queue._origin, 0)

    @api.depends_context("company")
    def _compute_open_amount(self):
        company, today = self.env.company, fields.Date.context_today(self)
        currency = company.currency_id
        self.open_amount, self.currency_id = 0.0, currency
        for queue, unit, amount in self.env["integration.exception"]._read_group(
            self._open_domain() & Domain("amount", "!=", 0),
            ["queue_id", "currency_id"],
            ["amount:sum"],
        ):
            unit = unit or currency
            self.filtered(
                lambda one, found=queue: one._origin == found
            ).open_amount += unit._convert(amount, currency, company, today)
