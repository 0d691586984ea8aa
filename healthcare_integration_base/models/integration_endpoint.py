# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError

from .. import runtime
from ..access import check_group
from ..const import DIRECTIONS, LANE_IN, LANE_OUT
from ..protocol import envelope, ids, netguard
from ..protocol.errors import Configuration, Refused
from .integration_system import check_code, copied_code

OPERATOR = "healthcare_integration_base.group_operator"
ADMINISTRATOR = "healthcare_integration_base.group_administrator"

# state -> states a button may lead to
TRANSITIONS = {
    "draft": {"test", "shadow", "active", "disabled"},
    "test": {"draft", "shadow", "active", "disabled"},
    "shadow": {"test", "active", "disabled"},
    "active": {"test", "shadow", "paused", "disabled"},
    "paused": {"active", "disabled"},
    "disabled": {"draft", "test", "shadow", "active"},
}
# States in which the endpoint is used, so that it must be complete.
USED = ("test", "shadow", "active", "paused")


class IntegrationEndpoint(models.Model):
    """One channel to a system, in one direction."""

    _name = "integration.endpoint"
    _description = "Integration Endpoint"
    _inherit = [
        "mail.thread",
        "mail.activity.mixin",
        "integration.audited",
        "integration.endpoint.figures",
        "integration.captured",
    ]
    _order = "system_id, name"
    _integration_captured_fields = ("state", "active", "system_id", "policy_id", "lane")
    _check_company_auto = True
    _integration_guarded = ("state", "state_reason")

    name = fields.Char(required=True, tracking=True)
    code = fields.Char(
        required=True,
        copy=False,
        tracking=True,
        help="Appears in the URL partners call; unique in the database.",
    )
    active = fields.Boolean(default=True)
    # Its company is this record's: nothing to compare it with.
    system_id = fields.Many2one(
        "integration.system",
        required=True,
        ondelete="restrict",
        index=True,
        tracking=True,
    )
    company_id = fields.Many2one(related="system_id.company_id", store=True, index=True)
    environment = fields.Selection(related="system_id.environment")
    direction = fields.Selection(
        DIRECTIONS, default="out", required=True, tracking=True
    )
    transport = fields.Selection([("https", "HTTPS")], default="https", required=True)
    codec = fields.Selection([("json", "JSON")], default="json", required=True)
    url = fields.Char("URL", tracking=True)
    policy_id = fields.Many2one(
        "integration.policy",
        required=True,
        ondelete="restrict",
        check_company=True,
        tracking=True,
        default=lambda self: self._default_policy(),
    )
    credential_ids = fields.Many2many(
        "integration.credential",
        "integration_endpoint_credential_rel",
        "endpoint_id",
        "credential_id",
        check_company=True,
    )
    lane = fields.Char(
        compute="_compute_lane",
        store=True,
        readonly=False,
        precompute=True,
        required=True,
        help="Work of one drain: 'out', 'in', or a lane of its own for this endpoint.",
    )
    state = fields.Selection(
        [
            ("draft", "Draft"),
            ("test", "Test"),
            ("shadow", "Shadow"),
            ("active", "Active"),
            ("paused", "Paused"),
            ("disabled", "Disabled"),
        ],
        default="draft",
        required=True,
        readonly=True,
        copy=False,
        tracking=True,
        help="Test: sends on demand only. Shadow: renders and records, sends nothing. "
        "Paused and disabled hold messages and release them in order.",
    )
    state_reason = fields.Char(readonly=True, copy=False, tracking=True)
    runnable = fields.Boolean(
        compute="_compute_runnable",
        help="Active, and of the environment this database belongs to.",
    )
    exception_queue_id = fields.Many2one(
        "integration.exception.queue", check_company=True
    )
    subscription_ids = fields.One2many("integration.subscription", "endpoint_id")
    # incoming
    event_type_id = fields.Many2one(
        "integration.event.type",
        domain="[('direction', '=', 'in')]",
        help="What an incoming message is, when it does not say so itself.",
    )
    mapping_id = fields.Many2one(
        "integration.mapping", domain="[('direction', '=', 'in')]", check_company=True
    )
    client_ids = fields.Many2many(
        "integration.client",
        "integration_client_endpoint_rel",
        "endpoint_id",
        "client_id",
        check_company=True,
    )
    dedupe_days = fields.Integer(
        default=0,
        help="Days a message id is remembered; 0 = as long as the message is kept.",
    )
    health_ids = fields.One2many("integration.endpoint.health", "endpoint_id")

    _code_uniq = models.Constraint(
        "UNIQUE(code)", "The code of an endpoint must be unique."
    )
    _dedupe_days = models.Constraint(
        "CHECK(dedupe_days >= 0)",
        "The days a message id is remembered cannot be negative.",
    )

    # -- defaults and computed fields ----------------------------------------------

    @api.model
    def _default_policy(self):
        return self.env.ref(
            "healthcare_integration_base.policy_default", raise_if_not_found=False
        )

    @api.depends("direction")
    def _compute_lane(self):
        for endpoint in self:
            if not endpoint.lane or endpoint.lane in (LANE_OUT, LANE_IN):
                endpoint.lane = LANE_IN if endpoint.direction == "in" else LANE_OUT

    @api.depends("state", "system_id.environment")
    def _compute_runnable(self):
        for endpoint in self:
            endpoint.runnable = endpoint._integration_runnable()

    def _integration_runnable(self):
        """Tell whether messages of this endpoint may be processed on this database now.

        A copy of a production database that became a test database sends nothing to
        production partners.
        """
        self.ensure_one()
        return (
            self.active
            and self.state == "active"
            and self.environment == runtime.database_environment()
        )

    def copy_data(self, default=None):
        return [
            {**vals, "code": (default or {}).get("code") or copied_code(endpoint)}
            for endpoint, vals in zip(self, super().copy_data(default), strict=True)
        ]

    # -- form errors -----------------------------------------------------------------

    @api.constrains("code", "lane")
    def _check_codes(self):
        for endpoint in self:
            check_code(endpoint, endpoint.code)
            check_code(endpoint, endpoint.lane)

    @api.constrains("url", "system_id", "direction", "transport")
    def _check_url(self):
        for endpoint in self.filtered(lambda one: one.url and one.direction == "out"):
            endpoint._check_url_allowed()

    def _check_url_allowed(self):
        """Let only URLs pass that the network guard would connect to.

        :raises ValidationError: naming the rule and the setting that lifts it
        """
        try:
            policy = runtime.network_policy(self.environment)
            # A module being installed brings demo partners: they cannot be resolved
            # everywhere. Sending checks the connected address in any case.
            check = (
                netguard.check_host if self.env.registry.ready else netguard.check_url
            )
            check(self.url, policy)
        except Refused as error:
            raise ValidationError(self._refusal(error)) from None
        except Configuration as error:
            raise ValidationError(error.message) from None

    def _refusal(self, error):
        text = self.env._(
            "URL of endpoint %(name)s: %(message)s (rule: %(rule)s)",
            name=self.name,
            message=error.message,
            rule=error.rule,
        )
        if error.setting and error.setting not in error.message:
            text += "\n" + self.env._(
                "Allowed by the option %s of [healthcare_integration] in odoo.conf.",
                error.setting,
            )
        return text

    def write(self, vals):
        if "direction" in vals:
            self._check_direction_kept(vals["direction"])
        return super().write(vals)

    def _check_direction_kept(self, direction):
        """Messages are sent or applied by the direction of their endpoint.

        :raises UserError: it would change below messages or subscriptions
        """
        turned = self.filtered(lambda endpoint: endpoint.direction != direction)
        mine = [("endpoint_id", "in", turned.ids)]
        for model in ("integration.message", "integration.subscription"):
            records = self.env[model].sudo().with_context(active_test=False)
            found = records.search(mine, limit=1)
            if found:
                raise UserError(
                    self.env._(
                        "Endpoint %s has messages or subscriptions; make another one for the"
                        " other direction.",
                        found.endpoint_id.name,
                    )
                )

    @api.constrains("state", "url", "direction")
    def _check_complete(self):
        for endpoint in self.filtered(lambda one: one.state in USED):
            if endpoint.direction == "out" and not endpoint.url:
                raise ValidationError(
                    self.env._(
                        "Endpoint %s needs a URL before it is used.", endpoint.name
                    )
                )

    # -- state -------------------------------------------------------------------------

    def action_test(self):
        """Send on demand only."""
        check_group(self, ADMINISTRATOR)
        return self._transition("test")

    def action_shadow(self):
        """Render and record, send nothing."""
        check_group(self, ADMINISTRATOR)
        return self._transition("shadow")

    def action_activate(self):
        """Process messages, those that waited first."""
        check_group(self, ADMINISTRATOR)
        return self._transition("active")

    def action_disable(self, reason=None):
        """Hold all messages until an administrator activates the endpoint again."""
        check_group(self, ADMINISTRATOR)
        return self._transition("disabled", reason)

    def action_draft(self):
        """Back to work on its configuration."""
        check_group(self, ADMINISTRATOR)
        return self._transition("draft")

    def action_pause(self, reason=None):
        """Hold messages for a while; nothing is lost and the order is kept."""
        check_group(self, OPERATOR)
        return self._transition("paused", reason)

    def action_resume(self):
        """Go on after a pause."""
        check_group(self, OPERATOR)
        if any(endpoint.state != "paused" for endpoint in self):
            raise UserError(self.env._("Only a paused endpoint can be resumed."))
        return self._transition("active")

    def _transition(self, state, reason=None):
        """Change the state, with an audit entry, and wake the drain of what may run now.

        :param str state: the new state
        :param str reason: shown beside the state
        :raises UserError: the state cannot follow the present one
        """
        for endpoint in self:
            endpoint._check_transition(state)
        for endpoint in self.sudo():
            before = endpoint.state
            endpoint._integration_transition(
                {"state": state, "state_reason": reason or False}
            )
            self.env["integration.audit.entry"]._log(
                "state", endpoint, reason, {"state": [before, state]}
            )
        running = self.filtered(lambda endpoint: endpoint._integration_runnable())
        lanes = {endpoint._drained_lane() for endpoint in running}
        if lanes:
            self.env["integration.drain"]._wake(lanes)
        return True

    def _check_transition(self, state):
        if state in TRANSITIONS[self.state]:
            return
        labels = dict(self._fields["state"]._description_selection(self.env))
        raise UserError(
            self.env._(
                "Endpoint %(name)s is %(before)s and cannot become %(after)s.",
                name=self.name,
                before=labels[self.state],
                after=labels[state],
            )
        )

    # -- try it out --------------------------------------------------------------------

    def action_send_test(self):
        """Send an ``integration.endpoint.tested`` event through this endpoint at once.

        It takes the road of every other message: event, message, body, signature,
        network guard, attempt.

        :return: action that opens the message with its attempt
        :raises UserError: the endpoint is incoming, a draft or disabled
        """
        self.ensure_one()
        check_group(self, OPERATOR)
        if self.direction != "out" or self.state not in ("test", "active"):
            raise UserError(
                self.env._(
                    "A test message needs an outgoing endpoint in state Test or Active."
                )
            )
        message = self._make_test_message()
        message.with_env(self.env).action_send_now()
        return {
            "type": "ir.actions.act_window",
            "res_model": "integration.message",
            "res_id": message.id,
            "view_mode": "form",
            "views": [(False, "form")],
        }

    def _make_test_message(self):
        event_type_id = self.env["integration.event.type"]._get(
            "integration.endpoint.tested"
        )
        data = {
            "endpoint": self.code,
            "system": self.system_id.code,
            "note": "Test message; nothing has to be done.",
        }
        event = (
            self.env["integration.event"]
            .sudo()
            .create(
                {
                    "uid": ids.uuid7(),
                    "type_id": event_type_id,
                    "version": 1,
                    "res_model": self._name,
                    "res_id": self.id,
                    "res_name": self.code,
                    "company_id": self.company_id.id,
                    "user_id": self.env.uid,
                    "occurred_at": fields.Datetime.now(),
                    "data": envelope.dumps(data).decode(),
                }
            )
        )
        message_ids = (
            self.env["integration.message"]
            .sudo()
            ._enqueue(
                [
                    {
                        "direction": "out",
                        "endpoint_id": self.id,
                        "event_id": event.id,
                        "event_type_id": event_type_id,
                        "company_id": self.company_id.id,
                        "res_model": self._name,
                        "res_id": self.id,
                        "res_name": self.code,
                    }
                ]
            )
        )
        return self.env["integration.message"].sudo().browse(message_ids)
