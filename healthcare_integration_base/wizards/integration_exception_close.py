# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo import fields, models


class IntegrationExceptionClose(models.TransientModel):
    """Asks how a case was settled before it is closed."""

    _name = "integration.exception.close"
    _description = "Close an Integration Exception"

    exception_id = fields.Many2one(
        "integration.exception", required=True, readonly=True
    )
    outcome = fields.Selection(
        [("resolve", "Resolved"), ("ignore", "Ignored")],
        required=True,
        default="resolve",
    )
    unresolved_count = fields.Integer(related="exception_id.unresolved_count")
    reason = fields.Text(required=True)

    def action_close(self):
        """Close the case with the reason given.

        :raises AccessError: the user may not handle exceptions
        """
        self.ensure_one()
        if self.outcome == "ignore":
            self.exception_id.action_ignore(self.reason)
        else:
            self.exception_id.action_resolve(self.reason)
        return {"type": "ir.actions.act_window_close"}
