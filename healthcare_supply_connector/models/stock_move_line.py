# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError

IN_STOCK = ("internal", "transit")
IN_USE = ("customer", "production")
# What Odoo moves at once when it is changed on a transfer that is done.
MOVING = frozenset(
    (
        "lot_id",
        "lot_name",
        "quant_id",
        "quantity",
        "product_uom_id",
        "location_id",
        "location_dest_id",
    )
)


class StockMoveLine(models.Model):
    _inherit = "stock.move.line"

    shipment_notice_id = fields.Many2one(
        "stock.shipment.notice",
        copy=False,
        readonly=True,
        index="btree_not_null",
        ondelete="set null",
        help="The ship notice that proposed this line.",
    )

    # -- quality hold -------------------------------------------------------------------

    def _moves_held_lot(self):
        """Tell whether a lot on quality hold would be used.

        That is: taken from stock for anything but scrap, inventory, return to the supplier
        or quarantine; or used or delivered from wherever it is.
        """
        return bool(self._held_lot())

    def _held_lot(self):
        """Return the lot on quality hold that the line would use; empty if none."""
        leaves = self.location_id.usage in IN_STOCK
        if (
            not (leaves or self.location_dest_id.usage in IN_USE)
            or self.location_dest_id._takes_held_lots()
            or self.product_uom_id.is_zero(self.quantity)
        ):
            return self.lot_id.browse()
        return (self.lot_id or self._lot_named()).filtered("on_hold")

    def _lot_named(self):
        """Return the existing lot of a line that only names it, as Odoo will find it."""
        lots = self.env["stock.lot"]
        if not self.lot_name:
            return lots
        return lots.search(
            [
                ("product_id", "=", self.product_id.id),
                ("name", "=", self.lot_name),
                ("company_id", "in", [False, self.company_id.id]),
            ],
            limit=1,
        )

    def _held_message(self, lot):
        return self.env._(
            "Lot %(lot)s of %(item)s is on quality hold (%(reason)s). It can only be moved "
            "to quarantine, scrapped or returned to the supplier.",
            lot=lot.name,
            item=self.product_id.display_name,
            reason=lot.hold_reason,
        )

    @api.constrains("lot_id", "lot_name", "quantity", "location_id", "location_dest_id")
    def _check_lot_not_held(self):
        for line in self.filtered(lambda one: one.state not in ("done", "cancel")):
            held = line._held_lot()
            if held:
                raise ValidationError(line._held_message(held))

    @api.model_create_multi
    def create(self, vals_list):
        """Refuse to add lots on hold to what is done.

        :raises UserError: names lot and reason
        """
        lines = super().create(vals_list)
        lines.filtered(lambda line: line.state == "done")._refuse_held()
        return lines

    def write(self, vals):
        """Refuse to use more of lots on hold in what is done; less is a correction.

        :raises UserError: names lot and reason
        """
        done = self.browse()
        if MOVING & vals.keys():
            done = self.filtered(lambda line: line.state == "done")
        before = {line: (line._way(), line.quantity_product_uom) for line in done}
        result = super().write(vals)
        for line, (way, quantity) in before.items():
            more = line.product_id.uom_id.compare(line.quantity_product_uom, quantity)
            if line._way() != way or more > 0:
                line._refuse_held()
        return result

    def _way(self):
        return self.lot_id, self.location_id, self.location_dest_id

    def _refuse_held(self):
        for line in self:
            held = line._held_lot()
            if held:
                raise UserError(line._held_message(held))

    def _action_done(self):
        """Refuse to move lots on hold into use.

        :raises UserError: names lot and reason
        """
        self._refuse_held()
        return super()._action_done()
