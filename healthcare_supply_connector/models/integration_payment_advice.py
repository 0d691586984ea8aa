# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from decimal import Decimal

from odoo import api, fields, models
from odoo.exceptions import UserError

from odoo.addons.healthcare_integration_base.protocol.cause import Cause

from ..inbound import payment
from ..inbound.documents import attach

CASES = ("payment_invoice_unknown", "payment_amount_difference", "payment_unmatched")
FAILED = "payment_failed"


class IntegrationPaymentAdvice(models.Model):
    """What a customer, a bank or a gateway tells of a payment: for which invoices, how it went.

    It links a payment that exists or makes a draft; it never posts one.
    """

    _name = "integration.payment.advice"
    _description = "Payment Advice"
    _inherit = ["mail.thread", "integration.document"]
    _order = "date desc, id desc"
    _check_company_auto = True

    name = fields.Char("Reference", required=True, readonly=True)
    kind = fields.Selection(
        [("remittance", "Payment advice"), ("gateway", "Payment gateway")],
        required=True,
        readonly=True,
    )
    direction = fields.Selection(
        [("received", "Received"), ("sent", "Sent")],
        default="received",
        required=True,
        readonly=True,
    )
    state = fields.Selection(
        [("waiting", "To check"), ("matched", "Matched"), ("failed", "Failed")],
        default="waiting",
        required=True,
        readonly=True,
        tracking=True,
        index=True,
    )
    status = fields.Selection(
        [
            ("authorised", "Authorised"),
            ("captured", "Captured"),
            ("failed", "Failed"),
            ("refunded", "Refunded"),
        ],
        "Gateway Status",
        readonly=True,
        tracking=True,
    )
    partner_id = fields.Many2one("res.partner", readonly=True, index=True)
    date = fields.Date(readonly=True)
    amount = fields.Monetary(readonly=True)
    currency_id = fields.Many2one("res.currency", required=True, readonly=True)
    method = fields.Char(readonly=True)
    payment_reference = fields.Char(readonly=True, index=True)
    reason = fields.Char(readonly=True)
    problem = fields.Char("To Check", readonly=True)
    payment_id = fields.Many2one("account.payment", readonly=True, check_company=True)
    refund_id = fields.Many2one("account.payment", readonly=True, check_company=True)
    company_id = fields.Many2one(
        "res.company", required=True, readonly=True, index=True
    )
    endpoint_id = fields.Many2one(
        "integration.endpoint",
        readonly=True,
        groups="healthcare_integration_base.group_viewer",
    )
    message_uid = fields.Char("Message ID", readonly=True)
    digest = fields.Char(readonly=True, groups=fields.NO_ACCESS)
    line_ids = fields.One2many(
        "integration.payment.advice.line", "advice_id", readonly=True
    )

    _advice_uniq = models.UniqueIndex(
        "(company_id, kind, endpoint_id, partner_id, name) WHERE kind = 'remittance'",
        "This payment advice is known already.",
    )
    _gateway_uniq = models.UniqueIndex(
        "(company_id, endpoint_id, name) WHERE kind = 'gateway'",
        "This payment of the gateway is known already.",
    )

    # -- messages in ----------------------------------------------------------------------

    @api.model
    def _integration_apply_payment_advised(self, data, message):
        """Record which invoices a payment is for; make or link the draft payment.

        :param data: canonical data, valid against the schema of the event type
        :param message: the ``integration.message`` it came in
        :return: the advice
        :raise Rejected: payer or currency unknown, it does not add up, reference reused
        :raise Filtered: applied before
        """
        self.env["account.payment"].check_access("create")
        plan = payment.Advice(self.env, data, message)
        advice = self.sudo().create(plan.values()).with_env(self.env)
        attach(advice, data, message)
        advice._integration_settle(message)
        return advice

    @api.model
    def _integration_apply_payment_status(self, data, message):
        """Record what a gateway tells of a payment.

        :return: the record of the payment at the gateway
        :raise Rejected: payer or currency unknown
        :raise Filtered: older than what was told before, or nothing new
        """
        self.env["account.payment"].check_access("create")
        plan = payment.Status(self.env, data, message)
        advice = plan.record()
        if advice:
            advice.sudo().write(plan.changes(advice))
        else:
            advice = self.sudo().create(plan.values()).with_env(self.env)
        if data["status"] == "failed":
            advice._integration_fail(message)
        elif data["status"] != "authorised":
            advice._integration_recover()
            advice._integration_settle(message)
        return advice

    # -- matching -------------------------------------------------------------------------

    def action_match_again(self):
        """Look for the invoices again, e.g. after one was posted."""
        self.env["account.payment"].check_access("write")
        for advice in self:
            if advice.state != "waiting":
                raise UserError(self.env._("This advice is not waiting for anything."))
            advice._integration_settle()
        return True

    def _integration_settle(self, message=None):
        """Match the lines; make or link the payment, or open a case for what is wrong."""
        self.ensure_one()
        self.line_ids._match()
        problem = self._integration_problem() or self._integration_pay()
        self.sudo().write(
            {
                "state": "waiting" if problem else "matched",
                "problem": problem and problem[1],
            }
        )
        self._integration_close_cases(but=problem and problem[0])
        if problem:
            self._integration_raise(*problem, message)

    def _integration_problem(self):
        """Return (code, text) of what a person must look at; None when all is clear."""
        if self.status == "refunded":
            return None  # the invoice was paid long ago
        unknown = self.line_ids.filtered(lambda line: not line.move_id)
        if unknown:
            text = self.env._(
                "Payment %(name)s is for invoice %(number)s, which is not known",
                name=self.name,
                number=", ".join(unknown[:3].mapped("number")),
            )
            return "payment_invoice_unknown", text
        over = self.line_ids.filtered("over")
        if over:
            text = self.env._(
                "Payment %(name)s pays more than is open on %(number)s",
                name=self.name,
                number=over[0].number,
            )
            return "payment_amount_difference", text
        return None

    def _integration_pay(self):
        """Link the payment, or make a draft of it.

        :return: (code, text) when that is for a person to do; None when done
        """
        refund = self.status == "refunded"
        known = self.refund_id if refund else self.payment_id
        if known:
            return None
        found = payment.existing(self, refund)
        if not found and self.company_id.sudo().payment_advice_policy == "draft":
            found = self.partner_id and self._integration_draft(refund)
        if not found:
            text = self.env._("No payment was found for %s", self.name)
            return "payment_unmatched", text
        self.sudo().write({"refund_id" if refund else "payment_id": found.id})
        return None

    def _integration_draft(self, refund):
        inbound = (self.direction == "received") != refund
        customer = self.direction == "received"
        moves = self.env["account.move"] if refund else self.line_ids.move_id
        return self.env["account.payment"].create(
            {
                "payment_type": "inbound" if inbound else "outbound",
                "partner_type": "customer" if customer else "supplier",
                "partner_id": self.partner_id.id,
                "amount": self.amount,
                "currency_id": self.currency_id.id,
                "date": self.date,
                "memo": self.payment_reference or self.name,
                "payment_reference": self.payment_reference or self.name,
                "company_id": self.company_id.id,
                "invoice_ids": [fields.Command.set(moves.ids)],
            }
        )

    # -- cases ----------------------------------------------------------------------------

    def _integration_key(self):
        return f"{self.name} #{self.id}"

    def _integration_raise(self, code, text, message=None):
        cause = Cause(
            code,
            self._integration_key(),
            text,
            amount=Decimal(str(self.currency_id.round(self.amount))),
            currency=self.currency_id.name,
            document=(self._name, self.id),
        )
        self.env["integration.exception"]._raise_case(
            cause,
            message=message,
            endpoint=self.sudo().endpoint_id,
            company=self.company_id,
        )

    def _integration_close_cases(self, but=None, codes=CASES):
        system = self.sudo().endpoint_id.system_id
        for code in codes:
            if code != but:
                self.env["integration.exception"]._settle_case(
                    code,
                    self._integration_key(),
                    self.env._("The payment is matched now."),
                    self.company_id,
                    system,
                )

    def _integration_fail(self, message):
        self.sudo().write({"state": "failed", "problem": self.sudo().reason})
        text = self.env._("Payment %s failed at the gateway", self.name)
        if self.reason:
            text = self.env._("%(text)s: %(reason)s", text=text, reason=self.reason)
        self._integration_raise(FAILED, text, message)

    def _integration_recover(self):
        self._integration_close_cases(codes=(FAILED,))


