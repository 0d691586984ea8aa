# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from datetime import timedelta
from decimal import Decimal

from markupsafe import Markup

from odoo import fields, models
from odoo.tools import float_compare

from odoo.addons.healthcare_integration_base.protocol.cause import Cause
from odoo.addons.healthcare_integration_base.protocol.errors import Filtered, Rejected

from ..inbound import acknowledgement as answers
from ..inbound import resolve
from ..payloads.text import amount_text

ORDER_MESSAGES = ("supply.purchase_order.released", "supply.purchase_order.changed")
STATUS = [
    ("accepted", "Accepted"),
    ("accepted_with_changes", "Accepted with Changes"),
    ("rejected", "Rejected"),
]


class PurchaseOrderAcknowledgement(models.Model):
    """What a supplier answered to an order: kept as it came, next to what was ordered.

    Dates within the tolerance are taken over, prices only if the policy says so.
    Quantities never are: a shortfall is the buyer's to decide. What is beyond the
    tolerances becomes a case per order line, which a better answer or the buyer settles.
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
    system_id = fields.Many2one("integration.system", ondelete="set null")
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
            acknowledgement._take_over(order)
        acknowledgement._tell(order)
        acknowledgement._judge(order, message)
        return acknowledgement

    def _take_over(self, order):
        """Take over what is within the tolerances, with the rights of the user."""
        tolerance = self.env["supply.tolerance"]._for(
            order.company_id, order.partner_id
        )
        rows = self.line_ids.grouped("order_line_id")
        self._take_over_dates(order, rows, tolerance)
        if tolerance.price_policy == "auto":
            self._take_over_prices(order, rows, tolerance)

    def _checked_lines(self, order, data):
        self._check_not_seen(order, data)
        rows = data.get("lines", [])
        known = resolve.order_lines(order, [row["line_ref"] for row in rows])
        self._check_quantities(known, rows)
        self._check_dates(rows)
        answers.check_currency(order, data)
        answers.check_prices(rows)
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
        rows = enumerate(data.get("lines", []))
        return {
            "order_id": order.id,
            "supplier_reference": data.get("supplier_reference"),
            "status": data["status"],
            "acknowledged_at": resolve.utc(data["acknowledged_at"]),
            "reason": data.get("reason"),
            "message_uid": message.sudo().uid,
            "system_id": message.sudo().endpoint_id.system_id.id,
            "digest": resolve.digest(data),
            "line_ids": [
                fields.Command.create(
                    self._prepare_line(known[row["line_ref"]], index, row, message)
                )
                for index, row in rows
            ],
        }

    def _prepare_line(self, line, index, row, message):
        product, label = answers.substitute(
            line.env, message, row, f"/lines/{index}/substitute"
        )
        return {
            "order_line_id": line.id,
            "status": row["status"],
            "ordered_quantity": line.product_qty,
            "ordered_price": line.price_unit,
            "requested_date": line._integration_requested_date(),
            "quantity": 0.0
            if row["status"] == "rejected"
            else self._quantity(line, row),
            "price_given": "unit_price" in row,
            "unit_price": float(row.get("unit_price", 0)),
            "promised_date": row.get("promised_date"),
            "substitute_id": product.id,
            "substitute_reference": label,
            "reason": row.get("reason"),
        }

    def _take_over_dates(self, order, rows, tolerance):
        """Move the lines to the promised dates; a split line to its last one."""
        moved = []
        for order_line, own in rows.items():
            line, date = order_line.with_env(order.env), answers.promised(own)
            if not date or date == line.date_planned.date():
                continue
            if date <= answers.tolerated_date(line, own, tolerance):
                moved.append((line, line._convert_to_middle_of_day(date)))
        if moved:
            # Odoo looks up its note for the buyer by model, which users may not read.
            order.check_access("write")
            order.sudo()._update_date_planned_for_lines(moved)

    def _take_over_prices(self, order, rows, tolerance):
        for order_line, own in rows.items():
            line, row = order_line.with_env(order.env), answers.price_of(own)
            ours = line.price_unit
            if not row or row.unit_price == ours:
                continue
            if tolerance._price_fits(row.unit_price, ours):
                line._integration_take_price(row.unit_price)

    # -- cases ------------------------------------------------------------------

    def _judge(self, order, message):
        """Open a case for each thing beyond the tolerances; settle those that are mended."""
        cases = self.env["integration.exception"]
        told = self._acknowledge_message(order, message)
        if self.status != "rejected":
            self._settle(order.name, (answers.ORDER_REFUSED,))
        elif not told:  # else the rejected message is the case
            cases._raise_case(
                self._refusal_cause(order), message=message, company=order.company_id
            )
        for line, deviations in self._deviations(order).items():
            for deviation in deviations:
                cases._raise_case(
                    deviation.cause(), message=message, company=order.company_id
                )
            left = {deviation.code for deviation in deviations}
            self._settle(
                answers.key_of(line),
                [code for code in answers.CODES if code not in left],
            )

    def _acknowledge_message(self, order, message):
        """Let the order's message show what its receiver answered.

        :return: the acknowledgement of that message; empty if none was sent to him
        """
        return self.env["integration.acknowledgement"]._acknowledge_document(
            message.sudo().endpoint_id.system_id,
            order,
            "rejected" if self.status == "rejected" else "accepted",
            reference=self.supplier_reference,
            reason=self.reason,
            occurred_at=self.acknowledged_at,
            source=message,
            codes=ORDER_MESSAGES,
        )

    def _deviations(self, order):
        """Return what a buyer has to decide, by answered order line.

        An acceptance or rejection of the whole order answers all its lines.
        """
        tolerance = self.env["supply.tolerance"]._for(
            order.company_id, order.partner_id
        )
        rows = self.line_ids.grouped("order_line_id")
        lines = order.order_line.filtered(lambda line: not line.display_type)
        if self.status == "rejected":
            return dict.fromkeys(lines, [])
        if self.status == "accepted_with_changes":
            lines = lines.filtered(lambda line: line in rows)
        return {
            line: answers.deviations(line, rows[line], tolerance)
            if line in rows
            else []
            for line in lines
        }

    def _refusal_cause(self, order):
        return Cause(
            code=answers.ORDER_REFUSED,
            key=order.name,
            title=f"{order.name} rejected by the supplier",
            amount=Decimal(
                amount_text(order.amount_total, order.currency_id.decimal_places)
            ),
            currency=order.currency_id.name,
            document=(order._name, order.id),
        )

    def _settle(self, key, codes, text=None):
        """Resolve the open cases of these codes about an order or one of its lines."""
        text = text or self.env._("A later answer of the supplier settles it.")
        for code in codes:
            self.env["integration.exception"]._settle_case(
                code, key, text, self.company_id, self.system_id
            )

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
