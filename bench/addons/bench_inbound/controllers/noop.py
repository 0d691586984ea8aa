# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo import http


class NoopController(http.Controller):
    """The least a route of Odoo can do: the limit of everybody else."""

    @http.route("/bench/noop", type="http", auth="none", methods=["POST"], csrf=False)
    def noop(self):
        """Answer 200 with nothing."""
        return ""
