# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.fields import Command

from odoo.addons.healthcare_integration_base.access import check_group

from ..inbound.identify.candidates import candidates
from ..inbound.identify.sender import KINDS, company_domain, kind_of
from ..inbound.identify.units import MEASURES, UNIT, own_units

HANDLER = "healthcare_integration_base.group_exception_handler"
BUYERS = ("purchase.group_purchase_user", "stock.group_stock_user")
CLERKS = ("account.group_account_invoice",)
SELLERS = ("sales_team.group_sale_salesman",)
# Who knows what is meant, by what is looked for.
DECIDERS = {
    "item": BUYERS + CLERKS + SELLERS,
    "unit": BUYERS + CLERKS + SELLERS,
    "supplier": BUYERS[:1] + CLERKS,
    "customer": CLERKS + SELLERS,
    "location": BUYERS[1:],
    "tax": CLERKS,
    "account": CLERKS,
    "cost_center": CLERKS,
    "payment_term": CLERKS,
}
FIELDS = {
    "item": "product_id",
    "unit": "uom_id",
    "supplier": "partner_id",
    "customer": "partner_id",
    "location": "location_id",
    "tax": "tax_id",
    "account": "account_id",
    "cost_center": "analytic_account_id",
    "payment_term": "payment_term_id",
}


