# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo import api, models
from odoo.exceptions import UserError, ValidationError

from ..access import check_group
from ..engine import cases, operations

HANDLER = "healthcare_integration_base.group_exception_handler"


class IntegrationException(models.Model):
    """How cases are worked on and finished."""

    _inherit = "integration.exception"

    # -- buttons -----------------------------------------------------------------------------

    def action_take(self):
        """Take cases on: assigned to the user, in progress.

        :raises AccessError: the user does not handle exceptions
        :raises UserError: one of them is closed
        """
        check_group(self, HANDLER)
        self._check_open()
        self.sudo().write({"user_id": self.env.uid, "state": "in_progress"})
        return True

    def action_replay_all(self):
        """Replay all dead messages of the cases, in their order.

        :raises AccessError: the user does not handle exceptions
        :raises UserError: none is left, or an endpoint is not in use
        """
        check_group(self, HANDLER)
        messages = self._unresolved(("dead",))
        messages._check_endpoints()
        self._tried(self.env._("Sent again, rendered anew"))
        self._replay_dead()
        return True

    def action_retry_all(self):
        """Send all unfinished messages of the cases again, the same bytes.

        :raises AccessError: the user does not handle exceptions
        :raises UserError: none is left, one is under way, or an endpoint is not in use
        """
        check_group(self, HANDLER)
        messages = self._unresolved(("dead", "pending"))
        messages._check_states(("dead", "pending"))
        messages._check_endpoints()
        messages._check_at_rest()
        operations.retry(self.env.cr, messages.ids, self.env.uid)
        messages._log_and_wake("retry")
        self._tried(self.env._("Sent again as it was"))
        self._wait_for_replay()
        return True

    def action_correct(self):
        """Open the dialog that corrects one message of the case.

        :raises AccessError: the user does not handle exceptions
        :raises UserError: no message of the case is dead
        """
        self.ensure_one()
        check_group(self, HANDLER)
        messages = self._unresolved(("dead",))
        return self._dialog(
            self.env._("Correct and Replay"),
            "integration.exception.correct",
            default_message_id=messages[0].id,
        )

    def action_dispute(self):
        """Open the letter to the partner.

        :raises AccessError: the user does not handle exceptions
        :raises UserError: the case is closed
        """
        self.ensure_one()
        check_group(self, HANDLER)
        self._check_open()
        return self._dialog(
            self.env._("Dispute"),
            "integration.exception.dispute",
            default_partner_id=self.partner_id.id,
        )

    def action_answered(self):
        """Go on with cases whose partner has answered.

        :raises AccessError: the user does not handle exceptions
        """
        check_group(self, HANDLER)
        self.sudo().filtered(lambda case: case.waiting_for == "partner").write(
            {"waiting_for": False}
        )
        return True

    def action_open_document(self):
        """Open the documents the case is about.

        :raises UserError: there is none any more, or the user may not see it
        """
        self.ensure_one()
        document = self._document()
        if not document or not document.has_access("read"):
            raise UserError(self.env._("The document is gone, or you may not see it."))
        keys = [key.partition(",") for key in self.stakes or {} if key]
        ids = [int(number) for model, _comma, number in keys if model == self.res_model]
        action = {
            "type": "ir.actions.act_window",
            "name": self.env._("Documents"),
            "res_model": self.res_model,
        }
        if len(ids) > 1:
            return {
                **action,
                "views": [(False, "list"), (False, "form")],
                "domain": [("id", "in", ids)],
            }
        return {**action, "views": [(False, "form")], "res_id": self.res_id}

    def _dialog(self, name, model, **context):
        return {
            "type": "ir.actions.act_window",
            "name": name,
            "res_model": model,
            "views": [(False, "form")],
            "target": "new",
            "context": {"default_exception_id": self.id, **context},
        }

    def action_resolve(self, reason):
        """Close cases that were settled elsewhere; their dead messages are given up.

        :param str reason: how
        """
        return self._close("resolved", reason)

    def action_ignore(self, reason):
        """Close cases that need no solution; their dead messages are given up.

        :param str reason: why
        """
        return self._close("ignored", reason)

    # -- finishing -----------------------------------------------------------------------

    def _tried(self, resolution, kind="replayed"):
        """Remember what is tried now: it is the resolution, if it helps."""
        self.sudo().write(
            {
                "resolution": resolution,
                "resolution_kind": kind,
                "resolved_by_id": self.env.uid,
            }
        )

    def _finish(self, resolution):
        """Say that the cause is mended: what waits for it is replayed.

        For buttons that have done the mending, with the user's own rights on the business
        records. The case is resolved at once if no message of it failed, else as soon as
        the replays got through. A replay that fails for the same cause opens it again.

        :param str resolution: how it was mended, for people; no personal data
        :return: True
        :raises AccessError: the user does not handle exceptions
        :raises UserError: a case is closed, or nothing is said
        """
        check_group(self, HANDLER)
        self._check_open()
        self._settle(self._said(resolution))
        return True

    def _settle(self, resolution):
        """Record how open cases were mended, replay what waits for it. No right is checked."""
        for case in self:
            case._tried(resolution, "mended")
            case.sudo().decision = False
            case._replay_dead()
            if case.state in cases.OPEN and not case._unfinished():
                case._integration_close("resolved", resolution, "mended", self.env.uid)

    def _corrected(self, message, reason):
        """Wait for the replay of a corrected message; the others of the case still need it."""
        self._tried(reason, "corrected")
        left = self._unfinished(("dead",))
        waiting_for = False if left else "replay"
        self.sudo().write({"state": "in_progress", "waiting_for": waiting_for})

    def _disputed(self):
        """Wait for the partner's answer; who wrote has the case, if nobody had."""
        for case in self.sudo():
            case.write(
                {
                    "state": "in_progress",
                    "waiting_for": "partner",
                    "user_id": case.user_id.id or self.env.uid,
                }
            )

    @api.private
    def message_update(self, msg_dict, update_vals=None):
        """Take a partner's answer by e-mail: the case waits for us again."""
        for case in self.sudo().filtered(lambda one: one.waiting_for == "partner"):
            case.waiting_for = False
            case._remind_owner()
        return super().message_update(msg_dict, update_vals=update_vals)

    def _replay_dead(self):
        """Replay the dead messages of the cases in their order; no right is checked."""
        dead = self._unfinished(("dead",))
        if dead:
            dead._check_states(("dead",))
            dead._replay()
            self._wait_for_replay()
        return dead

    def _wait_for_replay(self):
        self.sudo().write({"state": "in_progress", "waiting_for": "replay"})

    def _unfinished(self, states=("dead", "pending")):
        """Return the messages of the cases that have not got through, oldest first."""
        self.invalidate_recordset(["message_line_ids"])
        return self.message_line_ids.filtered(
            lambda message: message.state in states and not message.superseded
        ).sorted("id")

    def _unresolved(self, states):
        self._check_open()
        messages = self._unfinished(states)
        if not messages:
            raise UserError(self.env._("There is no message left to send again."))
        return messages

    def _close(self, state, reason):
        check_group(self, HANDLER)
        self._check_open()
        reason = self._said(reason)
        for case in self:
            case._give_up(reason)
            kind = "ignored" if state == "ignored" else "told"
            case._integration_close(state, reason, kind, self.env.uid)
        return True

    def _give_up(self, reason):
        """Cancel the dead messages of the case, so that what is parked behind them goes on."""
        messages = self._unfinished(("dead",))
        if messages:
            messages._check_states(("dead",))
            operations.finish(self.env.cr, messages.ids, reason[:200])
            messages._log_and_wake("cancel", reason)

    def _said(self, reason):
        """Return the reason. :raises UserError: there is none"""
        if not (reason or "").strip():
            raise UserError(self.env._("Say how it was settled."))
        return reason.strip()

    @api.constrains("user_id")
    def _check_assignable(self):
        self._check_may_work(self.user_id)

    def _check_may_work(self, users):
        """Refuse to give cases to people who cannot open them.

        :raises ValidationError: names them
        """
        for user in users:
            if not user.has_group(HANDLER):
                raise ValidationError(
                    self.env._(
                        "%s does not handle exceptions: give the group first, or choose"
                        " somebody else.",
                        user.name,
                    )
                )

    def _check_open(self):
        if any(case.state not in cases.OPEN for case in self):
            raise UserError(self.env._("A closed case is not changed any more."))
