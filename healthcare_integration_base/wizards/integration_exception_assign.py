# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo import fields, models
from odoo.exceptions import UserError

from ..access import check_group
from ..models.integration_exception_finish import HANDLER


class IntegrationExceptionAssign(models.TransientModel):
    """Gives cases to somebody, or to another queue."""

    _name = "integration.exception.assign"
    _description = "Assign Integration Exceptions"

    exception_ids = fields.Many2many("integration.exception", required=True)
    user_id = fields.Many2one("res.users", "Assign to", domain=[("share", "=", False)])
    queue_id = fields.Many2one("integration.exception.queue", "Move to Queue")

    def action_assign(self):
        """Assign the cases.

        :raises AccessError: the user does not handle exceptions
        :raises UserError: neither a person nor a queue is given, or a case is closed
        """
        self.ensure_one()
        check_group(self.exception_ids, HANDLER)
        if not self.exception_ids:
            raise UserError(self.env._("Choose the cases first."))
        values = {name: self[name].id for name in ("user_id", "queue_id") if self[name]}
        if not values:
            raise UserError(self.env._("Choose a person or a queue."))
        self.exception_ids._check_open()
        self.exception_ids._check_may_work(self.user_id)
        self.exception_ids.write(values)
        return {"type": "ir.actions.act_window_close"}
