# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo import api, fields, models
from odoo.exceptions import ValidationError


class IntegrationExceptionEscalation(models.Model):
    """Who is told when a case of a queue stays overdue."""

    _name = "integration.exception.escalation"
    _description = "Escalation Level of a Queue"
    _inherit = ["integration.audited"]
    _order = "queue_id, hours, id"
    _rec_name = "queue_id"

    queue_id = fields.Many2one(
        "integration.exception.queue", required=True, ondelete="cascade", index=True
    )
    company_id = fields.Many2one(related="queue_id.company_id", store=True)
    hours = fields.Float(
        "Hours after the Deadline", help="0: as soon as the deadline has passed."
    )
    user_id = fields.Many2one(
        "res.users",
        "Tell",
        ondelete="restrict",
        help="Gets an activity on the case; empty: the leader of the queue.",
    )

    _hours_uniq = models.Constraint(
        "UNIQUE(queue_id, hours)", "There is a level after so many hours already."
    )

    @api.constrains("hours")
    def _check_hours(self):
        if any(level.hours < 0 for level in self):
            raise ValidationError(
                self.env._("A case escalates after its deadline, not before it.")
            )