class IntegrationPaymentAdviceLine(models.Model):
    """One invoice that a payment is for."""

    _name = "integration.payment.advice.line"
    _description = "Payment Advice Line"

    advice_id = fields.Many2one(
        "integration.payment.advice", required=True, ondelete="cascade", index=True
    )
    company_id = fields.Many2one(related="advice_id.company_id", store=True)
    currency_id = fields.Many2one(related="advice_id.currency_id")
    number = fields.Char("Invoice", required=True, readonly=True)
    amount = fields.Monetary("Paid", readonly=True)
    deduction = fields.Monetary(readonly=True)
    reason = fields.Char(readonly=True)
    move_id = fields.Many2one("account.move", "Our Invoice", readonly=True)
    residual = fields.Monetary(related="move_id.amount_residual", string="Open")
    over = fields.Boolean("Too Much", compute="_compute_over")

    @api.depends("amount", "deduction", "move_id.amount_residual")
    def _compute_over(self):
        for line in self:
            open_amount = line.move_id.amount_residual
            paid = abs(line.amount) + line.deduction
            line.over = bool(line.move_id) and (
                line.currency_id.compare_amounts(paid, open_amount) > 0
            )

    def _match(self):
        """Find the invoices that are not known yet."""
        for line in self.filtered(lambda line: not line.move_id):
            line.sudo().move_id = payment.invoice(line.advice_id, line.number)
