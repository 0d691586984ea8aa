# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from datetime import timedelta

from odoo import api, fields, models
from odoo.fields import Domain

from ..engine import cases

VIEWER = "healthcare_integration_base.group_viewer"
TODO = "mail.mail_activity_data_todo"
OWN_EVENTS = "integration.exception."
ESCALATED_AT_ONCE = 500


class IntegrationException(models.Model):
    """What happens to a case by itself: activities, escalation, events, closing."""

    _inherit = "integration.exception"

    def write(self, vals):
        """Give whoever a case is assigned to an activity, as its queue wants it."""
        before = {case.id: case.user_id for case in self} if "user_id" in vals else {}
        result = super().write(vals)
        for case in self:
            if case.user_id and before.get(case.id, case.user_id) != case.user_id:
                case._remind_owner()
        return result

    # -- opened, assigned ----------------------------------------------------------------

    def _integration_opened(self):
        """Do what a new case brings with it; called once, as superuser."""
        self._remind_owner()
        self._publish("integration.exception.opened")

    def _remind_owner(self):
        """Schedule the activity that the queue wants for an open case."""
        queue = self.sudo().queue_id
        owner = self.sudo().user_id
        if queue.notify == "leader":
            owner = owner or queue.leader_id
        if queue.notify in ("owner", "leader") and self.state in cases.OPEN:
            self._remind(owner, self.env._("Settle this case"))

    def _remind(self, user, summary):
        """Schedule an activity for a user who may see cases; nobody is mailed."""
        if not user or not user.has_group(VIEWER):
            return
        case = self.sudo().with_context(mail_activity_quick_update=True)
        mine = case.activity_ids.filtered(lambda one: one.user_id == user)
        if mine:
            return
        due = self.deadline or fields.Datetime.now()
        case.activity_schedule(
            TODO,
            date_deadline=fields.Datetime.context_timestamp(
                case.with_user(user), due
            ).date(),
            summary=summary,
            user_id=user.id,
        )

    # -- closed, opened again ------------------------------------------------------------

    def _integration_close(self, state, resolution, kind, by_id=False):
        """Close open cases, as superuser.

        :param str state: resolved or ignored
        :param str resolution: how, for people
        :param str kind: key of ``resolution_kind``
        :param int by_id: the user who settled it; none: it closed by itself
        """
        self.sudo().write(
            {
                "state": state,
                "resolution": resolution,
                "resolution_kind": kind,
                "resolved_at": fields.Datetime.now(),
                "resolved_by_id": by_id,
                "waiting_for": False,
            }
        )
        self.sudo().activity_unlink([TODO])
        self._publish("integration.exception.resolved")

    def _integration_failed_again(self, message_ids):
        """Open a case again whose replays fail for the same cause; as superuser.

        :param message_ids: the messages that failed
        """
        for case in self.filtered(lambda one: one.waiting_for == "replay"):
            tried = case.resolution
            case.write(
                {
                    "state": "open",
                    "waiting_for": False,
                    "resolution": False,
                    "resolution_kind": False,
                    "resolved_by_id": False,
                }
            )
            text = self.env._("The replay failed again for the same cause.")
            if tried:
                text = self.env._(
                    "The replay failed again for the same cause. What was tried: %s",
                    tried,
                )
            case.message_post(body=text)
            case._remind_owner()

    # -- overdue -------------------------------------------------------------------------

    @api.model
    def _cron_escalate(self):
        """Mark what is overdue, and tell those whom each queue names; each level once."""
        self._refresh_urgency()
        now = fields.Datetime.now()
        late = self.search(
            Domain("state", "in", cases.OPEN) & Domain("deadline", "<", now),
            order="deadline, id",
        )
        done = 0
        for case in late:
            if case._escalate(now):
                done += 1
            if done >= ESCALATED_AT_ONCE:
                break
        return done

    def _escalate(self, now):
        """Escalate a case to the highest level that is due; tell whether there was one."""
        self.ensure_one()
        levels = self.queue_id.escalation_ids.sorted("hours")
        due = [
            (number, level)
            for number, level in enumerate(levels, 1)
            if number > self.escalation_level
            and self.deadline + timedelta(hours=level.hours) < now
        ]
        if not due:
            return False
        self.write({"escalation_level": due[-1][0], "escalated_at": now})
        for _number, level in due:
            user = level.user_id or self.queue_id.leader_id
            self._remind(user, self.env._("Overdue: %s", self.name))
        self.message_post(
            body=self.env._("Overdue; escalated to level %s.", self.escalation_level)
        )
        self._publish("integration.exception.escalated")
        return True

    # -- events --------------------------------------------------------------------------

    def _publish(self, code):
        """Emit an event about cases, but for cases of such events: they would feed themselves."""
        told = self.sudo().filtered(
            lambda case: not (case.event_type_id.code or "").startswith(OWN_EVENTS)
        )
        told._integration_emit(code)

    def _integration_payload(self, code):
        return {case.id: case._integration_describe() for case in self}

    def _integration_describe(self):
        """Return what the schemas of the events about cases say; no payload, no free text."""
        document = self._document() if self.event_type_id.sensitivity != "phi" else None
        return {
            "case": self.id,
            "title": self.name,
            "code": self.code or "unknown",
            "category": self.category,
            "state": self.state,
            "queue": self.queue_id.name or None,
            "assigned_to": self.user_id.name or None,
            "system": self.system_id.code or None,
            "company": self.company_id.name or None,
            "document": document.display_name if document else None,
            "amount": f"{self.amount:.2f}" if self.currency_id else None,
            "currency": self.currency_id.name or None,
            "deadline": self.deadline or None,
            "first_seen": self.first_seen,
            "escalation_level": self.escalation_level,
            "messages": self.count,
            "settled_by": self.resolution_kind or None,
        }
