# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
import ast
import logging

import psycopg2

from odoo import SUPERUSER_ID, api, fields, models, tools
from odoo.exceptions import ValidationError
from odoo.fields import Domain

from ..const import PRIORITIES
from ..engine.capture import Plan, Subscriber
from ..protocol.errors import Filtered
from ..protocol.mapping import MappingError

_logger = logging.getLogger(__name__)


class IntegrationSubscription(models.Model):
    """Which events an endpoint gets, of which records, in which form."""

    _name = "integration.subscription"
    _description = "Integration Subscription"
    _inherit = ["mail.thread", "integration.audited", "integration.captured"]
    _order = "endpoint_id, sequence, id"
    _check_company_auto = True
    _integration_captured_fields = (
        "active",
        "endpoint_id",
        "event_type_ids",
        "domain",
        "priority",
    )

    name = fields.Char(compute="_compute_name", store=True, readonly=False)
    sequence = fields.Integer(default=10)
    active = fields.Boolean(default=True, tracking=True)
    # Its company is this record's: nothing to compare it with.
    endpoint_id = fields.Many2one(
        "integration.endpoint",
        required=True,
        ondelete="cascade",
        index=True,
        domain="[('direction', '=', 'out')]",
        tracking=True,
    )
    company_id = fields.Many2one(related="endpoint_id.company_id", store=True)
    event_type_ids = fields.Many2many(
        "integration.event.type",
        "integration_subscription_event_type_rel",
        "subscription_id",
        "event_type_id",
        required=True,
        help="An incoming type is published, too, when a message of it has been applied.",
    )
    model = fields.Char(
        compute="_compute_model", help="Model of the events, when all have the same."
    )
    domain = fields.Char(
        default="[]", required=True, help="Only records in this domain are sent."
    )
    mapping_id = fields.Many2one(
        "integration.mapping", check_company=True, domain="[('direction', '=', 'out')]"
    )
    priority = fields.Selection(PRIORITIES, default="1", required=True)
    expected_acknowledgement = fields.Selection(
        [("accepted", "Accepted"), ("posted", "Posted")],
        tracking=True,
        help="What the partner is to say of each message after it has been delivered. "
        "Empty: nothing is waited for.",
    )
    expected_hours = fields.Float(
        "Within Hours",
        default=24.0,
        required=True,
        help="Hours after the delivery; a case is opened when the time is over.",
    )

    _expected_hours = models.Constraint(
        "CHECK(expected_hours > 0 AND expected_hours <= 8760)",
        "An acknowledgement is expected after more than 0 and within 8760 hours (a year).",
    )

    @api.depends("endpoint_id.name", "event_type_ids.code")
    def _compute_name(self):
        for subscription in self:
            codes = ", ".join(subscription.event_type_ids.mapped("code")[:3])
            more = len(subscription.event_type_ids) - 3
            text = codes + (f" +{more}" if more > 0 else "")
            subscription.name = f"{subscription.endpoint_id.name or ''}: {text}"

    @api.depends("event_type_ids.model")
    def _compute_model(self):
        for subscription in self:
            models_ = set(subscription.event_type_ids.mapped("model"))
            subscription.model = models_.pop() if len(models_) == 1 else False

    @api.constrains("domain", "event_type_ids")
    def _check_domain(self):
        for subscription in self:
            subscription._check_domain_of_models()

    def _check_domain_of_models(self):
        domain = self._parse_domain(self.domain)
        if domain is None:
            raise ValidationError(self.env._("The filter is not a list of conditions."))
        for name in set(self.event_type_ids.mapped("model")) - {False}:
            self._check_domain_of(domain, name)

    def _check_domain_of(self, domain, model_name):
        model = self.env[model_name]
        try:
            Domain(domain).validate(model)
            self._check_fields_of(Domain(domain), model)
        except (ValueError, KeyError, TypeError) as error:
            raise ValidationError(
                self.env._(
                    "The filter does not fit %(model)s: %(error)s",
                    model=model_name,
                    error=error,
                )
            ) from None

    def _check_fields_of(self, domain, model):
        """Refuse fields the user may not read.

        Filters run as superuser: what is sent and what is not would tell their values.

        :raises ValueError: naming the field
        """
        for condition in domain.iter_conditions():
            target = model.sudo(False)
            for name in condition.field_expr.split("."):
                field = target._fields.get(name)
                if field is None:
                    break  # a part of a date or of properties
                if not target._has_field_access(field, "read"):
                    raise ValueError(self.env._("field %s is not readable", field))
                target = self.env.get(field.comodel_name or "", target).sudo(False)
            if condition.operator in ("any", "not any", "any!", "not any!"):
                self._check_fields_of(Domain(condition.value), target)

    @api.constrains("endpoint_id")
    def _check_direction(self):
        if any(subscription.endpoint_id.direction != "out" for subscription in self):
            raise ValidationError(
                self.env._("Only outgoing endpoints have subscriptions.")
            )

    @api.constrains("mapping_id", "event_type_ids")
    def _check_mapping(self):
        for subscription in self.filtered("mapping_id"):
            codes = set(subscription.event_type_ids.mapped("code"))
            code = subscription.mapping_id.event_type_id.code
            if codes != {code}:
                raise ValidationError(
                    self.env._(
                        "Mapping %(mapping)s is for %(code)s; a subscription with it has no other"
                        " event type.",
                        mapping=subscription.mapping_id.display_name,
                        code=code,
                    )
                )

    @api.model
    def _parse_domain(self, text):
        """Return the domain as a list, None if it is none."""
        try:
            domain = ast.literal_eval((text or "[]").strip())
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            return None
        return list(domain) if isinstance(domain, (list, tuple)) else None

    # -- capture -------------------------------------------------------------------------

    @api.model
    @tools.ormcache("code")
    def _capture_plans(self, code):
        """Return the plans of capture for an event type, one per version that is wanted.

        Filled from a fresh cursor: the snapshot of a long transaction would cache a
        subscription's absence for everybody.
        """
        with self.env.registry.cursor() as cr:
            env = api.Environment(cr, SUPERUSER_ID, {})
            types = env["integration.event.type"].search(
                [("code", "=", code)], order="version"
            )
            plans = [self._capture_plan(event_type) for event_type in types]
        return tuple(plan for plan in plans if plan)

    def _capture_plan(self, event_type):
        subscriptions = event_type.env["integration.subscription"].search(
            [
                ("event_type_ids", "=", event_type.id),
                ("endpoint_id.state", "!=", "draft"),
                ("endpoint_id.active", "=", True),
                ("endpoint_id.system_id.active", "=", True),
            ],
            order="id",
        )
        subscribers = [sub._capture_subscriber() for sub in subscriptions]
        subscribers = tuple(subscriber for subscriber in subscribers if subscriber)
        if not subscribers and not event_type.keep_without_subscriber:
            return None
        phi = event_type.sensitivity == "phi"
        return Plan(event_type.id, event_type.version, phi, subscribers)

    def _capture_subscriber(self):
        domain = self._parse_domain(self.domain)
        if domain is None:
            _logger.error(
                "Subscription %s has no valid filter and is left out", self.id
            )
            return None
        endpoint = self.endpoint_id
        return Subscriber(
            id=self.id,
            endpoint_id=endpoint.id,
            lane=endpoint._drained_lane(),
            system_id=endpoint.system_id.id,
            companies=self._capture_companies(),
            domain=tuple(domain),
            priority=self.priority,
            ordered=endpoint.policy_id.ordering == "key",
        )

    def _capture_companies(self):
        company = self.endpoint_id.company_id
        if not company:
            return None
        branches = self.env["res.company"].with_context(active_test=False)
        return frozenset(branches.search([("id", "child_of", company.id)]).ids)

    def _check_still_wanted(self, event):
        """Judge the filter again, for an event on which capture could not.

        :raises Filtered: the record does not pass
        :raises MappingError: the filter fails on the record
        """
        domain = self._parse_domain(self.domain) if self else []
        record = event._record()
        if domain and record and not self._passes(record, domain):
            raise Filtered("The document does not pass the filter of the subscription")

    def _passes(self, record, domain):
        try:
            return bool(record.filtered_domain(domain))
        except psycopg2.Error:
            raise
        except Exception as exc:  # a comparison the document's values do not stand
            raise MappingError(
                "The filter of the subscription fails on this document: mend the "
                "filter, then replay",
                code="filter_failed",
            ) from exc
