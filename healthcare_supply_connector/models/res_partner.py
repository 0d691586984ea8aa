# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError

from ..payloads import master

CREATED = "supply.supplier.created"
UPDATED = "supply.supplier.updated"
APPROVED = "supply.supplier.approved"
WATCHED = (
    "name",
    "ref",
    "vat",
    "street",
    "street2",
    "city",
    "zip",
    "state_id",
    "country_id",
    "email",
    "phone",
    "website",
    "lang",
    "active",
    "is_company",
    "global_location_number",
)
STATES = [
    ("draft", "Not Assessed"),
    ("pending", "Approval Requested"),
    ("approved", "Approved"),
    ("blocked", "Blocked"),
]
TRANSITIONS = {
    "draft": {"pending", "approved", "blocked"},
    "pending": {"draft", "approved", "blocked"},
    "approved": {"draft", "blocked"},
    "blocked": {"draft", "pending", "approved"},
}
STAMPS = {"supplier_approval_by_id", "supplier_approval_at"}
NOT_ASSESSED = {"supplier_approval_state": "draft", **dict.fromkeys(STAMPS, False)}
GROUP_APPROVER = "healthcare_supply_connector.group_supplier_approver"


class ResPartner(models.Model):
    """Suppliers: their approval and the events about them.

    The approval belongs to the commercial partner and holds for all companies of the
    database: the quality decision is made once. What follows from it at order
    confirmation is a setting of each company.
    """

    _name = "res.partner"
    _inherit = ["res.partner", "integration.document"]

    supplier_approval_state = fields.Selection(
        STATES, default="draft", copy=False, tracking=True, index="btree_not_null"
    )
    supplier_approval_by_id = fields.Many2one(
        "res.users", "Decided by", readonly=True, copy=False, ondelete="set null"
    )
    supplier_approval_at = fields.Datetime(
        "Decided at", readonly=True, copy=False, tracking=True
    )
    supplier_approval_note = fields.Text("Approval Note", copy=False)

    @api.model
    def _integration_builders(self):
        return dict.fromkeys((CREATED, UPDATED, APPROVED), master.suppliers)

    @api.model_create_multi
    def create(self, vals_list):
        # Given explicitly, or the context's default_… would decide.
        vals_list = [
            {**NOT_ASSESSED, **self._supplier_approval_stamped(vals, new=True)}
            for vals in vals_list
        ]
        partners = super().create(vals_list)
        partners.filtered(lambda partner: partner.supplier_rank > 0)._integration_emit(
            CREATED
        )
        return partners

    def write(self, vals):
        vals = self._supplier_approval_stamped(vals)
        # The rank of a known supplier rises with each bill: only its first step counts.
        watched = self._integration_watched(vals)
        before = (
            self._integration_before(watched, CREATED, UPDATED) if watched else None
        )
        approved = self._integration_not_approved(vals)
        result = super().write(vals)
        if before is not None:
            self._integration_emit_written(before, watched)
        if approved:
            approved._integration_emit(APPROVED)
        return result

    def _integration_watched(self, vals):
        names = [name for name in WATCHED if name in vals and name in self._fields]
        if vals.get("supplier_approval_state", "approved") != "approved":
            names.append("supplier_approval_state")
        if names or vals.get("supplier_rank"):
            names.append("supplier_rank")
        return names

    def _integration_emit_written(self, before, names):
        """Emit created for new suppliers, updated for changed ones; the rank comes last."""
        new = self.filtered(lambda p: p.supplier_rank > 0 and not before[p.id][-1])
        new._integration_emit(CREATED)
        known = {key: values[:-1] for key, values in before.items()}
        changed = (self - new)._integration_changed(known, names[:-1])
        changed.filtered(lambda p: p._integration_is_supplier())._integration_emit(
            UPDATED
        )

    def _integration_is_supplier(self):
        return self.supplier_rank > 0 or self.supplier_approval_state not in (
            False,
            "draft",
        )

    def _integration_not_approved(self, vals):
        """Return who becomes approved by these values."""
        if vals.get("supplier_approval_state") != "approved":
            return self.browse()
        return self.filtered(
            lambda partner: partner.supplier_approval_state != "approved"
        )

    # -- approval -----------------------------------------------------------

    def _supplier_approval_stamped(self, vals, new=False):
        """Return the values with who decided and when; refuse what is not allowed.

        :raise AccessError: without the approver's group, or when the stamps are given
        :raise UserError: when the step is not foreseen
        """
        if not self.env.su and STAMPS & vals.keys():
            raise AccessError(
                self.env._("Who approved a supplier, and when, cannot be entered.")
            )
        state = vals.get("supplier_approval_state")
        if not state or (new and state == "draft"):
            return vals
        self._supplier_approval_check(state)
        return {
            **vals,
            "supplier_approval_by_id": self.env.uid,
            "supplier_approval_at": fields.Datetime.now(),
        }

    def _supplier_approval_check(self, state):
        if not self.env.su and not self.env.user.has_group(GROUP_APPROVER):
            raise AccessError(
                self.env._(
                    "Only members of the group Supplier Approver decide on suppliers."
                )
            )
        for partner in self:
            current = partner.supplier_approval_state or "draft"
            if state != current and state not in TRANSITIONS[current]:
                raise UserError(
                    self.env._(
                        "%(partner)s cannot go from %(old)s to %(new)s.",
                        partner=partner.display_name,
                        old=dict(STATES)[current],
                        new=dict(STATES)[state],
                    )
                )

    def action_request_supplier_approval(self):
        """Ask for the approval: for buyers, who cannot decide on it.

        :raise AccessError: for who is no purchase user
        """
        if not self.env.user.has_group("purchase.group_purchase_user"):
            raise AccessError(
                self.env._("Only purchase users ask for the approval of a supplier.")
            )
        self.check_access("read")
        self.commercial_partner_id.sudo().write({"supplier_approval_state": "pending"})
        return True

    def action_approve_supplier(self):
        """Approve the suppliers.

        :raise AccessError: without the approver's group
        """
        return self._supplier_approval_decide("approved")

    def action_block_supplier(self):
        """Block the suppliers.

        :raise AccessError: without the approver's group
        """
        return self._supplier_approval_decide("blocked")

    def action_reset_supplier_approval(self):
        """Take the decision back: the suppliers have to be assessed anew.

        :raise AccessError: without the approver's group
        """
        return self._supplier_approval_decide("draft")

    def _supplier_approval_decide(self, state):
        self.check_access("read")
        suppliers = self.commercial_partner_id
        suppliers._supplier_approval_check(state)
        # Approvers need no right to edit contacts; their own right was checked above.
        return suppliers.sudo().write({"supplier_approval_state": state})
