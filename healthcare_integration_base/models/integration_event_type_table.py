# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
import json
import re

from odoo import api, fields, models
from odoo.exceptions import ValidationError

from ..engine import describe
from ..protocol import record_table
from ..protocol.errors import IntegrationError


class IntegrationEventType(models.Model):
    """Event types of any model, described by a field table instead of by code."""

    _inherit = "integration.event.type"

    field_ids = fields.One2many(
        "integration.event.field",
        "event_type_id",
        string="Field Table",
        copy=True,
        help="What the event says about the record, where no addon describes it.",
    )

    def _rows(self):
        return [row._to_ring1() for row in self.field_ids.sorted()]

    def _table_payload(self, records):
        """Return the canonical data of records, by the field table.

        :param records: of the type's model, as capture sees them (superuser)
        :return: dict of id → dict
        :raises MappingError: a required value is missing, or one does not fit
        """
        self.ensure_one()
        rows = self.sudo()._rows()
        if not rows:
            raise IntegrationError(
                f"Event type {self.code} has no field table", code="no_field_table"
            )
        return {record.id: describe.filled(record, rows) for record in records}

    def _check_field_table(self):
        """Let only tables pass that can be filled.

        :raises ValidationError: naming the row
        """
        for event_type in self.filtered("field_ids"):
            try:
                record_table.check(event_type._rows())
            except IntegrationError as error:
                raise ValidationError(error.message) from None

    @api.constrains("model_id", "direction")
    def _check_table_model(self):
        for event_type in self.filtered("field_ids"):
            if event_type.direction != "out":
                raise ValidationError(
                    self.env._("Only outgoing events are described by a field table.")
                )
            for row in event_type.field_ids:
                row._check_readable()

    def _field_table_changed(self):
        """Note a change of the table in the audit trail; forget the schema made of it."""
        self.env.registry.clear_cache()
        for event_type in self:
            rows = [[row.target, row.source or ""] for row in event_type._rows()]
            self._integration_audit(event_type, {"field_table": rows})

    # -- schema ------------------------------------------------------------------------

    def _has_schema(self):
        return super()._has_schema() or bool(self.sudo().field_ids)

    def _schema_source(self):
        """Return the schema, made of the field table where no other is given."""
        source = super()._schema_source()
        if source or not self.sudo().field_ids:
            return source
        return json.dumps(self.sudo()._table_schema())

    def _table_schema(self):
        rows = self._rows()
        types = [self._type_of(row) for row in rows]
        return record_table.schema(rows, types, self.name or self.code)

    def _type_of(self, row):
        model = self.env.get(self.model or "")
        if not row.source or model is None:
            return {"type": "string"}
        try:
            return describe.value_schema(describe.check_path(model, row.source))
        except describe.Unreadable:
            return {}

    def action_propose_fields(self):
        """Put the plain fields of the model into an empty table, to start from.

        :raises AccessError: the user may not change event types
        """
        self.ensure_one()
        self.check_access("write")
        model = self.env.get(self.model or "")
        if model is None or self.field_ids:
            return False
        rows = [("id", "id"), *self._proposed(model)]
        self.field_ids = [
            fields.Command.create(
                {"sequence": 10 * place, "target": target, "source": source}
            )
            for place, (target, source) in enumerate(rows, 1)
        ]
        return True

    def _proposed(self, model):
        names = (
            model._rec_name,
            "display_name" if not model._rec_name else "",
            "state",
            "stage_id",
            "partner_id",
            "user_id",
            "email",
            "phone",
            "date_deadline",
            "create_date",
            "write_date",
        )
        for name in filter(None, names):
            try:
                describe.check_path(model, name)
            except describe.Unreadable:
                continue
            yield re.sub(r"_id$", "", name), name
