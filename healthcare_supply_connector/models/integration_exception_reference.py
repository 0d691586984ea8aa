# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo import models


class IntegrationException(models.Model):
    """Cases about what a partner's reference means: finished by picking the record."""

    _inherit = "integration.exception"

    def action_match_reference(self):
        """Open the wizard that lets a person pick what the partner means.

        :raises AccessError: the user may not decide this
        :raises UserError: the case does not say which value is meant, or is closed
        """
        self.ensure_one()
        self._check_open()
        match = self.env["integration.reference.match"].create(
            {"exception_id": self.id}
        )
        return match._reopen()
