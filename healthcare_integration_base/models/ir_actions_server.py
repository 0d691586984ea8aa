# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
import logging

import psycopg2

from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.fields import Domain

from ..engine import capture, describe
from ..engine.safe import where

_logger = logging.getLogger(__name__)

STATE = "integration_event"
# A scheduled action publishes so many records at a time at most.
MOST = 10_000


class IrActionsServer(models.Model):
    """*Publish Integration Event*: events of any model, by rules, menu and schedule."""

    _inherit = "ir.actions.server"

    state = fields.Selection(
        selection_add=[(STATE, "Publish Integration Event"), ("multi",)],
        ondelete={STATE: "cascade"},
    )
    integration_event_type_id = fields.Many2one(
        "integration.event.type",
        string="Event Type",
        ondelete="cascade",
        domain="[('direction', '=', 'out'), ('model', '=', model_name)]",
        help="What is published. Its field table says what the event tells about the record.",
    )
    integration_domain = fields.Char(
        "Only Records That Match",
        default="[]",
        help="Judged when the action runs; a scheduled action publishes all that match.",
    )
    integration_field_ids = fields.One2many(
        related="integration_event_type_id.field_ids", readonly=False
    )

    @api.constrains("state", "integration_event_type_id", "model_id")
    def _check_integration_event_type(self):
        for action in self.filtered(lambda one: one.state == STATE):
            event_type = action.integration_event_type_id
            if not event_type:
                raise ValidationError(
                    self.env._("Choose which event %s publishes.", action.name)
                )
            if event_type.direction != "out" or event_type.model_id != action.model_id:
                raise ValidationError(
                    self.env._(
                        "Event type %(code)s is no outgoing type of %(model)s.",
                        code=event_type.code,
                        model=action.model_id.name,
                    )
                )

    @api.constrains("integration_domain", "state", "model_id")
    def _check_integration_domain(self):
        """Let only filters pass on fields their author may read."""
        subscriptions = self.env["integration.subscription"]
        for action in self.filtered(lambda one: one.state == STATE):
            domain = subscriptions._parse_domain(action.integration_domain)
            if domain is None:
                raise ValidationError(
                    self.env._("The filter is not a list of conditions.")
                )
            subscriptions._check_domain_of(domain, action.model_id.model)

    def _name_depends(self):
        return [*super()._name_depends(), "integration_event_type_id"]

    def _generate_action_name(self):
        event_type = self.integration_event_type_id
        if self.state == STATE and event_type:
            return self.env._("Publish %s", event_type.code)
        return super()._generate_action_name()

    def _run_action_integration_event_multi(self, eval_context=None):
        """Publish the event for the records the action is run on.

        Nothing that goes wrong aborts the user's work: what cannot be described, or not be
        judged by the filter, is stored as an event with its error, and becomes a case where
        somebody wants it.
        """
        records, unjudged = self._integration_records(eval_context or {})
        code = self.sudo().integration_event_type_id.code
        capture.publish(records, code, at_once=self._integration_is_deleting())
        capture.publish(unjudged, code, refused=describe.UNJUDGED)

    def _integration_records(self, eval_context):
        """Return the records that pass the filter, and those on which it fails."""
        records = eval_context.get("records") or eval_context.get("record")
        domain = Domain(
            self.env["integration.subscription"]._parse_domain(self.integration_domain)
            or []
        )
        if records:
            return self._integration_matching(records, domain)
        model = self.env[self.model_id.sudo().model]
        scheduled = self.sudo().usage == "ir_cron"
        return (model.search(domain, limit=MOST) if scheduled else model), model

    def _integration_matching(self, records, domain):
        if domain.is_true():
            return records, records.browse()
        try:
            with self.env.cr.savepoint(flush=False):
                passed = records.sudo().filtered_domain(domain)
        except psycopg2.OperationalError:
            raise
        except Exception as exc:
            _logger.error("The filter of action %s fails: %s", self.id, where(exc))
            return records.browse(), records
        return records.browse(passed.ids), records.browse()

    def _integration_is_deleting(self):
        rule = "base_automation_id" in self._fields and self.sudo().base_automation_id
        return bool(rule) and rule.trigger == "on_unlink"
