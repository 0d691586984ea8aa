# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo import api, models

from ..payloads import finance
from ..payloads.batch import read_ahead

BILL_POSTED = "supply.supplier_invoice.posted"
ISSUED = "finance.invoice.issued"
CREDITED = "finance.credit_note.issued"
CANCELLED = "finance.invoice.cancelled"
PAID = "finance.invoice.paid"
POSTED_AS = {
    "in_invoice": BILL_POSTED,
    "in_refund": BILL_POSTED,
    "in_receipt": BILL_POSTED,
    "out_invoice": ISSUED,
    "out_receipt": ISSUED,
    "out_refund": CREDITED,
}
PAYABLE = ("in_invoice", "in_receipt", "out_invoice", "out_receipt")
PAID_STATES = ("in_payment", "paid")


class AccountMove(models.Model):
    """Invoices, bills, credit notes: posted, taken back, paid."""

    _name = "account.move"
    _inherit = ["account.move", "integration.document"]

    @api.model
    def _integration_builders(self):
        return {
            BILL_POSTED: finance.invoices,
            ISSUED: finance.invoices,
            CREDITED: finance.invoices,
            CANCELLED: finance.invoice_states,
            PAID: finance.invoice_states,
        }

    def _integration_correlation(self, code):
        lines = self.invoice_line_ids
        read_ahead(lines, "purchase_line_id.order_id", "sale_line_ids.order_id")
        return {move.id: move._integration_order_reference() for move in self}

    def _integration_order_reference(self):
        """Return the correlation of the one order behind the document; None for several."""
        purchases = self.invoice_line_ids.purchase_line_id.order_id
        sales = self.invoice_line_ids.sale_line_ids.order_id
        if len(purchases) == 1:
            return f"purchase.order/{purchases.name}"
        return f"sale.order/{sales.name}" if len(sales) == 1 else None

    def _post(self, soft=True):
        posted = super()._post(soft=soft)
        if posted._integration_wanted(BILL_POSTED, ISSUED, CREDITED):
            for move_type, moves in posted.grouped("move_type").items():
                if move_type in POSTED_AS:
                    moves._integration_emit(POSTED_AS[move_type])
        return posted

    def button_draft(self):
        # Cancelling a posted document goes through here, too.
        posted = self.filtered(
            lambda move: move.state == "posted"
            and move.is_invoice(include_receipts=True)
        )
        result = super().button_draft()
        posted._integration_emit(CANCELLED)
        return result

    def _compute_payment_state(self):
        # The one place every payment passes: reconciled, without journal entry, total zero.
        # A credit note that settles an invoice is "paid", too, but nobody paid anything.
        unpaid = self.browse()
        if self._integration_wanted(PAID):
            unpaid = self.filtered(
                lambda move: isinstance(move.id, int)
                and move.payment_state not in PAID_STATES
                and move.move_type in PAYABLE
            )
        result = super()._compute_payment_state()
        unpaid.filtered(
            lambda move: move.state == "posted" and move.payment_state in PAID_STATES
        )._integration_emit(PAID)
        return result
