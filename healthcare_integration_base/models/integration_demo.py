# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
import logging
from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError

from ..engine import demo_stories, demo_traffic
from ..protocol import signing

_logger = logging.getLogger(__name__)

MODULE = "healthcare_integration_base"
# endpoint -> the buttons somebody pressed, in order
STATES = {
    "medsupply_sites": ["action_activate"],
    "medsupply_orders": ["action_shadow"],
    "ledgerline_sites": ["action_activate"],
    "nordlab_sites": ["action_activate"],
    "coldchain_sites": ["action_activate", "action_pause"],
    "riverside_sites": ["action_activate"],
    "clearbridge_sites": ["action_test"],
    "nordlab_catalogue": ["action_activate"],
    "medsupply_practitioners": ["action_activate"],
    "ledgerline_old": ["action_activate", "action_disable"],
}
REASONS = {
    "action_pause": "Their warehouse system is being upgraded until 22:00",
    "action_disable": "Contract ended; replies come by the gateway now",
}


class IntegrationDemo(models.AbstractModel):
    """Brings the demo data to life: what forms can't load, because only the engine writes it.

    Called once, from the demo data. Nothing of it is sent: what is unfinished belongs to
    endpoints that hold, and no host name of it exists.
    """

    _name = "integration.demo"
    _description = "Demo Data of the Integration"

    @api.model
    def _integration_demo_traffic(self):
        """Set states, make secrets, approve mappings and write traffic of the last week."""
        if self._ref("endpoint_medsupply_sites").state != "draft":
            return
        self._make_secrets()
        self._make_keys()
        self._press_buttons()
        self._approve_mappings()
        traffic = demo_traffic.Traffic(self.env, fields.Datetime.now())
        traffic.make()
        self._open_cases(traffic)
        self._write_health()
        self._write_audit(traffic)

    def _ref(self, name):
        return self.env.ref(f"{MODULE}.demo_{name}")

    def _make_secrets(self):
        credentials = self.env["integration.credential"].search(
            [("secret_token", "=", False)]
        )
        for credential in credentials:
            try:
                credential._store_secret(signing.generate_secret())
            except UserError as error:
                # Without a key ring the forms show what to do; the demo data must load.
                _logger.info("Demo credentials have no secret: %s", error)
                return

    def _press_buttons(self):
        for name, buttons in STATES.items():
            endpoint = self._ref(f"endpoint_{name}")
            for button in buttons:
                reason = REASONS.get(button)
                getattr(endpoint, button)(*([reason] if reason else []))

    def _make_keys(self):
        # The keys themselves are thrown away: nobody can call with them.
        for name in ("nordlab", "medsupply"):
            client = self._ref(f"client_{name}")
            client._generate_key(
                "Production", fields.Datetime.now() + timedelta(days=180)
            )
            client._generate_key("Former engine")
            client.key_ids.filtered(
                lambda key: key.name == "Former engine"
            ).action_revoke()

    # -- mappings ------------------------------------------------------------------

    def _approve_mappings(self):
        author, approver = self._ref("user_mapper"), self._ref("user_approver")
        names = ("ledgerline", "nordlab", "clearbridge", "coldchain", "catalogue")
        mappings = {name: self._ref(f"mapping_{name}") for name in names}
        for mapping in mappings.values():
            mapping._integration_transition({"author_id": author.id})
        for name in ("ledgerline", "nordlab", "catalogue", "clearbridge"):
            mappings[name].with_user(approver).action_approve()
        for name in ("ledgerline", "nordlab", "catalogue"):
            mappings[name].with_user(approver).action_activate()
        second = mappings["ledgerline"].with_user(author)._new_version()
        second.line_ids.filtered(
            lambda line: line.target == "description"
        ).transform = "none"
        second.with_user(approver).action_approve()
        second.with_user(approver).action_activate()
        second.with_user(author)._new_version()

    # -- cases ---------------------------------------------------------------------

    def _open_cases(self, traffic):
        for case in demo_stories.CASES:
            record = self.env["integration.exception"].create(
                self._case_values(case, traffic)
            )
            messages = traffic.messages_of(case.story)
            messages.write({"exception_id": record.id})
            if case.activity:
                record.activity_schedule(
                    "mail.mail_activity_data_todo",
                    date_deadline=fields.Date.today() + timedelta(days=1),
                    summary=case.activity,
                    user_id=record.user_id.id or self.env.ref("base.user_admin").id,
                )

    def _case_values(self, case, traffic):
        messages = traffic.messages_of(case.story)
        seen = messages.mapped("created_at")
        closed = case.state in ("resolved", "ignored")
        return {
            "name": case.name,
            "fingerprint": f"demo:{case.story}",
            "category": case.category,
            "code": case.code,
            "queue_id": self.env.ref(f"{MODULE}.{case.queue}").id,
            "user_id": case.user and self.env.ref(f"{case.user}").id,
            "state": case.state,
            "company_id": messages[:1].company_id.id,
            "endpoint_id": messages[:1].endpoint_id.id,
            "event_type_id": messages[:1].event_type_id.id,
            "detail": case.detail,
            "deadline": traffic.now + timedelta(hours=case.hours_left),
            "first_seen": min(seen),
            "last_seen": max(seen),
            "resolution": case.resolution,
            "resolved_at": closed and traffic.now - timedelta(hours=20),
            "resolved_by_id": closed and self._ref("user_finance").id,
        }

    # -- the rest --------------------------------------------------------------------

    def _write_health(self):
        now = fields.Datetime.now()
        minutes = lambda count: now - timedelta(minutes=count)  # noqa: E731
        rows = {
            "medsupply_sites": {"last_success_at": minutes(4)},
            "ledgerline_sites": {
                "last_success_at": minutes(26),
                "last_failure_at": minutes(50),
            },
            "nordlab_sites": {
                "breaker_state": "open",
                "open_until": now + timedelta(seconds=30),
                "failing_since": minutes(95),
                "last_success_at": minutes(97),
                "last_failure_at": minutes(1),
            },
            "coldchain_sites": {
                "last_success_at": minutes(200),
                "last_failure_at": minutes(188),
            },
            "nordlab_catalogue": {"last_success_at": minutes(12)},
            "medsupply_practitioners": {"last_success_at": minutes(31)},
        }
        self.env["integration.endpoint.health"].create(
            [
                {"endpoint_id": self._ref(f"endpoint_{name}").id, **values}
                for name, values in rows.items()
            ]
        )

    def _write_audit(self, traffic):
        log = self.env["integration.audit.entry"]
        rejected = traffic.messages_of("rejected")[:1]
        finance = log.with_user(self._ref("user_finance")).sudo()
        finance._log(
            "payload_view", rejected, "Ledgerline asks which cost centre it was"
        )
        operator = log.with_user(self._ref("user_operator")).sudo()
        operator._log("replay", traffic.messages_of("mended")[:2], "Mapping corrected")
