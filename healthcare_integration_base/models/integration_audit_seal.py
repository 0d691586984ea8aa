# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
import hashlib
import json
import logging

from odoo import api, fields, models
from odoo.tools import SQL

_logger = logging.getLogger(__name__)

SEAL_BATCH = 5000
SEAL_LOCK = 4_815_162_342
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
