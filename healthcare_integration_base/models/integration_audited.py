# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
import hashlib

from odoo import api, fields, models
from odoo.exceptions import AccessError

LONGEST_VALUE = 500
# Stands in a context that writes guarded fields; over RPC no object can come in.
TRANSITION = object()


class IntegrationAudited(models.AbstractModel):
    """Mixin: a configuration model whose changes are audit entries.

    Values of fields without access for anybody (secrets) are never written down.
    """

    _name = "integration.audited"
    _description = "Audited Configuration"

    # Fields with an entry of their own (state changes), or written by the system.
    _integration_unaudited = ("state", "state_reason")
    # Fields that only the model's own buttons change, never a plain write.
    _integration_guarded = ()

    @api.model_create_multi
    def create(self, vals_list):
        initial = {
            name: self._integration_initial(name) for name in self._integration_guarded
        }
        for vals in vals_list:
            changed = [n for n in initial if n in vals and vals[n] != initial[n]]
            self._integration_check_guarded(changed)
        # Given explicitly, or the context's default_state would decide.
        records = super().create([{**initial, **vals} for vals in vals_list])
        for record, vals in zip(records, vals_list, strict=True):
            names = record._integration_audited_names(vals)
            self._integration_audit(
                record, {"created": record._integration_audit_values(names)}
            )
        return records

    def write(self, vals):
        self._integration_check_guarded(vals)
        names = self._integration_audited_names(vals)
        before = {record.id: record._integration_audit_values(names) for record in self}
        result = super().write(vals)
        self._integration_check_still_ours(vals)
        for record in self:
            changes = record._integration_audit_changes(before[record.id])
            if changes:
                self._integration_audit(record, {"changed": changes})
        return result

    def _integration_check_still_ours(self, vals):
        """Refuse to move records into a company the user does not work in.

        Odoo looks at the record rules before a write, not at what it leads to.
        """
        moving = any(self._fields[name].type == "many2one" for name in vals)
        if moving and not self.env.su:
            self.check_access("write")

    def unlink(self):
        for record in self:
            self._integration_audit(record, {"deleted": True})
        return super().unlink()

    def _integration_initial(self, name):
        field = self._fields[name]
        value = field.default(self) if field.default else False
        return field.convert_to_write(value, self)

    def _integration_check_guarded(self, names):
        allowed = (
            self.env.su or self.env.context.get("integration_transition") is TRANSITION
        )
        guarded = [name for name in self._integration_guarded if name in names]
        if guarded and not allowed:
            raise AccessError(
                self.env._(
                    "%(field)s of %(model)s is changed by its buttons only.",
                    field=self._fields[guarded[0]].string,
                    model=self._description,
                )
            )

    def _integration_transition(self, vals):
        """Write guarded fields; the sentinel in the context cannot come in over RPC."""
        return self.with_context(integration_transition=TRANSITION).write(vals)

    def _integration_audit(self, record, detail):
        if self.env.registry.ready:  # records that modules bring are nobody's change
            self.env["integration.audit.entry"]._log(
                "configuration", record, detail=detail
            )

    def _integration_audited_names(self, names):
        """Return those of ``names`` whose values an audit entry may hold."""
        mail = {
            *self.env["mail.thread"]._fields,
            *self.env["mail.activity.mixin"]._fields,
        }
        return [
            name
            for name in names
            if (field := self._fields.get(name))
            and (field.store or field.type in ("one2many", "many2many"))
            and field.groups != fields.NO_ACCESS
            and name not in mail
            and name not in self._integration_unaudited
        ]

    def _integration_audit_values(self, names):
        return {name: self._integration_audit_value(name) for name in names}

    def _integration_audit_value(self, name):
        value = self.sudo()[name]
        if isinstance(value, models.BaseModel):
            return value.ids
        text = "" if value is None or value is False else str(value)
        return (
            text if len(text) <= LONGEST_VALUE else self._integration_audit_digest(text)
        )

    def _integration_audit_digest(self, text):
        digest = hashlib.sha256(text.encode()).hexdigest()
        return f"{text[:LONGEST_VALUE]}… ({len(text)} characters, SHA-256 {digest})"

    def _integration_audit_changes(self, before):
        after = self._integration_audit_values(before)
        return {
            name: [value, after[name]]
            for name, value in before.items()
            if value != after[name]
        }
