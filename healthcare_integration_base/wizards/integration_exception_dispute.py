# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo import api, fields, models
from odoo.exceptions import UserError

from ..access import check_group
from ..models.integration_exception_finish import HANDLER

TEMPLATE = "healthcare_integration_base.mail_template_dispute"


class IntegrationExceptionDispute(models.TransientModel):
    """Writes to the partner about a case; the answer comes back into its chatter."""

    _name = "integration.exception.dispute"
    _description = "Dispute an Integration Exception"

    exception_id = fields.Many2one(
        "integration.exception", required=True, readonly=True, ondelete="cascade"
    )
    partner_id = fields.Many2one("res.partner", "To", required=True)
    email = fields.Char(related="partner_id.email", string="E-mail")
    reason = fields.Text(help="Goes into the letter; no data of patients.")
    subject = fields.Char(
        compute="_compute_letter", store=True, readonly=False, required=True
    )
    body = fields.Html(
        compute="_compute_letter", store=True, readonly=False, required=True
    )

    @api.depends("exception_id", "partner_id", "reason")
    def _compute_letter(self):
        for wizard in self:
            wizard.subject, wizard.body = wizard._letter()

    def _letter(self):
        """Return (subject, body) by the template of the kind of case."""
        case = self.exception_id
        if not case:
            return False, False
        template = self._template().with_context(
            lang=self.partner_id.lang or self.env.lang, **self._facts()
        )
        subject = template._render_field("subject", case.ids)[case.id]
        return subject, template._render_field("body_html", case.ids)[case.id]

    def _template(self):
        case = self.exception_id
        kind = self.env["integration.exception.code"]._of(case.code, case.category)
        return kind.sudo().template_id or self.env.ref(TEMPLATE).sudo()

    def _facts(self):
        """Return what the templates may use beside the case: nothing of the payload."""
        case = self.exception_id
        protected = case.sudo().event_type_id.sensitivity == "phi"
        return {
            "dispute_partner": self.partner_id.name or "",
            "dispute_reason": self.reason or "",
            "dispute_document": "" if protected else case.document_name or "",
        }

    def action_send(self):
        """Send the letter; the case waits for the partner's answer.

        :raises AccessError: the user does not handle exceptions
        :raises UserError: the case is closed, no reason is given, or there is no address
        """
        self.ensure_one()
        case = self.exception_id
        check_group(case, HANDLER)
        case._check_open()
        if not (self.reason or "").strip():
            raise UserError(self.env._("Say what the partner should know."))
        if not self.partner_id.email:
            raise UserError(
                self.env._(
                    "%s has no e-mail address; enter one on the contact first.",
                    self.partner_id.display_name,
                )
            )
        case.message_post(
            subject=self.subject,
            body=self.body,
            partner_ids=self.partner_id.ids,
            message_type="comment",
            subtype_xmlid="mail.mt_comment",
        )
        case._disputed()
        return {"type": "ir.actions.act_window_close"}
