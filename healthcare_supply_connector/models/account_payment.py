# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo import api, models

from ..payloads import finance

RECEIVED = "finance.payment.received"
SENT = "finance.payment.sent"
DONE_STATES = ("in_process", "paid")


class AccountPayment(models.Model):
    _name = "account.payment"
    _inherit = ["account.payment", "integration.document"]

    @api.model
    def _integration_builders(self):
        return dict.fromkeys((RECEIVED, SENT), finance.payments)

    def action_post(self):
        waiting = self._integration_waiting()
        result = super().action_post()
        waiting._integration_emit_done()
        return result

    def action_validate(self):
        waiting = self._integration_waiting()
        result = super().action_validate()
        waiting._integration_emit_done()
        return result

    def _integration_waiting(self):
        # A payment with a journal entry is "in process" from its creation, its entry a draft.
        return self.filtered(
            lambda payment: payment.state not in DONE_STATES
            or payment.move_id.state == "draft"
        )

    def _integration_emit_done(self):
        done = self.filtered(lambda payment: payment.state in DONE_STATES)
        received = done.filtered(lambda payment: payment.payment_type == "inbound")
        received._integration_emit(RECEIVED)
        (done - received)._integration_emit(SENT)
