# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo import api, models


class IntegrationClientScope(models.Model):
    _inherit = "integration.client.scope"

    @api.model
    def _scopes(self):
        """Add a scope for each resource that is published."""
        resources = self.env["integration.api"]._resources().values()
        return super()._scopes() | {
            resource.scope: (self.env._("Read %s", resource.title.lower()), "out")
            for resource in resources
        }
