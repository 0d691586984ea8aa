# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo import api, fields, models
from odoo.exceptions import UserError

from ..inbound import stock_levels


class StockLevelReportLine(models.Model):
    """One item, or one lot of it, as reported and as in our stock."""

    _name = "stock.level.report.line"
    _description = "Stock Level Report Line"
    _order = "is_different desc, product_id, lot_name, id"
    _rec_name = "product_id"

    report_id = fields.Many2one(
        "stock.level.report", required=True, ondelete="cascade", index=True
    )
    company_id = fields.Many2one(related="report_id.company_id", store=True)
    product_id = fields.Many2one("product.product", required=True, ondelete="restrict")
    product_uom_id = fields.Many2one(related="product_id.uom_id")
    lot_id = fields.Many2one("stock.lot", "Our Lot", ondelete="set null")
    lot_name = fields.Char("Reported Lot")
    ours = fields.Float("Our Quantity", digits="Product Unit")
    theirs = fields.Float("Reported Quantity", digits="Product Unit")
    difference = fields.Float(
        digits="Product Unit", compute="_compute_difference", store=True
    )
    is_different = fields.Boolean(compute="_compute_difference", store=True)
    currency_id = fields.Many2one(related="company_id.currency_id")
    value = fields.Monetary(
        "Value of the Difference", compute="_compute_difference", store=True
    )
    adjusted_at = fields.Datetime(readonly=True)
    adjusted_by_id = fields.Many2one("res.users", readonly=True)

    @api.depends("ours", "theirs")
    def _compute_difference(self):
        for line in self:
            uom = line.product_id.uom_id
            line.difference = uom.round(line.theirs - line.ours)
            line.is_different = not uom.is_zero(line.difference)
            cost = line.product_id.with_company(line.company_id).sudo().standard_price
            line.value = line.difference * cost

    def action_adjust(self):
        """Adjust our stock of these lines to what was reported, by inventory adjustments.

        :raises AccessError: the user does not manage the stock
        :raises UserError: nothing differs, stock has moved since, a lot is not told
        """
        self.report_id._check_adjustable()
        lines = self.filtered(lambda line: line.is_different and not line.adjusted_at)
        if not lines:
            raise UserError(self.env._("There is no difference left to adjust."))
        for line in lines:
            line._adjust()
        # reports are closed to users; the right is checked above
        lines.sudo().write(
            {"adjusted_at": fields.Datetime.now(), "adjusted_by_id": self.env.uid}
        )
        lines.report_id._settle_if_equal()
        return True

    def _adjust(self):
        self._check_adjustable()
        left = self.difference
        for quant in self._quants():
            change = left if left > 0 else max(left, -quant.quantity)
            self._set_quantity(quant, quant.quantity + change)
            left = self.product_id.uom_id.round(left - change)
            if self.product_id.uom_id.is_zero(left):
                return
        if left > 0:
            self._create_quant(left)

    def _check_adjustable(self):
        product = self.product_id
        if product.tracking != "none" and not self.lot_name:
            raise UserError(
                self.env._(
                    "%s is tracked by lots, and the report does not tell which: count it.",
                    product.display_name,
                )
            )
        now = stock_levels.on_hand(self.report_id.location_id, product, self.lot_name)
        if product.uom_id.compare(now, self.ours) != 0:
            raise UserError(
                self.env._(
                    "%s has moved since the report was compared: wait for the next report.",
                    product.display_name,
                )
            )

    def _quants(self):
        """Return our stock of the line, the fullest place first."""
        return stock_levels.quants(
            self.report_id.location_id, self.product_id, self.lot_name
        ).sorted("quantity", reverse=True)

    def _create_quant(self, quantity):
        lot = self.lot_id
        if self.lot_name and not lot:
            lot = self.env["stock.lot"].create(
                {"product_id": self.product_id.id, "name": self.lot_name}
            )
        quants = self._inventory(self.env["stock.quant"])
        quants.create(
            {
                "product_id": self.product_id.id,
                "location_id": self._place().id,
                "lot_id": lot.id,
                "inventory_quantity": quantity,
            }
        )._apply_inventory()

    def _place(self):
        """Return where goods we knew nothing of are put: a view holds none itself."""
        location = self.report_id.location_id
        if location.usage == "view":
            return location.warehouse_id.lot_stock_id
        return location

    def _set_quantity(self, quant, quantity):
        quant = self._inventory(quant)
        quant.inventory_quantity = quantity
        quant._apply_inventory()

    def _inventory(self, quants):
        name = self.env._("Report %s", self.report_id.name)
        return quants.with_context(inventory_mode=True, inventory_name=name)
