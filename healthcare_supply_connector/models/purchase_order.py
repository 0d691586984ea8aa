# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo import api, fields, models
from odoo.exceptions import UserError

from ..inbound import acknowledgement as answers
from ..inbound import approval, resolve
from ..payloads import purchase

REQUESTED = "supply.purchase_order.approval_requested"
APPROVED = "supply.purchase_order.approved"
RELEASED = "supply.purchase_order.released"
CHANGED = "supply.purchase_order.changed"
CANCELLED = "supply.purchase_order.cancelled"
CODES = (REQUESTED, APPROVED, RELEASED, CHANGED, CANCELLED)
WATCHED = (
    "partner_id",
    "dest_address_id",
    "picking_type_id",
    "currency_id",
    "payment_term_id",
    "incoterm_id",
    "priority",
)


class PurchaseOrder(models.Model):
    """Purchase orders: their events, the approval of suppliers, acknowledgements."""

    _name = "purchase.order"
    _inherit = ["purchase.order", "integration.document"]

    integration_line_count = fields.Integer(
        copy=False,
        readonly=True,
        help="Last line reference given; none is ever used again.",
    )
    acknowledgement_ids = fields.One2many(
        "purchase.order.acknowledgement", "order_id", "Acknowledgements", readonly=True
    )
    supplier_approval_warning = fields.Char(
        compute="_compute_supplier_approval_warning"
    )

    # -- events -------------------------------------------------------------

    @api.model
    def _integration_builders(self):
        return dict.fromkeys(CODES, purchase.orders)

    def _integration_correlation(self, code):
        return {order.id: f"purchase.order/{order.name}" for order in self}

    def button_confirm(self):
        unapproved = self.filtered("supplier_approval_warning")
        before = {order.id: order.state for order in self}
        result = super().button_confirm()
        self.filtered(
            lambda order: order.state == "to approve"
            and before[order.id] != "to approve"
        )._integration_emit(REQUESTED)
        unapproved._note_supplier_approval_warning(before)
        return result

    def button_approve(self, force=False):
        self._check_supplier_approval()
        before = {order.id: order.state for order in self}
        result = super().button_approve(force=force)
        released = self.filtered(
            lambda o: o.state == "purchase" and before[o.id] != "purchase"
        )
        released.filtered(lambda o: before[o.id] == "to approve")._integration_emit(
            APPROVED
        )
        released._integration_emit(RELEASED)
        return result

    def button_cancel(self):
        known = self.filtered(lambda order: order.state in ("to approve", "purchase"))
        result = super().button_cancel()
        cancelled = known.filtered(lambda order: order.state == "cancel")
        cancelled._integration_emit(CANCELLED)
        cancelled._integration_settle_answers()
        return result

    def write(self, vals):
        names = [name for name in WATCHED if name in vals]
        orders = self.browse()
        before = None
        if names and self._integration_wanted(CHANGED):
            orders = self.filtered(lambda order: order.state == "purchase")
            before = orders._integration_before(names, CHANGED)
        result = super().write(vals)
        orders._integration_changed(before, names)._integration_emit(CHANGED)
        return result

    # -- approval of suppliers ----------------------------------------------

    @api.depends(
        "state",
        "company_id.supplier_approval_policy",
        "partner_id.commercial_partner_id.supplier_approval_state",
    )
    def _compute_supplier_approval_warning(self):
        for order in self:
            order.supplier_approval_warning = order._supplier_approval_message()

    def _supplier_approval_message(self):
        """Return why the supplier is a problem for this order; False where it is none."""
        supplier = self.partner_id.commercial_partner_id.sudo()
        policy = self.company_id.sudo().supplier_approval_policy
        if (
            policy == "none"
            or not supplier
            or supplier.supplier_approval_state == "approved"
        ):
            return False
        if self.state not in ("draft", "sent", "to approve"):
            return False
        if supplier.supplier_approval_state == "blocked":
            return self.env._("%s is a blocked supplier.", supplier.display_name)
        return self.env._("%s is not an approved supplier.", supplier.display_name)

    def _supplier_approval_refusal(self):
        """Return the message that forbids this order; False where it may go on."""
        if self.company_id.sudo().supplier_approval_policy != "block":
            return False
        warning = self._supplier_approval_message()
        return warning and self.env._(
            "%(warning)s Orders can be confirmed only with approved suppliers: ask for "
            "the approval on the supplier's form.",
            warning=warning,
        )

    def _confirmation_error_message(self):
        return (
            super()._confirmation_error_message() or self._supplier_approval_refusal()
        )

    def _check_supplier_approval(self):
        for order in self:
            refusal = order._supplier_approval_refusal()
            if refusal:
                raise UserError(refusal)

    def _note_supplier_approval_warning(self, before):
        """Leave a note on orders that were confirmed in spite of the warning."""
        for order in self:
            if order.state != before[order.id]:
                supplier = order.partner_id.commercial_partner_id
                order.message_post(
                    body=self.env._(
                        "Confirmed although %s is not an approved supplier.",
                        supplier.display_name,
                    )
                )

    def _integration_settle_answers(self):
        """Settle the cases about answers to orders that are cancelled."""
        text = self.env._("The order was cancelled.")
        for order in self.sudo().filtered("acknowledgement_ids"):
            last = order.acknowledgement_ids[:1]
            last._settle(order.name, (answers.ORDER_REFUSED,), text)
            for line in order.order_line.filtered("acknowledgement_line_ids"):
                last._settle(answers.key_of(line), answers.CODES, text)

    # -- messages in --------------------------------------------------------

    @api.model
    def _integration_apply_purchase_order_acknowledged(self, data, message):
        """Apply the supplier's answer to one of his orders.

        :param data: canonical data, valid against the schema of the event type
        :param message: the ``integration.message`` it came in
        :return: the purchase order
        :raise Rejected: order unknown or not open, line unknown, more than ordered
        :raise Filtered: applied before, or older than the last answer
        """
        order = resolve.purchase_order(self.env, data["purchase_order"], message)
        self.env["purchase.order.acknowledgement"]._apply(order, data, message)
        return order

    @api.model
    def _integration_apply_purchase_order_approval_decided(self, data, message):
        """Approve or reject an order that waits for its approval.

        :param data: canonical data, valid against the schema of the event type
        :param message: the ``integration.message`` it came in
        :return: the purchase order
        :raise Rejected: order unknown, another amount, over the approver's limit, …
        :raise Filtered: decided before
        """
        return approval.decide(self.env, data, message)
