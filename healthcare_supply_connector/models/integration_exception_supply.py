# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from markupsafe import Markup

from odoo import Command, api, fields, models
from odoo.exceptions import UserError

from odoo.addons.healthcare_integration_base.access import check_group

from ..inbound import acknowledgement as answers
from ..inbound import booking, receipt, stock_levels

BUYER = "purchase.group_purchase_user"
STOCK_MANAGER = "stock.group_stock_manager"


class IntegrationException(models.Model):
    """Buttons that finish the cases of purchasing and the warehouse.

    The mending is done with the user's own rights on orders, receipts and stock.
    """

    _inherit = "integration.exception"

    comparison = fields.Html(
        compute="_compute_comparison",
        help="What was received by hand beside what the operator confirmed.",
    )

    @api.depends("code", "cause_data")
    def _compute_comparison(self):
        for case in self:
            rows = (case.cause_data or {}).get("rows")
            case.comparison = (
                case._comparison_table(rows)
                if rows and case.code == receipt.DIFFERS
                else False
            )

    def _comparison_table(self, rows):
        cell = Markup("<td>%s</td>")
        head = (
            self.env._("Item"),
            self.env._("Lot"),
            self.env._("Received by Hand"),
            self.env._("Confirmed"),
        )
        body = Markup().join(
            Markup('<tr class="%s">%s</tr>')
            % (
                "" if row["ours"] == row["theirs"] else "table-warning",
                Markup().join(
                    cell % row[name] for name in ("item", "lot", "ours", "theirs")
                ),
            )
            for row in rows
        )
        return Markup(
            '<table class="table table-sm"><thead><tr>%s</tr></thead><tbody>%s</tbody></table>'
        ) % (Markup().join(Markup("<th>%s</th>") % text for text in head), body)

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

    def action_accept_over_receipt(self):
        """Let the receipt take more than is tolerated, and replay what waits for it.

        :raises AccessError: the user does not manage the stock
        :raises UserError: the case is of another kind, or its receipt is gone
        """
        self._check_button(STOCK_MANAGER, booking.OVER)
        picking = self._picking_of(self.cause_data["picking_id"])
        picking.over_receipt_accepted = True
        picking.message_post(body=self.env._("Accepted: %s", self.name))
        return self._finish(self.env._("More than ordered was accepted."))

    def action_book_receipt(self):
        """Say that what was received by hand was another delivery; then book the message.

        :raises AccessError: the user does not manage the stock
        :raises UserError: the case is of another kind, or its receipt is gone
        """
        self._check_button(STOCK_MANAGER, receipt.DIFFERS)
        pickings = self._picking_of(self.cause_data["picking_ids"])
        # nobody may write confirmations, so that none is forged; the right is checked above
        self.env["stock.receipt.confirmation"].sudo().create(
            [
                {
                    "name": picking.name,
                    "picking_ids": [Command.set(picking.ids)],
                    "company_id": picking.company_id.id,
                    "received_at": picking.date_done,
                    "outcome": "by_hand",
                }
                for picking in pickings
            ]
        )
        return self._finish(self.env._("Another delivery: booked as well."))

    def action_open_level_report(self):
        """Open the report behind a discrepancy, to adjust stock line by line.

        :return: window action
        """
        report = self._level_report()
        return {
            "type": "ir.actions.act_window",
            "res_model": report._name,
            "res_id": report.id,
            "view_mode": "form",
        }

    def action_adjust_stock(self):
        """Adjust our stock to what was reported last, and finish the case.

        :raises AccessError: the user does not manage the stock
        :raises UserError: the case is of another kind, or stock has moved since
        """
        self._check_button(STOCK_MANAGER, stock_levels.CODE)
        report = self._level_report()
        report.with_context(integration_case=self.id).action_adjust_all()
        return self._finish(self.env._("Stock was adjusted to report %s.", report.name))

    def _level_report(self):
        self.ensure_one()
        report = self.env["stock.level.report"].search(
            [("id", "=", self.res_id), ("superseded", "=", False)]
        )
        if self.res_model != report._name or not report:
            raise UserError(
                self.env._("The report of this case does not exist any more.")
            )
        return report

    def _picking_of(self, ids):
        found = self.env["stock.picking"].search(
            [("id", "in", ids if isinstance(ids, list) else [ids])]
        )
        if not found:
            raise UserError(
                self.env._("The receipt of this case does not exist any more.")
            )
        found.check_access("write")
        return found

    def _check_button(self, group, *codes):
        self.ensure_one()
        check_group(self, group)
        self._check_open()
        if self.code not in codes:
            raise UserError(self.env._("This case is not finished by this button."))

    def _order_line(self, *codes):
        """Return the order line of a case of one of these codes, as the user sees it."""
        self._check_button(BUYER, *codes)
        line_id = (self.cause_data or {}).get("order_line_id")
        line = self.env["purchase.order.line"].search([("id", "=", line_id)])
        if not line or line.order_id.state == "cancel":
            raise UserError(
                self.env._("The order line of this case does not exist any more.")
            )
        line.check_access("write")
        return line
