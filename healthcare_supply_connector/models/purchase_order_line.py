# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo import api, fields, models

from ..inbound import acknowledgement as answers
from .purchase_order import CHANGED

WATCHED = (
    "product_id",
    "name",
    "product_qty",
    "product_uom_id",
    "price_unit",
    "discount",
    "date_planned",
)

MENDING = ("product_id", "product_qty", "price_unit", "date_planned")


class PurchaseOrderLine(models.Model):
    _name = "purchase.order.line"
    _inherit = ["purchase.order.line", "integration.emitter"]

    integration_line_ref = fields.Char(
        "Line Reference",
        readonly=True,
        copy=False,
        help="Number of the line in messages: it stays when lines are moved and is never reused.",
    )

    acknowledgement_line_ids = fields.One2many(
        "purchase.order.acknowledgement.line", "order_line_id", readonly=True
    )

    @api.model_create_multi
    def create(self, vals_list):
        self._integration_number(vals_list)
        lines = super().create(vals_list)
        orders = lines.order_id.filtered(lambda order: order.state == "purchase")
        orders._integration_emit(CHANGED)
        return lines

    def _integration_number(self, vals_list):
        """Give lines to be created the next references of their order.

        Together with the order's counter in one write, not line by line.
        """
        display_type = self.env.context.get("default_display_type")
        by_order = {}
        for vals in vals_list:
            vals.pop("integration_line_ref", None)
            order_id = vals.get("order_id") or self.env.context.get("default_order_id")
            if order_id and not vals.get("display_type", display_type):
                by_order.setdefault(order_id, []).append(vals)
        for order_id, rows in by_order.items():
            order = self.env["purchase.order"].sudo().browse(order_id)
            last = order.integration_line_count
            for number, vals in enumerate(rows, last + 1):
                vals["integration_line_ref"] = str(number)
            order.integration_line_count = last + len(rows)

    def write(self, vals):
        lines, before = self.browse(), None
        if any(name in vals for name in WATCHED) and self._integration_wanted(CHANGED):
            lines = self.filtered(
                lambda line: not line.display_type and line.order_id.state == "purchase"
            )
            before = {line.id: [line[name] for name in WATCHED] for line in lines}
        result = super().write(vals)
        if before:
            changed = lines.filtered(
                lambda line: [line[name] for name in WATCHED] != before[line.id]
            )
            changed.order_id._integration_emit(CHANGED)
        if any(name in vals for name in MENDING):
            self._integration_settle_answers()
        return result

    # -- answers of the supplier --------------------------------------------------

    def _integration_last_answer(self):
        """Return the rows of the supplier's last answer to this line, as superuser."""
        rows = self.sudo().acknowledgement_line_ids
        last = rows.acknowledgement_id.sorted()[:1]
        return rows.filtered(lambda row: row.acknowledgement_id == last)

    def _integration_requested_date(self):
        """Return the date that was asked for, before answers were taken over."""
        rows = self._integration_last_answer()
        planned = self.date_planned.date()
        taken_over = rows and answers.promised(rows) == planned
        return rows[0].requested_date or planned if taken_over else planned

    def _integration_take_price(self, price):
        """Take the supplier's price over; the change is noted on the order.

        :param float price: per unit of the line, before its discount
        """
        self.order_id.message_post(
            body=self.env._(
                "Price of %(item)s taken over from the supplier: %(new)s instead of %(old)s",
                item=self.product_id.display_name,
                new=answers.money(price),
                old=answers.money(self.price_unit),
            )
        )
        self.price_unit = price

    def _integration_settle_answers(self):
        """Settle cases of the supplier's answer that the buyer has mended on the line."""
        if self.env.context.get("integration_case"):
            return  # the button finishes its case itself
        answered = self.filtered(
            lambda line: line.order_id.state == "purchase"
            and line.order_id.acknowledged
        )
        for line in answered.sudo().filtered("acknowledgement_line_ids"):
            rows, order = line._integration_last_answer(), line.order_id
            tolerance = self.env["supply.tolerance"]._for(
                order.company_id, order.partner_id
            )
            left = {one.code for one in answers.deviations(line, rows, tolerance)}
            rows.acknowledgement_id._settle(
                answers.key_of(line),
                [code for code in answers.CODES if code not in left],
                self.env._("The order line was changed."),
            )
