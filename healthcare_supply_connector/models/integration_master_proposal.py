# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError

from odoo.addons.healthcare_integration_base.protocol.errors import Filtered

from ..inbound import master
from ..inbound.resolve import digest

KINDS = [
    ("item", "Item"),
    ("supplier", "Supplier"),
    ("unit", "Unit"),
    ("price", "Supplier price"),
    ("payment_term", "Payment term"),
    ("cost_center", "Cost centre"),
]
WAITING = "proposed"


class IntegrationMasterProposal(models.Model):
    """A new or changed master that a system proposes; a person lets it take effect."""

    _name = "integration.master.proposal"
    _description = "Master Data Proposal"
    _inherit = ["mail.thread", "mail.activity.mixin"]
    _order = "id desc"
    _check_company_auto = True

    name = fields.Char(required=True, readonly=True)
    kind = fields.Selection(KINDS, required=True, readonly=True, index=True)
    key = fields.Char(
        "Their Code", required=True, readonly=True, help="What the sender calls it."
    )
    state = fields.Selection(
        [
            ("proposed", "Proposed"),
            ("approved", "Approved"),
            ("applied", "Applied"),
            ("rejected", "Rejected"),
            ("superseded", "Replaced by a newer one"),
        ],
        default="proposed",
        required=True,
        readonly=True,
        tracking=True,
        index=True,
        group_expand=True,
    )
    company_id = fields.Many2one(
        "res.company", required=True, readonly=True, index=True
    )
    system_id = fields.Many2one(
        "integration.system", readonly=True, ondelete="restrict", index=True
    )
    message_uid = fields.Char("Message ID", readonly=True)
    data = fields.Json(readonly=True, groups=fields.NO_ACCESS)
    digest = fields.Char(readonly=True, groups=fields.NO_ACCESS)
    res_model = fields.Char(readonly=True)
    res_id = fields.Many2oneReference(
        "Record ID", model_field="res_model", readonly=True
    )
    record_name = fields.Char(
        "Our Record", compute="_compute_record_name", compute_sudo=True
    )
    is_new = fields.Boolean(compute="_compute_is_new", store=True)
    line_ids = fields.One2many("integration.master.proposal.line", "proposal_id")
    candidate_ids = fields.One2many(
        "integration.master.proposal.candidate", "proposal_id", readonly=True
    )
    change_count = fields.Integer("Changes", compute="_compute_counts", store=True)
    candidate_count = fields.Integer(
        "Possible Duplicates", compute="_compute_counts", store=True
    )
    decided_by_id = fields.Many2one("res.users", readonly=True)
    decided_at = fields.Datetime(readonly=True)
    reason = fields.Char(readonly=True, tracking=True)

    _waiting_uniq = models.UniqueIndex(
        "(system_id, kind, key, company_id) WHERE state = 'proposed'",
        "There is a proposal for this already.",
    )

    @api.depends("res_model", "res_id")
    def _compute_record_name(self):
        for proposal in self:
            record = proposal._record()
            proposal.record_name = record.display_name if record else False

    @api.depends("res_id")
    def _compute_is_new(self):
        for proposal in self:
            proposal.is_new = not proposal.res_id

    @api.depends("line_ids", "candidate_ids")
    def _compute_counts(self):
        for proposal in self:
            proposal.change_count = len(proposal.line_ids)
            proposal.candidate_count = len(proposal.candidate_ids)

    def _record(self):
        """Return our record that is changed; empty for a new one."""
        self.ensure_one()
        model = self.env[master.KINDS[self.kind].model]
        return model.browse(self.res_id or []).exists()

    # -- messages in ----------------------------------------------------------------------

    @api.model
    def _integration_apply_item_proposed(self, data, message):
        """Propose an item; see ``_integration_propose``."""
        return self._integration_propose("item", data, message)

    @api.model
    def _integration_apply_supplier_proposed(self, data, message):
        """Propose a supplier; see ``_integration_propose``."""
        return self._integration_propose("supplier", data, message)

    @api.model
    def _integration_apply_unit_proposed(self, data, message):
        """Propose a unit; see ``_integration_propose``."""
        return self._integration_propose("unit", data, message)

    @api.model
    def _integration_apply_price_proposed(self, data, message):
        """Propose a supplier's price; see ``_integration_propose``."""
        return self._integration_propose("price", data, message)

    @api.model
    def _integration_apply_payment_term_proposed(self, data, message):
        """Propose a payment term; see ``_integration_propose``."""
        return self._integration_propose("payment_term", data, message)

    @api.model
    def _integration_apply_cost_center_proposed(self, data, message):
        """Propose a cost centre; see ``_integration_propose``."""
        return self._integration_propose("cost_center", data, message)

    @api.model
    def _integration_propose(self, name, data, message):
        """Make a proposal of what a system tells of a master.

        What the system itself keeps, and may change without approval, takes effect at once.

        :param str name: kind of master
        :param data: canonical data, with one member of that name
        :return: the proposal
        :raise Filtered: the same was proposed before, nothing differs, or it is stale
        :raise Rejected: a value means nothing to us
        """
        kind, data = master.KINDS[name], data[name]
        context = master.Context(self.env, message)
        key = kind.key(data)
        self.env["integration.freshness"]._check(message, f"master {name} {key}"[:500])
        system = message.sudo().endpoint_id.system_id
        waiting = self._integration_check_repeated(name, key, data, system)
        record = kind.find(context, data)
        rows = self.env["integration.master.proposal.line"]._rows(
            kind, context, data, record, system
        )
        if record and not rows:
            raise Filtered("Nothing differs from what is known.", code="nothing_new")
        waiting.write({"state": "superseded"})
        self.flush_model(["state"])  # decided ones give their place in the index free
        proposal = self.sudo().create(
            {
                "name": kind.title(data)[:200],
                "kind": name,
                "key": key,
                "company_id": self.env.company.id,
                "system_id": system.id,
                "message_uid": message.sudo().uid,
                "data": data,
                "digest": digest(data),
                "res_model": kind.model,
                "res_id": record.id,
                "line_ids": [fields.Command.create(row) for row in rows],
                "candidate_ids": self._candidates(kind, context, data, record),
            }
        )
        proposal.with_env(self.env)._integration_auto_apply()
        return proposal.with_env(self.env)

    @api.model
    def _integration_check_repeated(self, name, key, data, system):
        """Return the waiting proposal that a new one replaces.

        :raise Filtered: ``proposal_repeated``: the last one says the same
        """
        last = self.sudo().search(
            [
                ("system_id", "=", system.id),
                ("kind", "=", name),
                ("key", "=", key),
                ("company_id", "=", self.env.company.id),
            ],
            limit=1,
        )
        if last and last.digest == digest(data):
            raise Filtered("The same was proposed before.", code="proposal_repeated")
        return last.filtered(lambda proposal: proposal.state == WAITING)

    @api.model
    def _candidates(self, kind, context, data, record):
        if record:
            return []
        return [
            fields.Command.create({"res_id": found.id, "score": score, "why": why})
            for found, score, why in kind.candidates(context, data)
        ]

    def write(self, vals):
        """Let people choose lines and follow; the rest is done by buttons.

        :raises AccessError: another field is written
        """
        mail = {
            *self.env["mail.thread"]._fields,
            *self.env["mail.activity.mixin"]._fields,
        }
        if not self.env.su and set(vals) - mail - {"line_ids"}:
            raise AccessError(self.env._("A proposal is changed by its buttons only."))
        return super().write(vals)

    # -- deciding -------------------------------------------------------------------------

    def action_approve(self):
        """Let proposals take effect, with the user's own rights on the masters.

        :raises AccessError: the user is none of those who decide, or a machine
        :raises UserError: decided already, or Odoo refuses the values
        """
        for proposal in self:
            proposal._check_decider()
            proposal.sudo().write(
                {
                    "state": "approved",
                    "decided_by_id": self.env.uid,
                    "decided_at": fields.Datetime.now(),
                }
            )
            proposal._integration_apply(
                proposal.line_ids.filtered(lambda line: line.accepted)
            )
            proposal._integration_done()
        return True

    def action_reject(self):
        """Open the dialog that asks why."""
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Reject"),
            "res_model": "integration.master.proposal.reject",
            "view_mode": "form",
            "target": "new",
            "context": {"default_proposal_ids": [fields.Command.set(self.ids)]},
        }

    def _reject(self, reason):
        """Close proposals that are not wanted.

        :raises UserError: no reason given
        """
        if not (reason or "").strip():
            raise UserError(self.env._("Say why it is rejected."))
        for proposal in self:
            proposal._check_decider()
            proposal.sudo().write(
                {
                    "state": "rejected",
                    "decided_by_id": self.env.uid,
                    "decided_at": fields.Datetime.now(),
                    "reason": reason.strip(),
                }
            )
            proposal._integration_log("rejected", reason.strip())

    def _check_decider(self):
        self.ensure_one()
        self.check_access("read")
        if self.state != WAITING:
            raise UserError(self.env._("%s is decided already.", self.name))
        group = master.KINDS[self.kind].group
        if not self.env.user.has_group(group):
            raise AccessError(
                self.env._(
                    "Proposals of this kind are decided by members of %s.",
                    self.env.ref(group).sudo().full_name,
                )
            )
        machines = self.env["integration.client"].sudo().search([]).user_id
        if self.env.user in machines:
            raise AccessError(self.env._("A machine does not decide about proposals."))

    def _integration_done(self):
        self.sudo().state = "applied"
        self._integration_log("applied")

    def _integration_log(self, state, reason=None):
        proposal = self.sudo()
        self.env["integration.audit.entry"]._log(
            "state",
            self,
            reason=reason,
            detail={
                "state": state,
                "record": f"{proposal.res_model},{proposal.res_id}",
                "fields": proposal.line_ids.filtered("accepted").mapped("name"),
            },
        )

    # -- applying -------------------------------------------------------------------------

    def _integration_auto_apply(self):
        """Apply what the system keeps and may change without approval."""
        proposal = self.sudo()
        auto = proposal.line_ids.filtered("automatic")
        if not (proposal.res_id and auto):
            return
        self._integration_apply(auto)
        auto.write({"applied": True})
        left = proposal.line_ids.filtered(lambda line: not line.applied)
        if not left.filtered("accepted"):
            self._integration_done()

    def _integration_apply(self, lines):
        """Write the values of lines, or make the record; nothing of it is echoed."""
        proposal = self.sudo()
        lines = lines.sudo().filtered(lambda line: not line.applied)
        vals = {line.name: line._write_value() for line in lines}
        kind, system = master.KINDS[proposal.kind], proposal.system_id
        model = self.env[kind.model].with_context(integration_origin=system.id)
        record = model.browse(proposal.res_id or []).exists()
        if record:
            record.write(vals)
        else:
            context = master.Context(self.env, system)
            record = model.create({**kind.defaults(context, proposal.data), **vals})
        proposal.res_id = record.id
        proposal._integration_remember(record)

    def _integration_remember(self, record):
        """Keep what the sender calls the record, so that it is found by it next time."""
        if self.kind in ("price", "unit"):
            return
        Identifier = self.env["integration.identifier"]
        kind, system = f"{self.kind}_code", self.system_id
        taken = Identifier.search(
            [
                ("system_id", "=", system.id),
                ("kind", "=", kind),
                ("value", "=", self.key),
            ]
        )
        if not taken:
            Identifier.create(
                {
                    "system_id": system.id,
                    "kind": kind,
                    "value": self.key,
                    "res_model": record._name,
                    "res_id": record.id,
                }
            )

    # -- looking again --------------------------------------------------------------------

    def _use(self, record):
        """Take one of ours as what is meant; the differences are listed anew."""
        self._check_decider()
        kind, proposal = master.KINDS[self.kind], self.sudo()
        context = master.Context(self.env, proposal.system_id)
        rows = self.env["integration.master.proposal.line"]._rows(
            kind, context, proposal.data, record, proposal.system_id
        )
        proposal.write(
            {
                "res_id": record.id,
                "line_ids": [
                    fields.Command.clear(),
                    *(fields.Command.create(row) for row in rows),
                ],
            }
        )

    def action_open_record(self):
        """Open our record."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "res_model": self.res_model,
            "res_id": self.res_id,
            "view_mode": "form",
        }
