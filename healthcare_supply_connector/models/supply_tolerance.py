# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo import api, fields, models


class SupplyTolerance(models.Model):
    """How far a partner's answer may be from what was agreed before a person decides.

    One row per company, and one per supplier for whom something else was agreed.
    """

    _name = "supply.tolerance"
    _description = "Supply Tolerance"
    _order = "company_id, partner_id nulls first, id"
    _rec_name = "partner_id"
    _check_company_auto = True

    company_id = fields.Many2one(
        "res.company", required=True, default=lambda self: self.env.company, index=True
    )
    partner_id = fields.Many2one(
        "res.partner",
        "Supplier",
        index="btree_not_null",
        ondelete="cascade",
        check_company=True,
        domain="[('parent_id', '=', False)]",
        help="Empty: all suppliers that have no row of their own.",
    )
    price_percent = fields.Float("Price (%)", digits=(5, 2))
    price_amount = fields.Float(
        "Price (Amount)",
        digits="Product Price",
        help="Per unit, in the currency of the order. A price is within the tolerance "
        "if it is within the percentage or within the amount.",
    )
    price_policy = fields.Selection(
        [("none", "Keep the order's price"), ("auto", "Take over within tolerance")],
        default="none",
        required=True,
    )
    quantity_percent = fields.Float(
        "Quantity (%)",
        digits=(5, 2),
        help="How much less than ordered may be confirmed.",
    )
    delay_days = fields.Integer(
        "Delay (Days)",
        default=7,
        help="A later date within so many days is taken over.",
    )
    over_receipt_percent = fields.Float(
        "Over-Receipt (%)",
        digits=(5, 2),
        help="How much more than ordered may be received.",
    )
    minimum_shelf_life_days = fields.Integer(
        "Minimum Shelf Life (Days)",
        help="Goods that arrive with less left until their expiry date are shown to a "
        "person. A product may have its own value. 0: no check.",
    )

    _scope_uniq = models.UniqueIndex(
        "(company_id, COALESCE(partner_id, 0))",
        "There are tolerances for this company and supplier already.",
    )
    _not_negative = models.Constraint(
        "CHECK(price_percent >= 0 AND price_amount >= 0 AND quantity_percent >= 0"
        " AND delay_days >= 0 AND over_receipt_percent >= 0"
        " AND minimum_shelf_life_days >= 0)",
        "A tolerance cannot be negative.",
    )

    @api.depends("company_id", "partner_id")
    def _compute_display_name(self):
        for tolerance in self:
            tolerance.display_name = tolerance.partner_id.display_name or self.env._(
                "All suppliers"
            )

    @api.model
    def _for(self, company, partner):
        """Return the tolerances for a supplier: his own, else the company's, else the defaults.

        :param company: whose tolerances
        :param partner: supplier or one of his contacts
        :return: one row, as superuser; a new one where nothing is set
        """
        supplier = partner.commercial_partner_id
        rows = self.sudo().search(
            [
                ("company_id", "=", company.id),
                ("partner_id", "in", [False, supplier.id]),
            ]
        )
        return (
            rows.filtered("partner_id")
            or rows
            or self.sudo().new({"company_id": company.id})
        )

    def _price_fits(self, price, agreed):
        """Tell whether a price is not further from the agreed one than is tolerated."""
        difference = abs(price - agreed)
        allowed = max(self.price_amount, abs(agreed) * self.price_percent / 100)
        return difference <= allowed + 1e-9

    def _quantity_fits(self, quantity, agreed):
        """Tell whether a smaller quantity is not further from the agreed one than is tolerated."""
        return quantity >= agreed * (1 - self.quantity_percent / 100) - 1e-9
