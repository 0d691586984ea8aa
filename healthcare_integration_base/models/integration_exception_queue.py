# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo import fields, models
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
    category_codes = fields.Char(
        help="Categories that come here, separated by commas; empty: what no other queue takes."
    )
    event_prefixes = fields.Char(
        help="Event type codes that come here, by their beginning and separated by commas, "
        "e.g. finance."
    )
    hours_to_resolve = fields.Float(default=24.0, required=True)
    color = fields.Integer()
    exception_ids = fields.One2many("integration.exception", "queue_id")
    open_count = fields.Integer("Open Cases", compute="_compute_counts")
    unassigned_count = fields.Integer("Unassigned Cases", compute="_compute_counts")
    overdue_count = fields.Integer("Overdue Cases", compute="_compute_counts")

    def _compute_counts(self):
        unresolved = Domain("queue_id", "in", self.ids) & Domain(
            "state", "in", ("open", "in_progress")
        )
        for name, domain in {
            "open_count": unresolved,
            "unassigned_count": unresolved & Domain("user_id", "=", False),
            "overdue_count": unresolved
            & Domain("deadline", "<", fields.Datetime.now()),
        }.items():
            counts = dict(
                self.env["integration.exception"]._read_group(
                    domain, ["queue_id"], ["__count"]
                )
            )
            for queue in self:
                queue[name] = counts.get(queue._origin, 0)
