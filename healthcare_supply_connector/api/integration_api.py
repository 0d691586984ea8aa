# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo import api, models

from . import finance, master, purchasing, stock, validation

RESOURCES = {
    resource.name: resource
    for resource in (
        *master.RESOURCES,
        *purchasing.RESOURCES,
        *stock.RESOURCES,
        *finance.RESOURCES,
    )
}


class IntegrationApi(models.AbstractModel):
    _inherit = "integration.api"

    @api.model
    def _resources(self):
        return super()._resources() | RESOURCES

    @api.model
    def _validators(self):
        return super()._validators() | validation.VALIDATORS
