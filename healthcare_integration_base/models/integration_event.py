# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
import logging

import psycopg2

from odoo import api, fields, models

from ..engine import describe, payload, retention
from ..engine.safe import where
from ..protocol import envelope

_logger = logging.getLogger(__name__)


class IntegrationEvent(models.Model):
    """Something that happened, in canonical form; immutable once its transaction is committed."""

    _name = "integration.event"
    _description = "Integration Event"
    _order = "id desc"
    _rec_name = "uid"
    _rec_names_search = ["uid", "res_name"]
    _log_access = False

    uid = fields.Char("Event ID", required=True, readonly=True, help="UUIDv7.")
    type_id = fields.Many2one(
        "integration.event.type",
        required=True,
        readonly=True,
        ondelete="restrict",
        index=True,
    )
    version = fields.Integer(required=True, readonly=True)
    res_model = fields.Char("Document Model", readonly=True)
    res_id = fields.Many2oneReference(
        "Document", model_field="res_model", readonly=True
    )
    res_name = fields.Char(
        readonly=True, help="Number of the document when it happened."
    )
    company_id = fields.Many2one(
        "res.company", readonly=True, index=True, ondelete="restrict"
    )
    user_id = fields.Many2one("res.users", readonly=True, help="Who did it.")
    ordering_key = fields.Char(readonly=True)
    occurred_at = fields.Datetime(required=True, readonly=True)
    data = fields.Text(
        readonly=True,
        groups=fields.NO_ACCESS,
        help="Canonical JSON; ciphertext where phi.",
    )
    error = fields.Char(
        readonly=True, help="Why no payload could be built; code, no values."
    )
    correlation_uid = fields.Char(readonly=True, index=True)
    causation_uid = fields.Char(readonly=True)
    traceparent = fields.Char(readonly=True)
    origin_system_id = fields.Many2one(
        "integration.system", readonly=True, help="System the change came in from."
    )
    txid = fields.Char(
        readonly=True,
        groups=fields.NO_ACCESS,
        help="Transaction and its start: coalescing key.",
    )
    message_ids = fields.One2many("integration.message", "event_id", readonly=True)

    _uid_uniq = models.UniqueIndex("(uid)")
    _coalesce_uniq = models.UniqueIndex(
        "(txid, type_id, res_model, res_id) WHERE txid IS NOT NULL"
    )
    _document_idx = models.Index("(res_model, res_id)")
    _occurred_idx = models.Index("(occurred_at)")

    @api.depends("uid", "res_name")
    def _compute_display_name(self):
        for event in self:
            event.display_name = (
                f"{event.res_name} ({event.uid})" if event.res_name else event.uid
            )

    @api.autovacuum
    def _gc_traffic(self):
        """Forget what is older than the retention of its event type."""
        self.env.flush_all()
        deleted = retention.forget(self.env.cr)
        self.env.invalidate_all()
        return deleted, deleted >= retention.BATCH

    def _data_text(self):
        """Return the canonical JSON in the clear, None if there is none.

        :raises Configuration: keyring_missing, key_unknown
        """
        self.ensure_one()
        event = self.sudo()
        if not event.data or event.type_id.sensitivity != "phi":
            return event.data or None
        return payload.clear_text(event.data, self._aad())

    def _aad(self):
        return payload.event_aad(self.type_id.id, self.res_model, self.res_id)

    def _integration_rebuild(self):
        """Build the payload of an event that has none, from the record as it is now.

        When it fails again, the error stays on the event.

        :return: True if there is a payload now that was not there before
        """
        self.ensure_one()
        if self.sudo().data or not self.error or self.error == describe.UNJUDGED:
            return False
        try:
            with self.env.cr.savepoint(flush=False):
                record = self._record()
                built = record and describe.payloads(
                    record, self.type_id.code, by_table=True
                )
        except psycopg2.OperationalError:
            raise
        except Exception as exc:
            _logger.error("Event %s still has no payload: %s", self.id, where(exc))
            return False
        data = built and built.get(self.res_id)
        if data is None or data is False:
            return False
        self._set_data(envelope.dumps(data).decode())
        return True

    def _record(self):
        """Return the record it is about, as capture sees it; None if it is gone."""
        model = self.env.get(self.res_model or "")
        if model is None:
            return None
        company = [self.company_id.id] if self.company_id else []
        context = {"lang": "en_US", "tz": "UTC", "allowed_company_ids": company}
        return model.sudo().with_context(**context).browse(self.res_id).exists()

    def _set_data(self, text):
        if self.type_id.sensitivity == "phi":
            text = payload.seal_text(text, self._aad())
        self.sudo().write({"data": text, "error": False})
