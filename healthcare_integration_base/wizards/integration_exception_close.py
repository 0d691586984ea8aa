# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo import api, fields, models
from odoo.exceptions import UserError

from ..engine import cases


class IntegrationExceptionClose(models.TransientModel):
    """Asks how cases were settled before they are closed."""

    _name = "integration.exception.close"
    _description = "Close an Integration Exception"

    exception_id = fields.Many2one("integration.exception", readonly=True)
    exception_ids = fields.Many2many(
        "integration.exception",
        string="Cases",
        compute="_compute_exception_ids",
        store=True,
        readonly=False,
    )
    outcome = fields.Selection(
        [("resolve", "Resolved"), ("ignore", "Ignored")],
        required=True,
        default="resolve",
    )
    unresolved_count = fields.Integer(compute="_compute_unresolved")
    parked_count = fields.Integer(
        compute="_compute_unresolved",
        help="Younger messages of the same documents that go on when the case is closed.",
    )
    reason = fields.Text(required=True)

    @api.depends("exception_id")
    def _compute_exception_ids(self):
        for wizard in self.filtered("exception_id"):
            wizard.exception_ids = wizard.exception_id

    @api.depends("exception_ids")
    def _compute_unresolved(self):
        for wizard in self:
            dead = wizard.exception_ids._unfinished(("dead",))
            wizard.unresolved_count = len(dead)
            wizard.parked_count = cases.parked(self.env, dead.ids)

    def action_close(self):
        """Close the cases with the reason given.

        :raises AccessError: the user may not handle exceptions
        :raises UserError: no case was chosen, or one is closed
        """
        self.ensure_one()
        if not self.exception_ids:
            raise UserError(self.env._("Choose the cases first."))
        if self.outcome == "ignore":
            self.exception_ids.action_ignore(self.reason)
        else:
            self.exception_ids.action_resolve(self.reason)
        return {"type": "ir.actions.act_window_close"}
