# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo import fields, models


class UomUom(models.Model):
    _inherit = "uom.uom"

    unece_code = fields.Char(
        "UN/ECE Code",
        size=3,
        help="Code of the unit in UN/ECE Recommendation 20 or 21, as partners expect it, "
        "e.g. C62 (one), BX (box), KGM (kilogram).",
    )

    _unece_code_format = models.Constraint(
        "CHECK(unece_code IS NULL OR unece_code ~ '^[A-Z0-9]{2,3}$')",
        "A UN/ECE unit code has two or three capital letters or digits, e.g. C62.",
    )
