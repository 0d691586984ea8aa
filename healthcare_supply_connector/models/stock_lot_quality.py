# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo import Command, api, fields, models
from odoo.exceptions import AccessError, UserError

from ..inbound import quality
from ..payloads import lot_hold

PLACED = "supply.quality.hold_placed"
RELEASED = "supply.quality.released"
HOLD_FIELDS = frozenset(("on_hold", "hold_reason", "hold_user_id", "hold_since"))
GROUPS = (
    "healthcare_supply_connector.group_quality_controller",
    "stock.group_stock_manager",
)


class StockLot(models.Model):
    """Quality hold: a lot on hold is neither reserved nor delivered.

    It can still be received, counted, scrapped, sent back to the supplier and moved to a
    quarantine location.
    """

    _inherit = "stock.lot"

    on_hold = fields.Boolean(
        copy=False, readonly=True, index="btree_not_null", tracking=True
    )
    hold_reason = fields.Char(copy=False, readonly=True, tracking=True)
    hold_user_id = fields.Many2one(
        "res.users", "Held by", copy=False, readonly=True, ondelete="restrict"
    )
    hold_since = fields.Datetime("Held since", copy=False, readonly=True)
    hold_ids = fields.One2many("stock.lot.hold", "lot_id", "Holds", readonly=True)

    @api.model
    def _integration_builders(self):
        return super()._integration_builders() | {
            PLACED: lot_hold.placed,
            RELEASED: lot_hold.released,
        }

    @api.model_create_multi
    def create(self, vals_list):
        self._refuse_hold_fields({name for vals in vals_list for name in vals})
        return super().create(vals_list)

    def write(self, vals):
        """Leave the hold to its buttons.

        :raises AccessError: a field of the hold is written
        """
        self._refuse_hold_fields(vals)
        return super().write(vals)

    def _refuse_hold_fields(self, names):
        if HOLD_FIELDS.intersection(names) and not self.env.su:
            raise AccessError(
                self.env._("Lots are held and released by their buttons.")
            )

    # -- hold and release -------------------------------------------------------------

    def action_hold(self):
        """Ask for the reason, then put the lots on hold.

        :return: the dialogue
        """
        return self._hold_dialogue("placed", self.env._("Put on Hold"))

    def action_release(self):
        """Ask for the reason, then release the lots.

        :return: the dialogue
        """
        return self._hold_dialogue("released", self.env._("Release"))

    def _hold_dialogue(self, action, name):
        self._check_quality()
        return {
            "type": "ir.actions.act_window",
            "name": name,
            "res_model": "stock.lot.hold.wizard",
            "view_mode": "form",
            "target": "new",
            "context": {
                "default_lot_ids": [Command.set(self.ids)],
                "default_action": action,
            },
        }

    def _place_hold(self, reason, **vals):
        """Put lots on hold: what was reserved of them is given back.

        :param str reason: why
        :param vals: ``reference``, ``system_id``, ``message_uid`` of the history
        :return: the lots that were not on hold
        :raises AccessError: the user may not
        :raises UserError: no reason
        """
        lots = self.filtered(lambda lot: not lot.on_hold)
        lots._record_hold("placed", reason, **vals)
        # the fields are closed to users; the right is checked above
        lots.sudo().write(
            {
                "on_hold": True,
                "hold_reason": reason.strip(),
                "hold_user_id": self.env.uid,
                "hold_since": fields.Datetime.now(),
            }
        )
        lots._unreserve_held()
        lots._integration_emit(PLACED)
        return lots

    def _release_hold(self, reason, **vals):
        """Release lots that are on hold; see ``_place_hold``."""
        lots = self.filtered("on_hold")
        lots._record_hold("released", reason, **vals)
        lots.sudo().write(
            {
                "on_hold": False,
                "hold_reason": False,
                "hold_user_id": False,
                "hold_since": False,
            }
        )
        lots._integration_emit(RELEASED)
        return lots

    def _record_hold(self, action, reason, **vals):
        self._check_quality()
        if not (reason or "").strip():
            raise UserError(self.env._("Say why."))
        self.env["stock.lot.hold"].sudo().create(
            [
                {
                    "lot_id": lot.id,
                    "action": action,
                    "reason": reason.strip(),
                    "user_id": self.env.uid,
                    **vals,
                }
                for lot in self
            ]
        )

    def _check_quality(self):
        self.check_access("write")
        if not self.env.su and not any(map(self.env.user.has_group, GROUPS)):
            raise AccessError(
                self.env._(
                    "Only quality controllers and inventory administrators hold and "
                    "release lots."
                )
            )

    def _unreserve_held(self):
        """Take the lots out of what is prepared, and look for others instead."""
        lines = self.env["stock.move.line"].search(
            [("lot_id", "in", self.ids), ("state", "not in", ("done", "cancel"))]
        )
        lines = lines.filtered(lambda line: line._moves_held_lot())
        if not lines:
            return
        moves, pickings = lines.move_id, lines.picking_id
        for picking in pickings:
            held = lines.filtered(lambda one, p=picking: one.picking_id == p).lot_id
            picking._tell_held(held)
        lines.unlink()
        moves._action_assign()

    # -- messages in --------------------------------------------------------------------

    @api.model
    def _integration_apply_quality_hold_requested(self, data, message):
        """Put a lot on hold.

        :param data: canonical data, valid against the schema of the event type
        :param message: the ``integration.message`` it came in
        :return: the lot
        :raise Rejected: item or lot unknown
        :raise Filtered: it is on hold already, or the request is stale
        """
        return quality.hold(self.env, data, message)

    @api.model
    def _integration_apply_quality_release_requested(self, data, message):
        """Release a lot that is on hold.

        :param data: canonical data, valid against the schema of the event type
        :param message: the ``integration.message`` it came in
        :return: the lot
        :raise Rejected: item or lot unknown
        :raise Filtered: it is not on hold, or the request is stale
        """
        return quality.release(self.env, data, message)
