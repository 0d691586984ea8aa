# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
import hashlib
import json
import logging

from odoo import api, fields, models
from odoo.exceptions import AccessError
from odoo.http import request
from odoo.tools import SQL

_logger = logging.getLogger(__name__)

SEAL_BATCH = 5000
SEAL_LOCK = 4_815_162_342
LONGEST_VALUE = 500
TRANSITION = object()
SEALED_COLUMNS = (
    "id",
    "occurred_at",
    "action",
    "user_id",
    "user_login",
    "company_id",
    "address",
    "res_model",
    "res_id",
    "res_name",
    "reason",
    "detail",
)


class IntegrationAuditEntry(models.Model):
    """Append-only record of what somebody did (database trigger, no foreign keys)."""

    _name = "integration.audit.entry"
    _description = "Integration Audit Entry"
    _order = "id desc"
    _rec_name = "res_name"
    _log_access = False
    _allow_sudo_commands = False

    occurred_at = fields.Datetime(required=True, readonly=True)
    action = fields.Selection(
        [
            ("payload_view", "Payload viewed"),
            ("replay", "Replayed"),
            ("retry", "Retried"),
            ("skip", "Skipped"),
            ("cancel", "Cancelled"),
            ("configuration", "Configuration changed"),
            ("secret", "Secret changed"),
            ("state", "State changed"),
        ],
        required=True,
        readonly=True,
    )
    user_id = fields.Integer("User ID", readonly=True)
    user_login = fields.Char("User", readonly=True)
    company_id = fields.Integer("Company ID", readonly=True)
    address = fields.Char(
        readonly=True, help="Network address of the request, if there was one."
    )
    res_model = fields.Char("Document Model", readonly=True)
    res_id = fields.Many2oneReference(
        "Document ID", model_field="res_model", readonly=True
    )
    res_name = fields.Char("Document", readonly=True)
    reason = fields.Char(readonly=True)
    detail = fields.Text(readonly=True, help="Changed fields, JSON; never a secret.")
    # No default: a later upgrade may never need to UPDATE this table.
    seal_id = fields.Integer(
        "Seal",
        readonly=True,
        help="Link of the chain that covers it, 0 while unsealed.",
    )

    _unsealed_idx = models.Index("(id) WHERE seal_id IS NULL")
    _seal_idx = models.Index("(seal_id, id)")
    _document_idx = models.Index("(res_model, res_id)")

    def init(self):
        """Install the triggers that let nobody change or delete an entry."""
        self.env.cr.execute(
            """
            CREATE OR REPLACE FUNCTION integration_audit_append_only() RETURNS trigger AS $$
            BEGIN
                IF TG_OP = 'UPDATE' AND TG_TABLE_NAME = 'integration_audit_entry' THEN
                    IF OLD.seal_id IS NULL
                       AND (to_jsonb(NEW) - 'seal_id') = (to_jsonb(OLD) - 'seal_id') THEN
                        RETURN NEW;
                    END IF;
                END IF;
                RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP
                    USING ERRCODE = 'restrict_violation';
            END $$ LANGUAGE plpgsql
            """
        )
        for table in ("integration_audit_entry", "integration_audit_seal"):
            self._install_trigger(table)

    def _install_trigger(self, table):
        if not self._table_exists(table):
            return  # the seal's own init() calls again
        for name, events, level in (
            ("append_only", "UPDATE OR DELETE", "ROW"),
            ("no_truncate", "TRUNCATE", "STATEMENT"),
        ):
            self.env.cr.execute(
                SQL(
                    "DROP TRIGGER IF EXISTS %(name)s ON %(table)s; "
                    "CREATE TRIGGER %(name)s BEFORE %(events)s ON %(table)s "
                    "FOR EACH %(level)s EXECUTE FUNCTION integration_audit_append_only()",
                    name=SQL.identifier(name),
                    table=SQL.identifier(table),
                    events=SQL(events),
                    level=SQL(level),
                )
            )

    def _table_exists(self, table):
        return bool(
            self.env.execute_query(
                SQL("SELECT 1 FROM pg_class WHERE oid = to_regclass(%s)", table)
            )
        )

    @api.model
    def _log(self, action, records, reason=None, detail=None):
        """Write one entry per record, in the caller's transaction.

        :param str action: key of ``action``
        :param records: recordset it was done to; its model needs no table
        :param str reason: why, as the user put it
        :param detail: JSON-serialisable facts (changed fields); the caller vouches
            that there is neither a secret nor payload data in it
        :return: the entries, as superuser
        """
        common = {
            "action": action,
            "occurred_at": fields.Datetime.now(),
            "user_id": self.env.uid or 0,
            "user_login": self.env.user.login if self.env.uid else False,
            "address": request.httprequest.remote_addr if request else False,
            "reason": reason,
            "detail": json.dumps(detail, default=str, ensure_ascii=False)
            if detail
            else False,
            "res_model": records._name,
        }
        return self.sudo().create(
            [dict(common, **self._target(record)) for record in records]
        )

    def _target(self, record):
        company = (
            record.sudo()["company_id"] if "company_id" in record._fields else None
        )
        return {
            "res_id": record.id,
            "res_name": record.sudo().display_name,
            "company_id": company.id if company else 0,
        }


