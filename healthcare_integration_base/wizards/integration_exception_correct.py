# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError

from ..access import check_group
from ..engine import correct, payload
from ..models.integration_exception_finish import HANDLER
from ..models.integration_message import PAYLOAD_READER
from ..protocol.errors import IntegrationError
from ..protocol.mapping_errors import MappingError

# Set by the buttons only: the body is shown after it was audited who sees it and why.
GUARDED = ("shown", "draft")


class IntegrationExceptionCorrect(models.TransientModel):
    """Corrects the body of a received message and applies it; the original stays."""

    _name = "integration.exception.correct"
    _description = "Correct and Replay a Message"

    exception_id = fields.Many2one(
        "integration.exception", required=True, readonly=True, ondelete="cascade"
    )
    message_id = fields.Many2one(
        "integration.message",
        required=True,
        ondelete="cascade",
        domain="[('exception_id', '=', exception_id), ('state', '=', 'dead'),"
        " ('superseded', '=', False)]",
    )
    direction = fields.Selection(related="message_id.direction", related_sudo=False)
    last_error = fields.Char(related="message_id.last_error", related_sudo=False)
    waiting_count = fields.Integer(
        related="exception_id.unresolved_count", string="Messages of the Case"
    )
    reason = fields.Text(required=True)
    shown = fields.Boolean(readonly=True)
    # ciphertext where the type is phi
    draft = fields.Text(readonly=True, groups=fields.NO_ACCESS)
    body = fields.Text(compute="_compute_body", inverse="_inverse_body")

    @api.model_create_multi
    def create(self, vals_list):
        wizards = super().create(vals_list)
        for (
            wizard
        ) in wizards.sudo():  # what was made, since defaults come by context, too
            self._check_guarded({name: wizard[name] for name in GUARDED})
        return wizards

    def write(self, vals):
        self._check_guarded(vals)
        if "message_id" in vals and any(wizard.sudo().shown for wizard in self):
            raise UserError(self.env._("Close this dialog to work on another message."))
        return super().write(vals)

    def _check_guarded(self, vals):
        if not self.env.su and any(vals.get(name) for name in GUARDED):
            raise AccessError(self.env._("Press the button that shows the body."))

    # -- the body ------------------------------------------------------------------------

    @api.depends("shown")
    def _compute_body(self):
        for wizard in self:
            # as it is stored: the values of an onchange may say anything
            stored = wizard._origin
            wizard.body = stored._text() if stored.sudo().shown else False

    def _inverse_body(self):
        for wizard in self.filtered("shown"):
            text = wizard.body or ""
            if wizard._is_protected():
                text = payload.seal_text(text, wizard._aad())
            wizard.sudo().draft = text

    def _text(self):
        check_group(self.message_id, PAYLOAD_READER)
        draft = self.sudo().draft
        if not draft:
            return correct.spread(self._original())
        if not self._is_protected():
            return draft
        return payload.clear_text(draft, self._aad())

    def _original(self):
        """Return the received text. :raises UserError: it is not for editing here"""
        try:
            body = self.message_id._body() or b""
            if len(body) > correct.LONGEST:
                raise UserError(
                    self.env._("The body is too long to be corrected here; dispute it.")
                )
            return body.decode()
        except UnicodeDecodeError:
            raise UserError(
                self.env._("The body is no UTF-8 text; it cannot be corrected here.")
            ) from None
        except IntegrationError as error:
            raise UserError(error.message) from None

    def _is_protected(self):
        return self.message_id.sudo().event_type_id.sensitivity == "phi"

    def _aad(self):
        return b"integration.exception.correct:%d" % self.id

    # -- buttons -------------------------------------------------------------------------

    def action_show(self):
        """Show the body to a person who may read it and said why.

        :raises AccessError: the user may not read payloads
        :raises UserError: no reason is given, or the body cannot be corrected here
        """
        self.ensure_one()
        self._check_message()
        self.message_id._view_payload(self.reason)
        self._original()
        self.sudo().shown = True
        return self._reopen()

    def action_apply(self):
        """Apply the corrected body as a new message; the original is kept.

        :raises AccessError: the user may not read payloads, or handle exceptions
        :raises UserError: nothing was changed, or the content breaks syntax or schema
        """
        self.ensure_one()
        message = self._check_message()
        check_group(message, PAYLOAD_READER)
        if not self.shown:
            raise UserError(self.env._("Look at the body before you correct it."))
        text = self.body or ""
        if text in (self._original(), correct.spread(self._original())):
            raise UserError(
                self.env._(
                    "Nothing was corrected; use “Replay all” to apply it as it is."
                )
            )
        body = text.encode()
        self._check_body(body)
        message._check_states(("dead",))
        self.env.flush_all()
        new = message.browse(correct.take_in(message.sudo(), body))
        message._log_and_wake("replay", self.reason.strip())
        self.exception_id._corrected(new, self.reason.strip())
        return {"type": "ir.actions.act_window_close"}

    def action_replay(self):
        """Replay an outgoing message: its body is rendered anew, never edited.

        :raises AccessError: the user does not handle exceptions
        :raises UserError: the message is no longer dead, or its endpoint is not in use
        """
        self.ensure_one()
        message = self._check_message()
        message._check_states(("dead",))
        message._check_endpoints()
        new = message._replay(self.reason.strip())
        self.exception_id._corrected(new, self.reason.strip())
        return {"type": "ir.actions.act_window_close"}

    # -- checks --------------------------------------------------------------------------

    def _check_message(self):
        """Return the message. :raises UserError: the case or the message is not to be mended"""
        check_group(self.exception_id, HANDLER)
        self.exception_id._check_open()
        if not (self.reason or "").strip():
            raise UserError(self.env._("Say why you correct it."))
        if self.message_id.exception_id != self.exception_id:
            raise UserError(self.env._("The message belongs to another case by now."))
        return self.message_id

    def _check_body(self, body):
        if len(body) > correct.LONGEST:
            raise UserError(self.env._("The corrected body is too long."))
        try:
            deviations = correct.check(self.message_id.sudo(), body)
        except (IntegrationError, MappingError) as error:
            raise UserError(error.message) from None
        if deviations:
            lines = [f"{one['path'] or '/'}: {one['message']}" for one in deviations]
            raise UserError(
                self.env._(
                    "The corrected body breaks the rules of its type:\n%s",
                    "\n".join(lines[:10]),
                )
            )

    def _reopen(self):
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Correct and Replay"),
            "res_model": self._name,
            "res_id": self.id,
            "view_mode": "form",
            "target": "new",
        }
