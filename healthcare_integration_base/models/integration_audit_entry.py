# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
import json

from odoo import api, fields, models
from odoo.http import request
from odoo.tools import SQL


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
            ("document", "Document downloaded"),
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
