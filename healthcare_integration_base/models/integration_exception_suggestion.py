# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from collections import Counter

from odoo import fields, models
from odoo.fields import Domain

from ..engine import cases

LOOKED_AT = 200


class IntegrationException(models.Model):
    """What resolved the same cause before."""

    _inherit = "integration.exception"

    suggestion = fields.Text(
        compute="_compute_suggestion", help="How the same was settled before."
    )
    suggestion_kind = fields.Char(
        compute="_compute_suggestion", help="Key of the way it was settled."
    )
    suggestion_case_id = fields.Many2one(
        "integration.exception", "Settled Case", compute="_compute_suggestion"
    )
    suggestion_by_id = fields.Many2one("res.users", compute="_compute_suggestion")
    suggestion_at = fields.Datetime(compute="_compute_suggestion")
    suggestion_same = fields.Boolean(
        compute="_compute_suggestion", help="It was the very same cause."
    )
    suggestion_count = fields.Integer(
        compute="_compute_suggestion", help="How many cases were settled like that."
    )
    suggestion_total = fields.Integer(
        compute="_compute_suggestion", help="How many cases were settled by somebody."
    )
    suggestion_returned = fields.Integer(
        compute="_compute_suggestion",
        help="After how many of them the same cause came again.",
    )

    def _compute_suggestion(self):
        for case in self:
            settled, same = case._settled_before()
            how = Counter(one.resolution for one in settled).most_common(1)
            alike = settled.filtered(lambda one, how=how: one.resolution == how[0][0])
            case.suggestion = how[0][0] if how else False
            case.suggestion_case_id = alike[:1]
            case.suggestion_kind = alike[:1].resolution_kind
            case.suggestion_by_id = alike[:1].resolved_by_id
            case.suggestion_at = alike[:1].resolved_at
            case.suggestion_same = same
            case.suggestion_count = len(alike)
            case.suggestion_total = len(settled)
            case.suggestion_returned = case._returned(alike)

    def _settled_before(self):
        """Return cases that somebody settled, newest first, and whether of the same cause."""
        nothing = self.browse()
        if not self.id or self.state not in cases.OPEN:
            return nothing, False
        somebody = (
            Domain("state", "=", "resolved")
            & Domain("resolved_by_id", "!=", False)
            & Domain("resolution", "!=", False)
            & Domain("id", "!=", self.id)
        )
        order = {"order": "resolved_at desc, id desc", "limit": LOOKED_AT}
        same = Domain("fingerprint", "=", self.fingerprint)
        alike = Domain("code", "=", self.code) & Domain(
            "system_id", "=", self.system_id.id
        )
        found = self.search(somebody & same, **order)
        if found:
            return found, True
        return self.search(somebody & alike, **order), False

    def _returned(self, settled):
        """Return after how many of these cases the same cause came again."""
        again = self.env["integration.exception"]._read_group(
            [("previous_id", "in", settled.ids)], ["previous_id"], []
        )
        return len(again)

    def action_do_as_before(self):
        """Do again what settled the same before, where that is a replay.

        :raises AccessError: the user does not handle exceptions
        :raises UserError: there is no message left
        """
        return self.action_replay_all()
