# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo import fields, models


class StockLotHoldWizard(models.TransientModel):
    """Why lots are put on hold or released."""

    _name = "stock.lot.hold.wizard"
    _description = "Hold or Release Lots"

    lot_ids = fields.Many2many("stock.lot", required=True, readonly=True)
    action = fields.Selection(
        [("placed", "Hold"), ("released", "Release")], required=True, readonly=True
    )
    reason = fields.Char(required=True)
    reference = fields.Char(help="The number of the complaint, recall or test.")

    def action_confirm(self):
        """Hold or release the lots.

        :raises AccessError: the user is no quality controller
        """
        self.ensure_one()
        lots, vals = self.lot_ids, {"reference": self.reference}
        if self.action == "placed":
            lots._place_hold(self.reason, **vals)
        else:
            lots._release_hold(self.reason, **vals)
        return {"type": "ir.actions.act_window_close"}
