# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo import models


class IntegrationEmitter(models.AbstractModel):
    """Mixin: a model whose business methods publish events."""

    _name = "integration.emitter"
    _description = "Integration Emitter"
