# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo import api, fields, models
from odoo.exceptions import AccessError

ACCOUNTANT = "account.group_account_manager"
# Whose tolerances they are counts as much as how far they go.
WHOSE = ("company_id", "partner_id")


class SupplyTolerance(models.Model):
    """How far a supplier's bill may be from order and receipt before a person decides."""

    _inherit = "supply.tolerance"

    invoice_price_percent = fields.Float("Billed Price (%)", digits=(5, 2), default=2.0)
    invoice_price_amount = fields.Float(
        "Billed Price (Amount)",
        digits=(16, 2),
        help="For the whole line, in the currency of the bill. A price is within the "
        "tolerance if it is within the percentage or within the amount.",
    )
    invoice_quantity_percent = fields.Float(
        "Billed Quantity (%)",
        digits=(5, 2),
        help="How much more may be billed than was received and is not billed yet.",
    )
    invoice_quantity_amount = fields.Float("Billed Quantity (Amount)", digits=(16, 2))
    invoice_charge_amount = fields.Float(
        "Charges (Amount)",
        digits=(16, 2),
        help="Freight, handling and other charges of a bill that nobody ordered.",
    )
    invoice_total_amount = fields.Float(
        "Tax and Total (Amount)",
        digits=(16, 2),
        default=0.05,
        help="How far the tax and the total that the supplier states may be from those "
        "of the bill; roundings differ.",
    )

    _invoice_not_negative = models.Constraint(
        "CHECK(invoice_price_percent >= 0 AND invoice_price_amount >= 0"
        " AND invoice_quantity_percent >= 0 AND invoice_quantity_amount >= 0"
        " AND invoice_charge_amount >= 0 AND invoice_total_amount >= 0)",
        "A tolerance cannot be negative.",
    )

    @api.model
    def _invoice_names(self):
        return [name for name in self._fields if name.startswith("invoice_")]

    @api.model_create_multi
    def create(self, vals_list):
        """Give suppliers of whom buyers make rows the bills' tolerances they had before.

        :raises AccessError: a buyer sets a tolerance of bills
        """
        if self._integration_may_set():
            return super().create(vals_list)
        return super().create([self._with_known(vals) for vals in vals_list])

    def write(self, vals):
        """Leave the tolerances of bills to accounting: who orders does not loosen them.

        :raises AccessError: a buyer changes a tolerance of bills
        """
        guarded = {*self._invoice_names(), *WHOSE}
        changed = any(
            self._fields[name].convert_to_write(row[name], row) != vals[name]
            for row in self
            for name in guarded & vals.keys()
        )
        if changed and not self._integration_may_set():
            raise self._refusal()
        return super().write(vals)

    def _integration_may_set(self):
        return self.env.su or self.env.user.has_group(ACCOUNTANT)

    def _with_known(self, vals):
        company = self.env["res.company"].browse(vals.get("company_id"))
        known = self._for(
            company or self.env.company,
            self.env["res.partner"].browse(vals.get("partner_id") or []),
        )
        names = self._invoice_names()
        # pylint: disable-next=context-overridden
        usual = self.with_context({}).default_get(names)  # no defaults of the caller
        for name in names:
            said = vals.get(name, known[name])
            if said not in (known[name], usual.get(name, 0.0)):
                raise self._refusal()
        return {**vals, **{name: known[name] for name in names}}

    def _refusal(self):
        return AccessError(
            self.env._("Tolerances of bills are set by accounting administrators only.")
        )
