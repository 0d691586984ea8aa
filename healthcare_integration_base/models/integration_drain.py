# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo import models


class IntegrationDrain(models.AbstractModel):
    """Entry points of the delivery engine: wake-up, job, sweep."""

    _name = "integration.drain"
    _description = "Integration Drain"
