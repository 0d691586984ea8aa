# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo import fields, models


class StockLocation(models.Model):
    _inherit = "stock.location"

    quality_quarantine = fields.Boolean(
        "Quarantine",
        help="Lots on quality hold may be moved here, and nowhere else within the company.",
    )

    def _takes_held_lots(self):
        """Tell whether lots on quality hold may go there: out of use or back to the supplier."""
        return self.quality_quarantine or self.usage in ("inventory", "supplier")
