# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo import api, fields, models
from odoo.exceptions import AccessError

DIGEST = "integration_invoice_digest"


class AccountMoveLine(models.Model):
    _inherit = "account.move.line"

    integration_charge = fields.Boolean(
        "Charge of the Supplier",
        readonly=True,
        help="Freight, handling and the like, which no order has.",
    )

    @api.model_create_multi
    def create(self, vals_list):
        lines = super().create(vals_list)
        lines.filtered("integration_charge")._integration_check_charge()
        return lines

    def write(self, vals):
        """Leave to the invoice what is a charge: charges are tolerated otherwise.

        :raises AccessError: it is written on a bill that came in by message
        """
        if "integration_charge" in vals:
            self._integration_check_charge()
        return super().write(vals)

    def _integration_check_charge(self):
        if not self.env.su and any(self.sudo().move_id.mapped(DIGEST)):
            raise AccessError(
                self.env._("What is a charge of the supplier, the invoice says.")
            )
