# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo import api, fields, models
from odoo.exceptions import ValidationError

from ..const import ERROR_CLASSES


class IntegrationExceptionRoute(models.Model):
    """A rule that brings cases to a queue; the first that fits counts."""

    _name = "integration.exception.route"
    _description = "Routing Rule of Cases"
    _inherit = ["integration.audited"]
    _order = "sequence, id"

    name = fields.Char(compute="_compute_name")
    sequence = fields.Integer(default=10)
    active = fields.Boolean(default=True)
    queue_id = fields.Many2one(
        "integration.exception.queue",
        required=True,
        ondelete="cascade",
        index=True,
    )
    category = fields.Selection(ERROR_CLASSES)
    code = fields.Char(help="Stable error code, e.g. item_unknown.")
    event_prefix = fields.Char(
        help="Beginning of the event type's code, e.g. supply.supplier_invoice."
    )
    system_id = fields.Many2one("integration.system", ondelete="cascade")
    partner_id = fields.Many2one(
        "res.partner",
        ondelete="cascade",
        help="The system's partner, or a contact of it.",
    )
    company_id = fields.Many2one("res.company", ondelete="restrict")
    currency_id = fields.Many2one("res.currency", compute="_compute_currency_id")
    amount_min = fields.Monetary(
        "Amount from", help="At stake, in the currency of the case's company."
    )
    amount_max = fields.Monetary("Amount up to", help="0: without limit.")
    assign = fields.Selection(
        [
            ("queue", "As the queue does"),
            ("none", "Nobody"),
            ("least_loaded", "The member with the fewest open cases"),
            ("round_robin", "Members in turn"),
            ("fixed", "One person"),
        ],
        "Assigned to",
        default="queue",
        required=True,
    )
    user_id = fields.Many2one("res.users", "Person", ondelete="restrict")

    @api.depends(
        "category",
        "code",
        "event_prefix",
        "system_id",
        "partner_id",
        "amount_min",
        "amount_max",
        "queue_id",
    )
    def _compute_name(self):
        for rule in self:
            conditions = [
                dict(ERROR_CLASSES).get(rule.category),
                rule.code,
                rule.event_prefix and f"{rule.event_prefix}*",
                rule.system_id.name,
                rule.partner_id.name,
                rule.amount_min and f"≥ {rule.amount_min:g}",
                rule.amount_max and f"≤ {rule.amount_max:g}",
            ]
            said = ", ".join(one for one in conditions if one)
            said = said or self.env._("everything")
            rule.name = f"{said} → {rule.queue_id.name or ''}"

    @api.depends("company_id")
    @api.depends_context("company")
    def _compute_currency_id(self):
        for rule in self:
            rule.currency_id = (rule.company_id or self.env.company).currency_id

    @api.constrains("amount_min", "amount_max")
    def _check_amounts(self):
        for rule in self:
            if rule.amount_min < 0 or rule.amount_max < 0:
                raise ValidationError(
                    self.env._("An amount at stake is never negative.")
                )
            if rule.amount_max and rule.amount_max < rule.amount_min:
                raise ValidationError(
                    self.env._(
                        "“Amount up to” is less than “Amount from”: no case would ever fit."
                    )
                )

    @api.constrains("assign", "user_id")
    def _check_person(self):
        for rule in self:
            if rule.assign == "fixed" and not rule.user_id:
                raise ValidationError(
                    self.env._("Say which person the cases are assigned to.")
                )

    def _takes(self, facts):
        """Tell whether the rule fits a case.

        :param facts: ``engine.routing.Facts``
        """
        self.ensure_one()
        partners = facts.partner | facts.partner.commercial_partner_id
        return (
            (not self.company_id or self.company_id.id == facts.company_id)
            and (not self.category or self.category == facts.category)
            and (not self.code or self.code.strip() == facts.code)
            and facts.event_code.startswith((self.event_prefix or "").strip())
            and (not self.system_id or self.system_id == facts.system)
            and (not self.partner_id or self.partner_id in partners)
            and facts.amount >= self.amount_min
            and (not self.amount_max or facts.amount <= self.amount_max)
        )
