# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo import api, models


class IntegrationCaptured(models.AbstractModel):
    """Mixin: configuration that capture keeps in its cache.

    The cache is filled from fresh cursors, so it must be cleared when the change is
    committed, too: in between another thread may have filled it with the old state.
    """

    _name = "integration.captured"
    _description = "Configuration in the Capture Cache"

    # Fields that matter to capture.
    _integration_captured_fields = ()

    @api.model_create_multi
    def create(self, vals_list):
        records = super().create(vals_list)
        records._integration_clear_capture()
        return records

    def write(self, vals):
        matters = self._integration_matters_to_capture(vals)
        result = super().write(vals)
        if matters:
            self._integration_clear_capture()
        return result

    def unlink(self):
        result = super().unlink()
        self._integration_clear_capture()
        return result

    def _integration_matters_to_capture(self, vals):
        """Tell whether a change touches what is cached.

        Of the states only draft does: pausing and disabling, which run-time state can
        cause, must not drop the caches of all processes.
        """
        names = {name for name in self._integration_captured_fields if name in vals}
        if names != {"state"}:
            return bool(names)
        return vals["state"] == "draft" or any(
            record.state == "draft" for record in self
        )

    def _integration_clear_capture(self):
        """Clear the cache now, and again after the commit."""
        self.env.flush_all()
        registry, postcommit = self.env.registry, self.env.cr.postcommit
        registry.clear_cache()
        if not postcommit.data.get("integration.capture"):
            postcommit.data["integration.capture"] = True
            postcommit.add(registry.clear_cache)
