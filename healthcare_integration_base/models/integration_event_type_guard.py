# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
import re

from odoo import api, fields, models
from odoo.exceptions import ValidationError

from .. import runtime
from ..protocol.errors import Rejected

PATH = re.compile(r"[A-Za-z_][\w-]*(\.[A-Za-z_][\w-]*)*", re.ASCII)
LONGEST_KEY = 500


class IntegrationEventType(models.Model):
    """Incoming types that tell a state: what is older than the newest is not applied."""

    _inherit = "integration.event.type"

    stale_guard = fields.Boolean(
        "Refuse Stale Messages",
        help="A message that is older than the newest applied one about the same thing is "
        "filtered. For types that tell a state: levels, masters, milestones. Needs the time "
        "of the event: CloudEvents time.",
    )
    stale_key_path = fields.Char(
        "Same Thing By",
        help="Paths in the canonical data that say what the state is of, joined by commas, "
        "e.g. purchase_order or location.code, item.code",
    )

    @api.constrains("stale_guard", "stale_key_path", "direction")
    def _check_stale_guard(self):
        for event_type in self.filtered("stale_guard"):
            if event_type.direction != "in":
                raise ValidationError(
                    self.env._("Only incoming types can refuse stale messages.")
                )
            paths = event_type._stale_paths()
            if not paths or not all(map(PATH.fullmatch, paths)):
                raise ValidationError(
                    self.env._(
                        "Say by which fields two messages are about the same thing, e.g. "
                        "purchase_order or location.code, item.code."
                    )
                )

    def _stale_paths(self):
        return [path.strip() for path in (self.stale_key_path or "").split(",")]

    def _guard_against_stale(self, message, data, occurred_at=None):
        """Let a message of this type pass unless it is older than what was applied.

        :param message: the integration.message
        :param data: its canonical data
        :param occurred_at: see ``integration.freshness._check``
        :raises Filtered: ``stale``
        :raises Rejected: ``stale_key_missing``, naming the path
        """
        if not self.stale_guard:
            return
        parts = [self._stale_part(data, path) for path in self._stale_paths()]
        key = " ".join(parts)
        if self.sensitivity == "phi":
            key = runtime.keyring().keyed_hash(key, "freshness")
        key = f"{self.code} {key}"[:LONGEST_KEY]
        self.env["integration.freshness"]._check(message, key, occurred_at)

    def _stale_part(self, data, path):
        value = data
        for name in path.split("."):
            value = value.get(name) if isinstance(value, dict) else None
        if isinstance(value, (dict, list)) or value in (None, ""):
            raise Rejected(
                "The message does not say what its state is of, so its age cannot be judged.",
                code="stale_key_missing",
                details=[
                    {"path": "/" + path.replace(".", "/"), "message": "is missing"}
                ],
            )
        return str(value)
