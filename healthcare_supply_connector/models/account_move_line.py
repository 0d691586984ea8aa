# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo import fields, models


class AccountMoveLine(models.Model):
    _inherit = "account.move.line"

    integration_charge = fields.Boolean(
        "Charge of the Supplier",
        readonly=True,
        help="Freight, handling and the like, which no order has.",
    )
