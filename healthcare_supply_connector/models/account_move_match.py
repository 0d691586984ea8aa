# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from decimal import Decimal

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError

from odoo.addons.healthcare_integration_base.protocol.cause import Cause

from ..inbound import invoice
from ..inbound.documents import attach
from ..inbound.match import Match
from ..payloads import supplier_invoice

RECEIVED = "supply.supplier_invoice.received"
MATCHED = "supply.supplier_invoice.matched"
BLOCKED = "supply.supplier_invoice.blocked"
APPROVED = "supply.supplier_invoice.approved"
EVENTS = {"matched": MATCHED, "blocked": BLOCKED, "approved": APPROVED}
# Codes of the cases about a bill's differences; the bill has at most one of them open.
CASES = (
    "invoice_price_difference",
    "invoice_quantity_difference",
    "invoice_difference",
)
# Written by the match alone: not by hand, not by import, not over RPC.
GUARDED = frozenset(
    {
        "integration_match_state",
        "integration_match_line_ids",
        "integration_match_amount",
        "integration_accepted_amount",
        "integration_accepted_by_id",
        "integration_accepted_at",
        "integration_accepted_reason",
        "integration_stated_total",
        "integration_stated_tax",
        "integration_invoice_digest",
        "integration_endpoint_id",
    }
)


