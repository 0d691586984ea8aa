# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo import api, models

CARRIED = ("integration_origin", "integration_correlation", "integration_causation")


class Base(models.AbstractModel):
    _inherit = "base"

    @api.model
    def _job_prepare_context_before_enqueue_keys(self):
        """Let a job know whose change it carries on, so that it is not echoed there."""
        return (*super()._job_prepare_context_before_enqueue_keys(), *CARRIED)
