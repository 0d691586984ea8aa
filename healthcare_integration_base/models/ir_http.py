# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from werkzeug.exceptions import HTTPException

from odoo import models

from ..controllers import problem


class IrHttp(models.AbstractModel):
    _inherit = "ir.http"

    @classmethod
    def _match(cls, path_info):
        """Answer unknown partner routes and methods in problem+json, never with a web page."""
        try:
            return super()._match(path_info)
        except HTTPException as exc:
            if not problem.is_ours(path_info):
                raise
            raise problem.no_route(exc) from exc