class AccountMove(models.Model):
    """Supplier bills that came in by message: matched to order and receipt."""

    _inherit = "account.move"

    integration_match_state = fields.Selection(
        [
            ("none", "Not matched"),
            ("matched", "Matched"),
            ("blocked", "Blocked"),
            ("approved", "Difference accepted"),
        ],
        "Match",
        default="none",
        readonly=True,
        copy=False,
        index=True,
        tracking=True,
    )
    integration_match_line_ids = fields.One2many(
        "account.move.match.line", "move_id", "Match with Order", readonly=True
    )
    integration_match_amount = fields.Monetary(
        "At Stake",
        readonly=True,
        copy=False,
        help="What all differences outside of the tolerances come to.",
    )
    integration_accepted_amount = fields.Monetary("Accepted", readonly=True, copy=False)
    integration_accepted_by_id = fields.Many2one(
        "res.users", "Accepted by", readonly=True, copy=False
    )
    integration_accepted_at = fields.Datetime("Accepted at", readonly=True, copy=False)
    integration_accepted_reason = fields.Char("Reason", readonly=True, copy=False)
    integration_stated_total = fields.Char(
        "Total on the Invoice", readonly=True, copy=False
    )
    integration_stated_tax = fields.Char(
        "Tax on the Invoice", readonly=True, copy=False
    )
    integration_invoice_digest = fields.Char(
        readonly=True, copy=False, groups=fields.NO_ACCESS
    )
    integration_endpoint_id = fields.Many2one(
        "integration.endpoint",
        readonly=True,
        copy=False,
        groups="healthcare_integration_base.group_viewer",
    )

    _integration_number_uniq = models.UniqueIndex(
        "(company_id, commercial_partner_id, move_type, ref)"
        " WHERE integration_invoice_digest IS NOT NULL AND state != 'cancel'",
        "There is a bill of this supplier with this number already.",
    )

    # -- guarded fields -------------------------------------------------------------------

    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            self._integration_check_guarded(vals)
        return super().create(vals_list)

    def write(self, vals):
        self._integration_check_guarded(vals)
        if vals.get("state") == "posted":
            # here and not in _post: over RPC the state can be written past all buttons
            self._integration_check_match()
        return super().write(vals)

    def _integration_check_guarded(self, vals):
        names = GUARDED.intersection(vals)
        if names and not self.env.su:
            raise AccessError(
                self.env._("The match of a bill is changed by its buttons only.")
            )

    # -- messages in ----------------------------------------------------------------------

    @api.model
    def _integration_builders(self):
        codes = (RECEIVED, MATCHED, BLOCKED, APPROVED)
        return super()._integration_builders() | dict.fromkeys(
            codes, supplier_invoice.bills
        )

    @api.model
    def _integration_apply_supplier_invoice_submitted(self, data, message):
        """Make a draft bill of a supplier's invoice and match it.

        :param data: canonical data, valid against the schema of the event type
        :param message: the ``integration.message`` it came in
        :return: the bill
        :raise Rejected: order, item, unit, tax unknown, or the invoice does not add up
        :raise Filtered: applied before
        """
        plan = invoice.Plan(self.env, data, message)
        move = self.create(plan.values())
        move.sudo().write(plan.guarded_values())
        attach(move, data, message)
        move._integration_emit(RECEIVED)
        plan.tell_strange_bank_account(move)
        move._integration_match(message)
        if move.company_id.sudo().supplier_invoice_posting == "post":
            move.filtered(lambda bill: bill.integration_match_state == "matched")._post(
                soft=False
            )
        return move

    # -- match ----------------------------------------------------------------------------

    def action_integration_match(self):
        """Compare the bills with their orders and receipts again."""
        self.check_access("write")
        drafts = self.filtered(lambda move: move.state == "draft")
        if not drafts:
            raise UserError(self.env._("Only draft bills are matched."))
        drafts._integration_match()
        return True

    def _integration_match(self, message=None):
        """Match draft bills that came in by message; tell what changed by it.

        Runs as superuser: who receives goods may not see bills.

        :param message: the integration.message that caused it, if one did
        """
        for move in self.sudo():
            if move.state == "draft" and move.integration_invoice_digest:
                move._integration_match_one(message)

    def _integration_match_one(self, message):
        tolerance = self.env["supply.tolerance"]._for(self.company_id, self.partner_id)
        rows = Match(self, tolerance).rows()
        amount = sum(row["amount"] for row in rows if not row["ok"])
        state = self._integration_state_of(rows, amount)
        known = self.integration_match_state
        self.write(
            {
                "integration_match_line_ids": [
                    fields.Command.clear(),
                    *(fields.Command.create(row) for row in rows),
                ],
                "integration_match_amount": amount,
                "integration_match_state": state,
            }
        )
        if state == "blocked":
            self._integration_raise_case(message)
        elif known == "blocked":
            self._integration_settle_cases(
                self.env._("The bill agrees with order and receipt now.")
            )
        if state != known:
            self._integration_emit(EVENTS[state])

    def _integration_state_of(self, rows, amount):
        if all(row["ok"] for row in rows):
            return "matched"
        accepted = self.integration_accepted_at and self.currency_id.compare_amounts(
            amount, self.integration_accepted_amount
        )
        return "approved" if accepted is not False and accepted <= 0 else "blocked"

    def _integration_failing(self):
        """Return the match lines outside of the tolerances, the dearest first."""
        return self.integration_match_line_ids.filtered(
            lambda line: not line.ok
        ).sorted(lambda line: (-line.amount, line.sequence))

    # -- case -----------------------------------------------------------------------------

    def _integration_case_key(self):
        return f"{self.ref} #{self.id}"

    def _integration_raise_case(self, message):
        failing = self._integration_failing()
        kinds = set(failing.mapped("kind"))
        code = CASES[0] if "price" in kinds else CASES[2]
        code = CASES[1] if kinds == {"quantity"} else code
        self._integration_settle_cases(
            self.env._("Another difference of the bill counts now."), but=code
        )
        first = failing.filtered(lambda line: line.kind == "price")[:1] or failing[:1]
        title = self.env._("%(text)s, bill %(ref)s", text=first.text, ref=self.ref)
        if len(failing) > 1:
            title = self.env._(
                "%(title)s (and %(count)s more)", title=title, count=len(failing) - 1
            )
        cause = Cause(
            code,
            self._integration_case_key(),
            title,
            amount=Decimal(str(self.currency_id.round(self.integration_match_amount))),
            currency=self.currency_id.name,
            document=(self._name, self.id),
        )
        event_type = self.env.ref(
            "healthcare_supply_connector.event_type_supply_supplier_invoice_submitted"
        )
        self.env["integration.exception"]._raise_case(
            cause,
            message=message,
            endpoint=self.integration_endpoint_id,
            event_type=event_type,
            company=self.company_id,
        )

    def _integration_settle_cases(self, resolution, but=None):
        system = self.sudo().integration_endpoint_id.system_id
        for code in CASES:
            if code != but:
                self.env["integration.exception"]._settle_case(
                    code,
                    self._integration_case_key(),
                    resolution,
                    self.company_id,
                    system,
                )

    # -- accept ---------------------------------------------------------------------------

    def action_integration_accept(self):
        """Open the dialog in which the differences of a blocked bill are accepted."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Accept the Difference"),
            "res_model": "account.move.accept.difference",
            "view_mode": "form",
            "target": "new",
            "context": {"default_move_id": self.id},
        }

    def _accept_difference(self, reason):
        """Let the bill pass in spite of its differences; its case is settled.

        :param str reason: why, for auditors
        :raises AccessError: no right on bills, or the amount is above the user's limit
        :raises UserError: not blocked, or no reason given
        """
        self.ensure_one()
        self._integration_check_accept()
        if not (reason or "").strip():
            raise UserError(self.env._("Say why the difference is accepted."))
        move = self.sudo()
        move._integration_match()
        if move.integration_match_state == "blocked":
            self._integration_check_limit()  # by what it comes to now
            move.write(
                {
                    "integration_accepted_amount": move.integration_match_amount,
                    "integration_accepted_by_id": self.env.uid,
                    "integration_accepted_at": fields.Datetime.now(),
                    "integration_accepted_reason": reason.strip(),
                    "integration_match_state": "approved",
                }
            )
            move._integration_settle_cases(
                self.env._("Difference accepted: %s", reason.strip())
            )
            move._integration_emit(APPROVED)
            move.message_post(
                author_id=self.env.user.partner_id.id,
                body=self.env._(
                    "Difference of %(amount)s accepted: %(reason)s",
                    amount=move.currency_id.format(move.integration_match_amount),
                    reason=reason.strip(),
                ),
            )
        return True

    def _integration_check_accept(self):
        if not self.env.user.has_group("account.group_account_invoice"):
            raise AccessError(
                self.env._("Only members of invoicing may accept a difference.")
            )
        self.check_access("write")
        if self.integration_match_state != "blocked":
            raise UserError(self.env._("This bill is not blocked."))

    def _integration_check_limit(self):
        limit = self.company_id.sudo().invoice_accept_limit
        amount = self.currency_id._convert(
            self.integration_match_amount,
            self.company_id.currency_id,
            self.company_id,
            self.invoice_date or fields.Date.today(),
        )
        over = self.company_id.currency_id.compare_amounts(amount, limit) > 0
        if over and not self.env.user.has_group("account.group_account_manager"):
            raise AccessError(
                self.env._(
                    "Differences of more than %(limit)s are accepted by an accounting "
                    "administrator only; this one comes to %(amount)s.",
                    limit=self.company_id.currency_id.format(limit),
                    amount=self.company_id.currency_id.format(amount),
                )
            )

    # -- posting --------------------------------------------------------------------------

    def _integration_check_match(self):
        """Refuse to post what does not agree; looked at anew, since lines can be edited.

        :raises UserError: says what differs and what can be done
        """
        drafts = self.filtered(
            lambda move: move.integration_match_state != "none"
            and move.state == "draft"
        )
        drafts._integration_match()
        for move in drafts.sudo():
            if move.integration_match_state == "blocked":
                raise UserError(move._integration_refusal())

    def _integration_refusal(self):
        reasons = "\n".join(f"• {line.text}" for line in self._integration_failing())
        return self.env._(
            "Bill %(ref)s is blocked and cannot be posted:\n%(reasons)s\n\nAccept the "
            "difference, or match again once order or receipt are corrected.",
            ref=self.ref or self.display_name,
            reasons=reasons,
        )
