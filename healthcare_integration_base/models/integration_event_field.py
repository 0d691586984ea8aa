# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo import api, fields, models
from odoo.exceptions import ValidationError

from ..engine import describe
from ..protocol.field_table import FieldRow
from .integration_mapping_line import TRANSFORMS


class IntegrationEventField(models.Model):
    """One row of an event type's field table: which field of the record goes where."""

    _name = "integration.event.field"
    _description = "Integration Event Field"
    _order = "sequence, id"
    _rec_name = "target"

    event_type_id = fields.Many2one(
        "integration.event.type", required=True, ondelete="cascade", index=True
    )
    model = fields.Char(related="event_type_id.model")
    sequence = fields.Integer(default=10)
    target = fields.Char(
        required=True, help="Path in the event's data, e.g. lead.contact.name"
    )
    source = fields.Char(
        "Field",
        help="Path of fields from the record, e.g. partner_id.name; what comes from a list "
        "goes into a list, e.g. child_ids.name into contacts[].name",
    )
    transform = fields.Selection(TRANSFORMS, default="none", required=True)
    default = fields.Char(help="Used where the field has no value.")
    required = fields.Boolean(help="Without a value the event is stored with an error.")

    def _to_ring1(self):
        return FieldRow(
            target=self.target or "",
            source=self._path(),
            transform=self.transform or "none",
            default=self.default or None,
            required=self.required,
        )

    def _path(self):
        """Return the source with [] after its lists."""
        model = self.env.get(self.event_type_id.model or "")
        return describe.with_brackets(model, self.source or "")

    @api.constrains("target", "source", "transform", "default", "required")
    def _check_row(self):
        self.event_type_id._check_field_table()
        for row in self:
            row._check_readable()

    def _check_readable(self):
        """Let an author publish only what he may read himself.

        Events are described as superuser, so a table could show its author anything.

        :raises ValidationError: naming the field and why
        """
        model = self.env.get(self.event_type_id.model or "")
        if model is None:
            raise ValidationError(
                self.env._("Choose the model of the event type before its fields.")
            )
        if not self.source:
            return
        try:
            # constraints run as superuser: it is the author's own right that counts
            describe.check_path(model.sudo(False), self._path())
        except describe.Unreadable as error:
            raise ValidationError(self._unreadable(error)) from None

    def _unreadable(self, error):
        env = self.env
        values = {"path": self.source, "name": error.name}
        reasons = {
            "missing": env._("%(path)s: there is no field %(name)s.", **values),
            "not_relation": env._("%(path)s: %(name)s leads to no record.", **values),
            "list": env._("%(path)s: %(name)s is a list.", **values),
            "no_list": env._("%(path)s: %(name)s is no list.", **values),
            "forbidden": env._(
                "%(path)s: you may not read %(name)s yourself.", **values
            ),
            "secret": env._(
                "%(path)s: %(name)s is a secret, never published.", **values
            ),
            "no_value": env._("%(path)s: %(name)s cannot stand in an event.", **values),
        }
        return reasons[error.reason]

    @api.model_create_multi
    def create(self, vals_list):
        rows = super().create(vals_list)
        rows._log_table()
        return rows

    def write(self, vals):
        result = super().write(vals)
        self._log_table()
        return result

    def unlink(self):
        types = self.event_type_id
        result = super().unlink()
        types._field_table_changed()
        return result

    def _log_table(self):
        self.event_type_id._field_table_changed()
