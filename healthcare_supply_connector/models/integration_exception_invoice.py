# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo import models
from odoo.exceptions import UserError

from .account_move_match import CASES


class IntegrationException(models.Model):
    """Cases about the differences of a bill: accepted where they stand."""

    _inherit = "integration.exception"

    def _integration_bill(self):
        """Return the bill of the case with the user's own rights.

        :raises UserError: the case is about no bill, or it is gone
        """
        self.ensure_one()
        bill = self.env["account.move"]
        if self.code in CASES and self.res_model == "account.move":
            bill = bill.browse(self.res_id).exists()
        if not bill:
            raise UserError(self.env._("The bill of this case is gone."))
        bill.check_access("read")
        return bill

    def action_accept_difference(self):
        """Open the dialog in which the differences of the bill are accepted."""
        return self._integration_bill().action_integration_accept()

    def action_match_again(self):
        """Match the bill again, e.g. after the order was corrected."""
        return self._integration_bill().action_integration_match()
