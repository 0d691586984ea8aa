# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo import api, models


class IntegrationApi(models.AbstractModel):
    """What the system APIs of all installed connectors publish."""

    _name = "integration.api"
    _description = "System APIs"

    @api.model
    def _resources(self):
        """Return the resources that clients may read; connectors add theirs.

        Called for each request: build the dataclasses once, at import.

        :return: dict of name → :class:`~..engine.resource.Resource`
        """
        return {}

    @api.model
    def _validators(self):
        """Return what ``POST /integration/v1/validations`` can check; connectors add theirs.

        A validator is called in the client's acting environment with a list of texts and
        answers a dict of text → :class:`~..engine.validation.Verdict`.

        :return: dict of kind (``account``) → function (env, values) → verdicts
        """
        return {}

    @api.model
    def _enabled(self):
        """Return the resources an administrator has not switched off."""
        off = self.env["integration.api.resource"]._switched_off()
        return {
            name: resource
            for name, resource in self._resources().items()
            if name not in off
        }