class IntegrationAuditSeal(models.Model):
    """One link of the hash chain over audit entries, made by a job.

    Chained inside the users' transactions, concurrent entries would fork the chain;
    here one job at a time seals what is committed.
    """

    _name = "integration.audit.seal"
    _description = "Integration Audit Seal"
    _order = "id desc"
    _log_access = False
    _allow_sudo_commands = False

    sealed_at = fields.Datetime(required=True, readonly=True)
    first_entry_id = fields.Integer(required=True, readonly=True)
    last_entry_id = fields.Integer(required=True, readonly=True)
    entry_count = fields.Integer(required=True, readonly=True)
    previous_hash = fields.Char(readonly=True)
    hash = fields.Char(required=True, readonly=True)

    def init(self):
        """Install the triggers that let nobody change or delete a link."""
        self.env["integration.audit.entry"].init()

    @api.model
    def _cron_seal(self):
        """Seal what is unsealed; the scheduler comes again while there is more."""
        sealed = self._seal()
        remaining = SEAL_BATCH if sealed.entry_count == SEAL_BATCH else 0
        self.env["ir.cron"]._commit_progress(sealed.entry_count, remaining=remaining)

    @api.model
    def _seal(self):
        """Chain the next committed entries.

        :return: the new link, empty if there was nothing to seal or another
            transaction is sealing
        """
        self.env["integration.audit.entry"].flush_model()
        locked = self.env.execute_query(
            SQL("SELECT pg_try_advisory_xact_lock(%s)", SEAL_LOCK)
        )
        rows = locked[0][0] and self._entry_rows(SQL("seal_id IS NULL"), SEAL_BATCH)
        if not rows:
            return self.browse()
        previous = self.search([], order="id desc", limit=1).hash or ""
        seal = self.sudo().create(
            {
                "sealed_at": fields.Datetime.now(),
                "first_entry_id": rows[0][0],
                "last_entry_id": rows[-1][0],
                "entry_count": len(rows),
                "previous_hash": previous,
                "hash": self._chain_hash(previous, rows),
            }
        )
        self._mark(seal, [row[0] for row in rows])
        # The head of the chain outside of the database shows a cut-off tail.
        _logger.info("Audit chain sealed up to link %d: %s", seal.id, seal.hash)
        return seal

    def _mark(self, seal, entry_ids):
        self.env.cr.execute(
            SQL(
                "UPDATE integration_audit_entry SET seal_id = %s WHERE id = ANY(%s)",
                seal.id,
                entry_ids,
            )
        )
        self.env["integration.audit.entry"].invalidate_model(["seal_id"])

    @api.model
    def _entry_rows(self, where, limit=None):
        columns = SQL(", ").join(SQL.identifier(name) for name in SEALED_COLUMNS)
        return self.env.execute_query(
            SQL(
                "SELECT %s FROM integration_audit_entry WHERE %s ORDER BY id %s",
                columns,
                where,
                SQL("LIMIT %s", limit) if limit else SQL(),
            )
        )

    @api.model
    def _chain_hash(self, previous, rows):
        """Return SHA-256 over the previous link and the entries, one JSON array a line."""
        digest = hashlib.sha256(previous.encode())
        for row in rows:
            digest.update(b"\n")
            digest.update(json.dumps(row, default=str, ensure_ascii=False).encode())
        return digest.hexdigest()

    @api.model
    def _verify(self):
        """Recompute the chain.

        :return: the first link that does not fit (changed, missing or added entries,
            a changed or missing link before it), or None when all fit
        """
        self.env["integration.audit.entry"].flush_model()
        self.flush_model()
        previous = ""
        for seal in self.sudo().search([], order="id"):
            rows = self._entry_rows(SQL("seal_id = %s", seal.id))
            expected = self._chain_hash(previous, rows)
            fits = (seal.previous_hash or "") == previous and seal.hash == expected
            if not fits or seal.entry_count != len(rows):
                return seal
            previous = seal.hash
        return None

    @api.model
    def action_verify(self):
        """Tell the auditor whether the chain is whole.

        :return: a notification of the web client
        :raises AccessError: the user is no auditor
        """
        self.check_access("read")
        broken = self._verify()
        if broken:
            text = self.env._("The audit chain is broken at link %s.", broken.id)
        else:
            text = self.env._(
                "All %s links of the audit chain fit.", self.search_count([])
            )
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "danger" if broken else "success",
                "message": text,
                "sticky": bool(broken),
            },
        }


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
        for vals in vals_list:
            self._integration_check_guarded(
                [
                    name
                    for name in self._integration_guarded
                    if name in vals and vals[name] != self._integration_initial(name)
                ]
            )
        records = super().create(vals_list)
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
        for record in self:
            changes = record._integration_audit_changes(before[record.id])
            if changes:
                self._integration_audit(record, {"changed": changes})
        return result

    def unlink(self):
        for record in self:
            self._integration_audit(record, {"deleted": True})
        return super().unlink()

    def _integration_initial(self, name):
        field = self._fields.get(name)
        return field.default(self) if field and field.default else False

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
