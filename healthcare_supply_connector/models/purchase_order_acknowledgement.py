# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from datetime import timedelta

from markupsafe import Markup

from odoo import fields, models
from odoo.tools import float_compare

from odoo.addons.healthcare_integration_base.protocol.errors import Filtered, Rejected

from ..inbound import resolve

STATUS = [
    ("accepted", "Accepted"),
    ("accepted_with_changes", "Accepted with Changes"),
    ("rejected", "Rejected"),
]
LINE_STATUS = [
    ("accepted", "Accepted"),
    ("changed", "Changed"),
    ("backordered", "Backordered"),
    ("rejected", "Rejected"),
]


class PurchaseOrderAcknowledgement(models.Model):
    """What a supplier answered to an order: kept as it came, next to what was ordered.

    Dates are taken over. Quantities never are: a shortfall is the buyer's to decide.
    """

    _name = "purchase.order.acknowledgement"
    _description = "Purchase Order Acknowledgement"
    _order = "acknowledged_at desc, id desc"
    _rec_name = "supplier_reference"

    order_id = fields.Many2one(
        "purchase.order", required=True, ondelete="cascade", index=True
    )
    company_id = fields.Many2one(related="order_id.company_id", store=True, index=True)
    supplier_reference = fields.Char()
    status = fields.Selection(STATUS, required=True)
    acknowledged_at = fields.Datetime(required=True)
    reason = fields.Char()
    message_uid = fields.Char("Message ID")
    digest = fields.Char(required=True)
    line_ids = fields.One2many(
        "purchase.order.acknowledgement.line", "acknowledgement_id"
    )

    _digest_uniq = models.UniqueIndex("(order_id, digest)")

    def _apply(self, order, data, message):
        """Record the answer and do what it asks for.

        :param order: the confirmed purchase order
        :param data: canonical data of ``supply.purchase_order.acknowledged``
        :raise Rejected: line unknown, more confirmed than ordered
        :raise Filtered: applied before, or older than the last answer
        """
        lines = self._checked_lines(order, data)
        acknowledgement = self.sudo().create(self._prepare(order, data, message, lines))
        if data.get("supplier_reference"):
            order.partner_ref = data["supplier_reference"]
        if data["status"] != "rejected":
            order.action_acknowledge()
            acknowledgement._take_over_dates(order)
        acknowledgement._tell(order)
        return acknowledgement

    def _checked_lines(self, order, data):
        self._check_not_seen(order, data)
        rows = data.get("lines", [])
        known = resolve.order_lines(order, [row["line_ref"] for row in rows])
        self._check_quantities(known, rows)
        self._check_dates(rows)
        return known

    def _check_not_seen(self, order, data):
        answered_at = resolve.past(data["acknowledged_at"], "/acknowledged_at")
        earlier = self.sudo().search([("order_id", "=", order.id)])
        if resolve.digest(data) in earlier.mapped("digest"):
            raise Filtered(
                "This answer was applied before.", code="acknowledgement_repeated"
            )
        last = max(earlier.mapped("acknowledged_at"), default=None)
        if last and answered_at < last:
            raise Filtered(
                "A newer answer was applied before.", code="acknowledgement_outdated"
            )

    def _check_dates(self, rows):
        """A year that is mistyped must not move the receipt out of everybody's sight."""
        today, most = fields.Date.today(), timedelta(days=3660)
        for index, row in enumerate(rows):
            promised = fields.Date.to_date(row.get("promised_date"))
            if promised and abs(promised - today) > most:
                raise Rejected(
                    "A promised date is more than ten years away.",
                    code="date_out_of_range",
                    details=[
                        {
                            "path": f"/lines/{index}/promised_date",
                            "message": "more than ten years away",
                        }
                    ],
                )

    def _check_quantities(self, known, rows):
        confirmed = {}
        for index, row in enumerate(rows):
            line = known[row["line_ref"]]
            if row["status"] != "rejected":
                confirmed[line] = confirmed.get(line, 0.0) + self._quantity(line, row)
            if (
                line.product_uom_id.compare(confirmed.get(line, 0.0), line.product_qty)
                > 0
            ):
                raise Rejected(
                    "More is confirmed than was ordered.",
                    code="quantity_over_ordered",
                    details=[
                        {"path": f"/lines/{index}/quantity", "message": "over ordered"}
                    ],
                )

    @staticmethod
    def _quantity(line, row):
        """Return the quantity of a row: without one, the whole line is meant."""
        return float(row["quantity"]) if "quantity" in row else line.product_qty

    def _prepare(self, order, data, message, known):
        return {
            "order_id": order.id,
            "supplier_reference": data.get("supplier_reference"),
            "status": data["status"],
            "acknowledged_at": resolve.utc(data["acknowledged_at"]),
            "reason": data.get("reason"),
            "message_uid": message.sudo().uid,
            "digest": resolve.digest(data),
            "line_ids": [
                fields.Command.create(self._prepare_line(known[row["line_ref"]], row))
                for row in data.get("lines", [])
            ],
        }

    def _prepare_line(self, line, row):
        return {
            "order_line_id": line.id,
            "status": row["status"],
            "ordered_quantity": line.product_qty,
            "quantity": 0.0
            if row["status"] == "rejected"
            else self._quantity(line, row),
            "promised_date": row.get("promised_date"),
            "reason": row.get("reason"),
        }

    def _take_over_dates(self, order):
        """Move the lines to the promised dates; a split line to its last one."""
        promised = {}
        for row in self.line_ids.filtered("promised_date"):
            line = row.order_line_id.with_env(order.env)
            promised[line] = max(
                row.promised_date, promised.get(line, row.promised_date)
            )
        moved = [
            (line, line._convert_to_middle_of_day(date))
            for line, date in promised.items()
            if line.date_planned.date() != date
        ]
        if moved:
            # Odoo looks up its note for the buyer by model, which users may not read.
            order.check_access("write")
            order.sudo()._update_date_planned_for_lines(moved)

    def _shortfalls(self):
        """Return the order lines of which less is confirmed than ordered, with what is."""
        confirmed = {}
        for row in self.line_ids:
            line = row.order_line_id
            confirmed[line] = confirmed.get(line, 0.0) + row.quantity
        digits = self.env["decimal.precision"].precision_get("Product Unit")
        return {
            line: quantity
            for line, quantity in confirmed.items()
            if float_compare(quantity, line.product_qty, precision_digits=digits) < 0
        }

    def _tell(self, order):
        """Note the answer on the order; where it needs a decision, ask the buyer for it."""
        status = dict(self._fields["status"]._description_selection(self.env))[
            self.status
        ]
        order.message_post(
            body=self.env._(
                "Supplier's answer %(reference)s: %(status)s",
                reference=self.supplier_reference or "",
                status=status,
            )
        )
        if self.status == "rejected":
            self._ask_buyer(order, self.env._("Order rejected by the supplier"), {})
            return
        shortfalls = self._shortfalls()
        if shortfalls:
            self._ask_buyer(
                order, self.env._("Supplier confirms less than ordered"), shortfalls
            )

    def _ask_buyer(self, order, summary, shortfalls):
        rows = Markup().join(
            Markup("<li>%s: %s</li>")
            % (
                line.product_id.display_name,
                self.env._(
                    "%(confirmed)s of %(ordered)s %(unit)s",
                    confirmed=confirmed,
                    ordered=line.product_qty,
                    unit=line.product_uom_id.name,
                ),
            )
            for line, confirmed in shortfalls.items()
        )
        order.activity_schedule(
            "mail.mail_activity_data_warning",
            summary=summary,
            note=Markup("<p>%s</p><ul>%s</ul>") % (self.reason or "", rows),
            user_id=order.user_id.id or self.env.uid,
        )


class PurchaseOrderAcknowledgementLine(models.Model):
    _name = "purchase.order.acknowledgement.line"
    _description = "Purchase Order Acknowledgement Line"

    acknowledgement_id = fields.Many2one(
        "purchase.order.acknowledgement", required=True, ondelete="cascade", index=True
    )
    company_id = fields.Many2one(related="acknowledgement_id.company_id", store=True)
    order_line_id = fields.Many2one(
        "purchase.order.line", required=True, ondelete="cascade", index=True
    )
    line_ref = fields.Char(related="order_line_id.integration_line_ref")
    product_id = fields.Many2one(related="order_line_id.product_id")
    product_uom_id = fields.Many2one(related="order_line_id.product_uom_id")
    status = fields.Selection(LINE_STATUS, required=True)
    ordered_quantity = fields.Float(digits="Product Unit")
    quantity = fields.Float("Confirmed Quantity", digits="Product Unit")
    promised_date = fields.Date()
    reason = fields.Char()
