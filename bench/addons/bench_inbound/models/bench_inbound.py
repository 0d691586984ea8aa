# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo import fields, models


class BenchInbound(models.Model):
    """Where the peers keep what they get: one row, nothing else."""

    _name = "bench.inbound"
    _description = "Bench: What Came In"

    body = fields.Text()