class IntegrationReferenceMatch(models.TransientModel):
    """Lets a person say what a partner means, once, and replays all that waits for it."""

    _name = "integration.reference.match"
    _description = "Pick What a Partner Means"

    exception_id = fields.Many2one(
        "integration.exception", required=True, readonly=True, ondelete="cascade"
    )
    # What the case says is read from it again when it is finished: this is for the screen.
    kind = fields.Selection(
        [(name, name) for name in KINDS], compute="_compute_reference"
    )
    external_value = fields.Char("Partner's Value", compute="_compute_reference")
    description = fields.Char("Partner's Description", compute="_compute_reference")
    item_name = fields.Char("Item", compute="_compute_reference")
    system_id = fields.Many2one(related="exception_id.system_id")
    waiting_count = fields.Integer(related="exception_id.unresolved_count")
    product_id = fields.Many2one("product.product")
    uom_id = fields.Many2one("uom.uom", string="Unit")
    partner_id = fields.Many2one("res.partner")
    location_id = fields.Many2one("stock.location")
    tax_id = fields.Many2one("account.tax")
    account_id = fields.Many2one("account.account")
    analytic_account_id = fields.Many2one(
        "account.analytic.account", string="Cost Centre"
    )
    payment_term_id = fields.Many2one("account.payment.term")
    remember = fields.Selection(
        [
            ("crosswalk", "In the crosswalk of this partner"),
            ("identifier", "As the partner's identifier of the record"),
            ("supplier_code", "As the supplier's code in its vendor price"),
        ],
        default="crosswalk",
        required=True,
    )
    for_all_items = fields.Boolean(
        help="This unit is the same for every item: kilogram, piece. A box never is."
    )
    is_measure = fields.Boolean(compute="_compute_is_measure")
    can_write_prices = fields.Boolean(compute="_compute_can_write_prices")
    candidate_ids = fields.One2many(
        "integration.reference.match.candidate", "match_id", readonly=True
    )

    @api.depends("exception_id")
    def _compute_reference(self):
        for match in self:
            data = match.exception_id.cause_data or {}
            kind = kind_of(match.exception_id.code)
            match.kind = kind.name if kind else False
            match.external_value = data.get("unit") or data.get("external_value")
            match.description = data.get("description")
            match.item_name = data.get("item")

    @api.depends("uom_id")
    def _compute_is_measure(self):
        for match in self:
            match.is_measure = match.uom_id.unece_code in MEASURES

    @api.depends("exception_id")
    def _compute_can_write_prices(self):
        allowed = self.env["product.supplierinfo"].has_access("write")
        for match in self:
            data = match.exception_id.cause_data or {}
            match.can_write_prices = bool(
                allowed and data.get("supplier_code") and data.get("supplier_id")
            )

    @api.model_create_multi
    def create(self, vals_list):
        matches = super().create(vals_list)
        for match in matches:
            match.candidate_ids = match._candidates()
        return matches

    def _candidates(self):
        self._check_decider()
        case = self.exception_id
        env = self.with_company(case.company_id or self.env.company).env
        found = candidates(env, self._kind(), case.cause_data or {})
        return [
            Command.create(
                {
                    "sequence": place,
                    "res_id": record.id,
                    "name": record.display_name,
                    "why": why,
                }
            )
            for place, (record, why) in enumerate(found)
        ]

    def _kind(self):
        """Return what is looked for. :raises UserError: the case is about nothing of that"""
        kind = kind_of(self.exception_id.code)
        if not kind or not (self.exception_id.cause_data or {}).get("external_value"):
            raise UserError(
                self.env._(
                    "This case does not say which value of the partner is meant."
                )
            )
        return kind

    def _check_decider(self):
        """Let only handlers decide who know the matter.

        :raises AccessError: who is no exception handler, or of no business group of the kind
        """
        self.ensure_one()
        check_group(self.exception_id, HANDLER)
        groups = DECIDERS[self._kind().name]
        if not any(self.env.user.has_group(group) for group in groups):
            names = ", ".join(self.env.ref(g).sudo().full_name for g in groups)
            raise AccessError(
                self.env._("Only members of one of these groups decide this: %s", names)
            )

    # -- picking ---------------------------------------------------------------------

    def action_apply(self):
        """Remember what the partner means and replay the messages that wait for it.

        :raises AccessError: the user may not decide this, or not read what was picked
        :raises UserError: nothing is picked, or it is of another company
        """
        self._check_decider()
        record = self._picked()
        remember = {
            "crosswalk": self._remember_crosswalk,
            "identifier": self._remember_identifier,
            "supplier_code": self._remember_supplier_code,
        }
        remember[self.remember](record)
        self.exception_id._finish(
            self.env._(
                "%(value)s means %(record)s.",
                value=self.external_value,
                record=record.display_name,
            )
        )
        return {"type": "ir.actions.act_window_close"}

    def _picked(self):
        record = self[FIELDS[self._kind().name]]
        if not record:
            raise UserError(self.env._("Pick what the partner means."))
        record.check_access("read")
        case = self.exception_id
        company = case.company_id or self.env.company
        domain = company_domain(record, company)
        if not record.sudo().filtered_domain(domain):
            raise UserError(
                self.env._(
                    "%(record)s does not belong to company %(company)s.",
                    record=record.display_name,
                    company=company.name,
                )
            )
        self._check_unit(record)
        return record

    def _check_unit(self, record):
        if record._name != UNIT.model:
            return
        product_id = (self.exception_id.cause_data or {}).get("product_id")
        product = self.env["product.product"].browse(product_id or []).exists()
        fits = record in own_units(product) or record._has_common_reference(
            product.uom_id
        )
        if product and not fits:
            raise UserError(
                self.env._(
                    "%(unit)s cannot be converted into %(own)s, the unit of %(item)s.",
                    unit=record.name,
                    own=product.uom_id.name,
                    item=product.display_name,
                )
            )

    def _reopen(self):
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Pick What the Partner Means"),
            "res_model": self._name,
            "res_id": self.id,
            "view_mode": "form",
            "views": [(False, "form")],
            "target": "new",
        }

    def _remember_crosswalk(self, record):
        data = self.exception_id.cause_data
        domain, value = data.get("domain"), data["external_value"]
        if record._name == UNIT.model and self.for_all_items and self.is_measure:
            domain, value = UNIT.domain, data.get("unit") or value
        # Who handles exceptions writes no crosswalks in general; this one follows from the
        # case, and his right to decide it was checked.
        self.env["integration.crosswalk"]._learn(
            self.exception_id.sudo().system_id, domain, value, _our_value(record)
        )

    def _remember_identifier(self, record):
        data = self.exception_id.cause_data
        kind, value = (data.get("identifier") or [None, None])[:2]
        kind = kind or self._identifier_kind(data)
        value = value or data.get("unit") or data["external_value"]
        system = self.exception_id.sudo().system_id
        taken = self.env["integration.identifier"]._find(
            system, [(kind, value)], record._name
        )
        if taken:
            raise UserError(
                self.env._(
                    "This identifier belongs to another record already; remember it in "
                    "the crosswalk."
                )
            )
        self.env["integration.identifier"].sudo().create(
            {
                "system_id": system.id,
                "kind": kind,
                "value": value,
                "res_model": record._name,
                "res_id": record.id,
            }
        )
        if not data.get("identifier"):
            # The partner sends no identifier, so the record would not be found by it.
            self._remember_crosswalk(record)

    @staticmethod
    def _identifier_kind(data):
        return "item_number" if data.get("kind") == "item" else data.get("kind")

    def _remember_supplier_code(self, record):
        """Write the code into the vendor price, with the user's own right to do so."""
        data = self.exception_id.cause_data
        code, supplier_id = data.get("supplier_code"), data.get("supplier_id")
        if record._name != "product.product" or not (code and supplier_id):
            raise UserError(self.env._("The partner has sent no supplier's code."))
        prices = self.env["product.supplierinfo"].with_company(
            self.exception_id.company_id or self.env.company
        )
        known = prices.search(
            [
                ("partner_id", "=", supplier_id),
                ("product_tmpl_id", "=", record.product_tmpl_id.id),
                ("product_id", "in", [False, record.id]),
                ("product_code", "in", [False, code]),
            ],
            limit=1,
        )
        if known:
            known.product_code = code
            return
        prices.create(
            {
                "partner_id": supplier_id,
                "product_tmpl_id": record.product_tmpl_id.id,
                "product_id": record.id,
                "product_code": code,
            }
        )


def _our_value(record):
    """Return how our side of a crosswalk names a record: readable where that is unique."""
    name = {"product.product": "default_code", "uom.uom": "unece_code"}.get(
        record._name
    )
    text = name and record[name]
    if text and "," not in text:
        alike = record.sudo().with_context(active_test=False)
        if alike.search_count([(name, "=", text)], limit=2) == 1:
            return text
    return f"{record._name},{record.id}"


class IntegrationReferenceMatchCandidate(models.TransientModel):
    """One record that may be meant."""

    _name = "integration.reference.match.candidate"
    _description = "Candidate for What a Partner Means"
    _order = "sequence, id"

    match_id = fields.Many2one(
        "integration.reference.match", required=True, ondelete="cascade"
    )
    sequence = fields.Integer()
    res_id = fields.Integer(required=True)
    name = fields.Char()
    why = fields.Char()

    def action_choose(self):
        """Take this one over into the wizard, which stays open."""
        self.ensure_one()
        match = self.match_id
        match[FIELDS[match._kind().name]] = self.res_id
        return match._reopen()
