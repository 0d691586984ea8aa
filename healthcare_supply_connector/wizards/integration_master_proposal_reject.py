# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo import fields, models


class IntegrationMasterProposalReject(models.TransientModel):
    """Say why proposals are rejected."""

    _name = "integration.master.proposal.reject"
    _description = "Reject Proposals"

    proposal_ids = fields.Many2many(
        "integration.master.proposal", "integration_proposal_reject_rel", required=True
    )
    reason = fields.Char(required=True)

    def action_reject(self):
        """Reject them all."""
        self.ensure_one()
        self.proposal_ids._reject(self.reason)
        return {"type": "ir.actions.act_window_close"}
