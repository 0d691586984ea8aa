# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo import models

NAMES = {
    "product.product": ("default_code", "barcode"),
    "stock.location": ("complete_name", "barcode"),
    "account.account": ("code",),
    "account.analytic.account": ("code", "name"),
}


class IntegrationTableImport(models.TransientModel):
    """Finds products, places and accounts by the names people give them in lists."""

    _inherit = "integration.table.import"

    def _naming_fields(self, model):
        """Return the fields by which people name a record of goods or ledger."""
        return NAMES.get(model) or super()._naming_fields(model)
