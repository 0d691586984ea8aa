# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo import api, fields, models
from odoo.exceptions import AccessError

from .. import runtime
from ..engine import acknowledge, operations
from ..protocol.acknowledgement import Said

STATUSES = [("accepted", "Accepted"), ("rejected", "Rejected"), ("posted", "Posted")]
# More than that in one run of the cron is left to the next.
MOST_BATCHES = 50


class IntegrationAcknowledgement(models.Model):
    """What a partner's business said of a message: append-only (database trigger)."""

    _name = "integration.acknowledgement"
    _description = "Business Acknowledgement"
    _order = "id desc"
    _rec_name = "status"
    _log_access = False
    _allow_sudo_commands = False

    message_id = fields.Many2one(
        "integration.message",
        required=True,
        readonly=True,
        ondelete="cascade",
        index=True,
    )
    endpoint_id = fields.Many2one(related="message_id.endpoint_id")
    event_type_id = fields.Many2one(related="message_id.event_type_id")
    res_name = fields.Char(related="message_id.res_name", string="Document")
    company_id = fields.Many2one("res.company", readonly=True, ondelete="restrict")
    status = fields.Selection(STATUSES, required=True, readonly=True)
    applied = fields.Boolean(
        readonly=True,
        help="Unset: kept for the record only, because it was older than what was known.",
    )
    reference = fields.Char("Partner's Reference", readonly=True)
    reason = fields.Char(readonly=True)
    occurred_at = fields.Datetime("Decided", readonly=True, help="As the partner says.")
    received_at = fields.Datetime("Received", required=True, readonly=True)
    client_id = fields.Many2one(
        "integration.client",
        readonly=True,
        ondelete="set null",
        index="btree_not_null",
        help="Who called us with it.",
    )
    source_message_id = fields.Many2one(
        "integration.message",
        "Came with",
        readonly=True,
        ondelete="set null",
        index="btree_not_null",
        help="The incoming message that said it.",
    )
    digest = fields.Char(required=True, readonly=True)

    # The same said again is the same row.
    _digest_uniq = models.UniqueIndex("(message_id, digest)")

    def init(self):
        """Let nobody change a row; only links to what was deleted are cleared."""
        self.env.cr.execute(
            """
            CREATE OR REPLACE FUNCTION integration_acknowledgement_append_only()
            RETURNS trigger AS $$
            BEGIN
                IF (to_jsonb(NEW) - 'client_id' - 'source_message_id')
                   = (to_jsonb(OLD) - 'client_id' - 'source_message_id') THEN
                    RETURN NEW;
                END IF;
                RAISE EXCEPTION 'integration_acknowledgement is append-only'
                    USING ERRCODE = 'restrict_violation';
            END $$ LANGUAGE plpgsql;
            DROP TRIGGER IF EXISTS append_only ON integration_acknowledgement;
            CREATE TRIGGER append_only BEFORE UPDATE ON integration_acknowledgement
                FOR EACH ROW EXECUTE FUNCTION integration_acknowledgement_append_only()
            """
        )

    def write(self, vals):  # pylint: disable=method-required-super
        """Refuse: what a partner said is not changed.

        :raises AccessError: always
        """
        raise AccessError(self.env._("An acknowledgement is not changed any more."))

    @api.model
    def _acknowledge_document(
        self,
        system,
        record,
        status,
        reference=None,
        reason=None,
        occurred_at=None,
        source=None,
        codes=None,
    ):
        """Record what a partner says about a document, on the newest message about it.

        For handlers of incoming messages that answer to a document we sent. Runs in the
        current transaction with the system's own rights; a state that contradicts what the
        partner said before is left as it is.

        :param system: ``integration.system`` that says it
        :param record: the business document, one record
        :param str status: accepted, rejected or posted
        :param str reference: the partner's number for it
        :param str reason: why, for a rejection
        :param datetime occurred_at: when the partner decided, naive UTC
        :param source: the incoming ``integration.message`` that says it
        :param codes: only messages of these event types, for example
            ``("supply.purchase_order.released", "supply.purchase_order.changed")``
        :return: the acknowledgement as superuser; empty when no message of the document
            went to the system
        :raises Rejected: posted_otherwise
        """
        env = self.sudo().env
        message = self._message_about(env, system, record, codes)
        if not message:
            return env[self._name]
        said = Said(status, reference or None, reason or None, occurred_at or None)
        return acknowledge.record(
            env, message, said, source=source and source.sudo()
        ).acknowledgement

    @api.model
    def _message_about(self, env, system, record, codes=None):
        """Return the newest message about a document that went to a system."""
        domain = [
            ("direction", "=", "out"),
            ("endpoint_id.system_id", "=", system.id),
            ("res_model", "=", record._name),
            ("res_id", "=", record.id),
            ("superseded", "=", False),
            ("state", "in", ("pending", "delivered", "dead")),
        ]
        if codes:
            domain.append(("event_type_id.code", "in", list(codes)))
        messages = env["integration.message"].search(domain, order="id desc", limit=20)
        under_way = operations.in_flight(env.cr, messages.ids)
        sent = messages.filtered(lambda m: m.attempt_count or m.id in under_way)
        return sent[:1]

    @api.model
    def _cron_overdue(self):
        """Make cases of acknowledgements that have not come in time."""
        for _turn in range(MOST_BATCHES):
            with runtime.autonomous(self.env) as env:
                if acknowledge.find_overdue(env) < acknowledge.BATCH:
                    return
