# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
import json
from typing import Annotated, Any

from fastapi import APIRouter, Depends

from odoo import fields, models
from odoo.api import Environment

from odoo.addons.fastapi.dependencies import odoo_env

router = APIRouter()


@router.post("/messages")
def keep(message: dict[str, Any], env: Annotated[Environment, Depends(odoo_env)]):
    """Keep a message as a row."""
    made = env["bench.inbound"].sudo().create({"body": json.dumps(message)})
    return {"id": made.id}


class FastapiEndpoint(models.Model):
    _inherit = "fastapi.endpoint"

    app = fields.Selection(
        selection_add=[("bench", "Bench")], ondelete={"bench": "cascade"}
    )

    def _get_fastapi_routers(self):
        if self.app == "bench":
            return [router]
        return super()._get_fastapi_routers()
