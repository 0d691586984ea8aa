# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo import models


class ResUsers(models.Model):
    _inherit = "res.users"

    def write(self, vals):
        """Let no client of an archived user in, from the commit on.

        Odoo drops its caches before the commit; another thread may have filled the
        book of callers with the old state by then.
        """
        result = super().write(vals)
        if "active" in vals:
            self.env.cr.postcommit.add(self.env.registry.clear_cache)
        return result
