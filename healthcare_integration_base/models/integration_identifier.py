# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError

from .. import runtime
from ..const import SENSITIVITIES
from ..engine import payload
from ..protocol.errors import Configuration

# In place of a protected value stands its keyed hash: equal ones are found, none is read.
HASHED = "hash:"


class IntegrationIdentifier(models.Model):
    """What an external system calls one of our records."""

    _name = "integration.identifier"
    _description = "External Identifier"
    _inherit = ["integration.audited"]
    _order = "system_id, kind, value"
    _rec_name = "value"

    system_id = fields.Many2one(
        "integration.system", required=True, ondelete="cascade", index=True
    )
    company_id = fields.Many2one(related="system_id.company_id", store=True)
    kind = fields.Char(required=True, help="e.g. gln, gtin, vendor_number")
    value = fields.Char(
        required=True,
        help="Protected health information is kept encrypted; its keyed hash is shown.",
    )
    value_sealed = fields.Char(groups=fields.NO_ACCESS, copy=False)
    sensitivity = fields.Selection(SENSITIVITIES, default="internal", required=True)
    res_model = fields.Char(required=True)
    res_id = fields.Many2oneReference(model_field="res_model", required=True)

    _value_uniq = models.Constraint(
        "UNIQUE(system_id, kind, value)",
        "This identifier is taken already in that system.",
    )
    _record_idx = models.Index("(res_model, res_id)")

    @api.constrains("res_model", "res_id")
    def _check_record(self):
        for identifier in self:
            model = self.env.get(identifier.res_model)
            if model is None or not model.sudo().browse(identifier.res_id).exists():
                raise ValidationError(
                    self.env._(
                        "There is no record %(id)s of model %(model)s.",
                        id=identifier.res_id,
                        model=identifier.res_model,
                    )
                )

    @api.depends("value", "kind", "sensitivity")
    def _compute_display_name(self):
        for identifier in self:
            hidden = identifier.sensitivity == "phi"
            identifier.display_name = "••••" if hidden else identifier.value

    def action_export_csv(self):
        """Download the selected identifiers as CSV, the protected ones left out."""
        records = self or self.search([])
        records.check_access("read")
        return self.env["integration.table.export"]._download(records)

    # -- protected values ------------------------------------------------------------

    @api.model_create_multi
    def create(self, vals_list):
        return super().create([self._sealed(vals) for vals in vals_list])

    def write(self, vals):
        """Write; a value that is protected from now on, or newly typed, is encrypted.

        :raises UserError: a protected value would become readable
        """
        if not {"value", "kind", "sensitivity"} & vals.keys():
            return super().write(vals)
        for identifier in self:
            super(IntegrationIdentifier, identifier).write(
                self._sealed(vals, identifier)
            )
        return True

    def _sealed(self, vals, known=None):
        """Return the values with the identifier encrypted and hashed, where it is phi.

        :raises UserError: no key on this node; or protection would be taken off
        """

        def of(name):
            return vals.get(name, known[name] if known else False)

        if of("sensitivity") != "phi":
            if known and known.sensitivity == "phi":
                raise UserError(
                    self.env._(
                        "A protected identifier stays protected; make a new one."
                    )
                )
            return vals
        kind, value = of("kind"), of("value")
        if not value or value.startswith(HASHED):
            return self._unchanged(vals, known)
        try:
            sealed = payload.seal_text(value, self._aad(kind))
            return dict(
                vals, value=self._hashed_value(kind, value), value_sealed=sealed
            )
        except Configuration as error:
            raise UserError(error.message) from None

    def _unchanged(self, vals, known):
        if known and known.value == vals.get("value", known.value):
            if vals.get("kind", known.kind) == known.kind:
                return vals
        raise UserError(
            self.env._("Type the whole value of a protected identifier anew.")
        )

    @api.model
    def _hashed_value(self, kind, value):
        hashed = runtime.keyring().keyed_hash(f"{kind}|{value}", "identifier")
        return HASHED + hashed

    @staticmethod
    def _aad(kind):
        return f"integration.identifier:{kind}".encode()

    def _clear_value(self):
        """Return the value in the clear.

        :raises Configuration: keyring_missing, key_unknown
        """
        self.ensure_one()
        if self.sensitivity != "phi":
            return self.value
        return payload.clear_text(self.sudo().value_sealed, self._aad(self.kind))

    # -- look-up -----------------------------------------------------------------------

    @api.model
    def _find(self, system, pairs, res_model):
        """Return the ids of the records of a model that a system calls so.

        :param system: integration.system; empty finds nothing
        :param pairs: (kind, value) of each identifier
        :param str res_model: only records of this model
        :return: dict of (kind, value) → id; what is unknown is left out
        """
        stored = {
            stored: pair for pair in pairs for stored in self._stored_forms(*pair)
        }
        if not (stored and system):
            return {}
        rows = self.sudo().search_fetch(
            [
                ("system_id", "=", system.id),
                ("res_model", "=", res_model),
                ("kind", "in", [kind for kind, _value in stored]),
                ("value", "in", [value for _kind, value in stored]),
            ],
            ["kind", "value", "res_id"],
        )
        return {
            stored[row.kind, row.value]: row.res_id
            for row in rows
            if (row.kind, row.value) in stored
        }

    def _stored_forms(self, kind, value):
        """Return how a value may stand in the table: as it is, or hashed."""
        forms = [(kind, value)] if not value.startswith(HASHED) else []
        if runtime.keyring():
            forms.append((kind, self._hashed_value(kind, value)))
        return forms
