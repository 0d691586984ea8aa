# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from decimal import Decimal

from odoo import api, fields, models

from odoo.addons.healthcare_integration_base.protocol.cause import Cause

from ..inbound import sale
from ..inbound.documents import attach
from ..payloads import sales

CONFIRMED = "sales.order.confirmed"
CHANGED = "sales.order.changed"
CANCELLED = "sales.order.cancelled"
COMPLETED = "sales.order.completed"
CODES = (CONFIRMED, CHANGED, CANCELLED, COMPLETED)
WATCHED = (
    "partner_id",
    "partner_shipping_id",
    "partner_invoice_id",
    "commitment_date",
    "payment_term_id",
    "client_order_ref",
    "currency_id",
)
PRICE_CASE = "order_price_difference"


class SaleOrder(models.Model):
    """Sales orders: their events, and orders of customers' systems."""

    _name = "sale.order"
    _inherit = ["sale.order", "integration.document"]

    integration_order_digest = fields.Char(
        readonly=True, copy=False, groups=fields.NO_ACCESS
    )
    integration_endpoint_id = fields.Many2one(
        "integration.endpoint",
        readonly=True,
        copy=False,
        groups="healthcare_integration_base.group_viewer",
    )
    integration_completed = fields.Boolean(
        "Delivered and Invoiced", readonly=True, copy=False
    )

    # two messages at once must not make two orders of one
    _integration_number_uniq = models.UniqueIndex(
        "(company_id, partner_id, client_order_ref)"
        " WHERE integration_order_digest IS NOT NULL AND state != 'cancel'",
        "There is an order of this customer with this number already.",
    )

    # -- events ---------------------------------------------------------------------------

    @api.model
    def _integration_builders(self):
        return dict.fromkeys(CODES, sales.orders)

    def _integration_correlation(self, code):
        return {order.id: f"sale.order/{order.name}" for order in self}

    def _action_confirm(self):
        result = super()._action_confirm()
        confirmed = self.filtered(lambda order: order.state == "sale")
        confirmed._integration_emit(CONFIRMED)
        confirmed._integration_settle_price(self.env._("The order was confirmed."))
        return result

    def _action_cancel(self):
        known = self.filtered(
            lambda order: order.state == "sale" or order.sudo().integration_order_digest
        )
        result = super()._action_cancel()
        cancelled = known.filtered(lambda order: order.state == "cancel")
        cancelled._integration_emit(CANCELLED)
        cancelled._integration_settle_price(self.env._("The order was cancelled."))
        return result

    def write(self, vals):
        names = [name for name in WATCHED if name in vals]
        orders, before = self.browse(), None
        if names and self._integration_wanted(CHANGED):
            orders = self.filtered(lambda order: order.state == "sale")
            before = orders._integration_before(names, CHANGED)
        result = super().write(vals)
        orders._integration_changed(before, names)._integration_emit(CHANGED)
        return result

    def _integration_check_completed(self):
        """Publish once that all of an order was delivered and invoiced."""
        done = self.sudo().filtered(
            lambda order: order.state == "sale"
            and not order.integration_completed
            and order._integration_is_complete()
        )
        done.integration_completed = True
        done._integration_emit(COMPLETED)

    def _integration_is_complete(self):
        lines = self.order_line.filtered(lambda line: not line.display_type)
        delivered = all(
            line.product_uom_id.compare(line.qty_delivered, line.product_uom_qty) >= 0
            for line in lines
        )
        return bool(lines) and delivered and self.invoice_status == "invoiced"

    # -- messages in ----------------------------------------------------------------------

    @api.model
    def _integration_apply_order_requested(self, data, message):
        """Make a draft sales order of a customer's order, at our prices.

        :param data: canonical data, valid against the schema of the event type
        :param message: the ``integration.message`` it came in
        :return: the order
        :raise Rejected: customer, address, item or unit unknown; number used before
        :raise Filtered: applied before
        """
        return self._integration_make(sale.Plan(self.env, data, message))

    @api.model
    def _integration_apply_service_order_requested(self, data, message):
        """Make a draft sales order of a customer's order of services.

        As for goods; what is no service is refused.
        """
        return self._integration_make(sale.Plan(self.env, data, message, True))

    @api.model
    def _integration_make(self, plan):
        data, message = plan.data, plan.message
        center = plan.cost_center()
        order = self.create(plan.values())
        if center:
            order.order_line.analytic_distribution = {str(center.id): 100.0}
        order.sudo().write(
            {
                "integration_order_digest": sale.digest(data),
                "integration_endpoint_id": message.sudo().endpoint_id.id,
            }
        )
        attach(order, data, message)
        order._integration_compare_prices(data, message)
        return order

    # -- prices ---------------------------------------------------------------------------

    def _integration_compare_prices(self, data, message):
        """Note where the customer expects other prices; beyond the tolerance it is a case."""
        off = self.order_line.filtered(lambda line: line._integration_price_is_off())
        currency = data.get("currency")
        foreign = currency and currency != self.currency_id.name
        if not off and not foreign:
            return
        texts = [line._integration_price_text() for line in off]
        if foreign:
            texts.append(
                self.env._(
                    "The customer orders in %(theirs)s, the order is in %(ours)s",
                    theirs=currency,
                    ours=self.currency_id.name,
                )
            )
        self.sudo().message_post(body=self.env._("Other prices: %s", "; ".join(texts)))
        title = self.env._("%(text)s, order %(order)s", text=texts[0], order=self.name)
        amount = sum(abs(line._integration_price_gap()) for line in off)
        cause = Cause(
            PRICE_CASE,
            self._integration_price_key(),
            title,
            amount=Decimal(str(self.currency_id.round(amount))),
            currency=self.currency_id.name,
            document=(self._name, self.id),
        )
        self.env["integration.exception"]._raise_case(cause, message=message)

    def _integration_price_key(self):
        return f"{self.client_order_ref} #{self.id}"

    def _integration_settle_price(self, resolution):
        for order in self.sudo().filtered("integration_order_digest"):
            self.env["integration.exception"]._settle_case(
                PRICE_CASE,
                order._integration_price_key(),
                resolution,
                order.company_id,
                order.integration_endpoint_id.system_id,
            )

    def action_integration_take_prices(self):
        """Take over the prices the customer asked for, with the user's own rights."""
        self.ensure_one()
        for line in self.order_line.filtered("integration_price_asked"):
            line.write({"price_unit": line.integration_asked_price, "discount": 0.0})
        self._integration_settle_price(
            self.env._("The customer's prices were taken over.")
        )
        return True
