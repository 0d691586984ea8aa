# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo import fields, models

BUSINESS_STATES = [
    ("awaiting", "Awaiting"),
    ("accepted", "Accepted"),
    ("rejected", "Rejected"),
    ("posted", "Posted"),
]


class IntegrationMessage(models.Model):
    """What the partner's business made of a delivered message; empty: nothing is known.

    *Delivered* says that the partner has the bytes; this says what came of them.
    """

    _inherit = "integration.message"

    business_state = fields.Selection(
        BUSINESS_STATES,
        "Acknowledgement",
        readonly=True,
        help="What the partner has done with it. Empty: it has said nothing, and nothing "
        "is waited for.",
    )
    partner_reference = fields.Char("Partner's Reference", readonly=True)
    acknowledged_at = fields.Datetime("Acknowledged", readonly=True)
    acknowledgement_due_at = fields.Datetime(
        "Acknowledgement Due",
        readonly=True,
        help="Until when the partner should have acknowledged it; empty once it has.",
    )
    acknowledgement_overdue = fields.Boolean(
        "Overdue", readonly=True, help="It is in a case about missing acknowledgements."
    )
    acknowledgement_ids = fields.One2many(
        "integration.acknowledgement",
        "message_id",
        "Acknowledgements",
        readonly=True,
    )

    _acknowledgement_due_idx = models.Index(
        "(acknowledgement_due_at) WHERE acknowledgement_due_at IS NOT NULL"
    )
    _business_state_idx = models.Index(
        "(business_state, id) WHERE business_state IS NOT NULL"
    )
