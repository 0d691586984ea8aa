# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo import fields, models
from odoo.exceptions import UserError

from odoo.addons.healthcare_integration_base.access import check_group

from ..inbound import acknowledgement as answers

BUYER = "purchase.group_purchase_user"


class IntegrationException(models.Model):
    """Buttons that finish the cases of purchasing and the warehouse.

    The mending is done with the user's own rights on orders, receipts and stock.
    """

    _inherit = "integration.exception"

    def action_accept_price(self):
        """Write the supplier's price onto the order line, and finish the case.

        :raises AccessError: the user is no buyer, or may not change this order
        :raises UserError: the case is of another kind, or its line is gone
        """
        line, price = self._order_line(answers.PRICE), self.cause_data["price"]
        line.with_context(integration_case=self.id)._integration_take_price(
            float(price)
        )
        return self._finish(self.env._("Price %s accepted.", price))

    def action_accept_date(self):
        """Write the supplier's date onto the order line, and finish the case.

        :raises AccessError: the user is no buyer, or may not change this order
        :raises UserError: the case is of another kind, or its line is gone
        """
        line, date = self._order_line(answers.DELAY), self.cause_data["promised_date"]
        line = line.with_context(integration_case=self.id)
        line.date_planned = line._convert_to_middle_of_day(fields.Date.to_date(date))
        return self._finish(self.env._("Date %s accepted.", date))

    def action_keep_order(self):
        """Leave the order as it is, note that on it, and finish the case.

        :raises AccessError: the user is no buyer
        :raises UserError: the case is of another kind, or its line is gone
        """
        line = self._order_line(*answers.CODES)
        line.order_id.message_post(
            body=self.env._(
                "The order stands as it is; not agreed: %(case)s", case=self.name
            )
        )
        return self._finish(self.env._("The order stands as it is."))

    def _order_line(self, *codes):
        """Return the order line of a case of one of these codes, as the user sees it."""
        self.ensure_one()
        check_group(self, BUYER)
        self._check_open()
        if self.code not in codes:
            raise UserError(self.env._("This case is not finished by this button."))
        line_id = (self.cause_data or {}).get("order_line_id")
        line = self.env["purchase.order.line"].search([("id", "=", line_id)])
        if not line or line.order_id.state == "cancel":
            raise UserError(
                self.env._("The order line of this case does not exist any more.")
            )
        line.check_access("write")
        return line
