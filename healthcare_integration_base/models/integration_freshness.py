# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
import datetime

from odoo import api, fields, models
from odoo.tools import SQL

from ..protocol.errors import Filtered, Rejected

KEPT_DAYS = 400
# A partner's clock may be wrong; one that is wrong by more would lock out what follows.
GRACE = datetime.timedelta(days=1)


class IntegrationFreshness(models.Model):
    """How new the newest is that a system told about something; what is older is stale.

    The times are the partner's own (CloudEvents ``time``, or the document's date), one row
    per system, company and key; two systems' clocks are never compared.
    """

    _name = "integration.freshness"
    _description = "Newest Applied State"
    _order = "occurred_at desc, id desc"
    _rec_name = "key"
    _log_access = False

    system_id = fields.Many2one(
        "integration.system", required=True, readonly=True, ondelete="cascade"
    )
    company_id = fields.Many2one("res.company", readonly=True, ondelete="cascade")
    key = fields.Char(required=True, readonly=True, help="What the state is of.")
    occurred_at = fields.Datetime(
        "Occurred at", required=True, readonly=True, help="The partner's own time."
    )
    message_uid = fields.Char("Message ID", readonly=True)
    applied_at = fields.Datetime(required=True, readonly=True, index=True)

    _key_uniq = models.UniqueIndex("(system_id, COALESCE(company_id, 0), key)")

    @api.model
    def _check(self, message, key, occurred_at=None):
        """Let only what is no older than the newest applied pass, and remember it.

        Equal times pass: the same state again changes nothing, and of two states of one
        instant the one that came last counts, as without times. What is remembered is part
        of the message's transaction. Two messages at a time for one key: the second waits
        for the first, or its transaction is repeated.

        :param message: the integration.message
        :param str key: what the state is of, e.g. ``purchase.order,12 acknowledged``; no
            personal data
        :param occurred_at: when it happened, by the partner's clock: ISO 8601 with zone, or
            datetime (naive: UTC); default what came with the message, and without any time
            everything passes
        :raises Filtered: ``stale``, naming both times
        :raises Rejected: ``time_in_future``, ``time_invalid``
        """
        moment = _moment(occurred_at or self.env.context.get("integration_occurred_at"))
        if moment is None:
            return
        message = message.sudo()
        system, company = message.endpoint_id.system_id, message.company_id
        self.flush_model()
        if not self._remember(system.id, company.id, key, moment, message.uid):
            raise self._stale(system.id, company.id, key, moment)
        self.invalidate_model()

    def _remember(self, system_id, company_id, key, moment, uid):
        """Advance the key; False if it is further already."""
        statement = SQL(
            """
            INSERT INTO integration_freshness AS f
                   (system_id, company_id, key, occurred_at, message_uid, applied_at)
            VALUES (%s, %s, %s, %s, %s, now() AT TIME ZONE 'UTC')
            ON CONFLICT (system_id, COALESCE(company_id, 0), key) DO UPDATE
               SET occurred_at = EXCLUDED.occurred_at, message_uid = EXCLUDED.message_uid,
                   applied_at = EXCLUDED.applied_at
             WHERE f.occurred_at <= EXCLUDED.occurred_at
            RETURNING id
            """,
            system_id,
            company_id or None,
            key,
            moment,
            uid,
        )
        return bool(self.env.execute_query(statement))

    def _stale(self, system_id, company_id, key, moment):
        [[newest]] = self.env.execute_query(
            SQL(
                "SELECT occurred_at FROM integration_freshness"
                " WHERE system_id = %s AND COALESCE(company_id, 0) = %s AND key = %s",
                system_id,
                company_id or 0,
                key,
            )
        )
        return Filtered(
            f"Older than what was applied before: this happened at {_text(moment)},"
            f" the newest at {_text(newest)}.",
            code="stale",
        )

    @api.autovacuum
    def _gc_old(self):
        """Forget what nothing was told about for more than a year."""
        before = fields.Datetime.now() - datetime.timedelta(days=KEPT_DAYS)
        self.sudo().search([("applied_at", "<", before)], limit=10_000).unlink()


def _moment(value):
    """Return an instant as naive UTC, None for none.

    :raises Rejected: ``time_invalid``, ``time_in_future``
    """
    if not value:
        return None
    try:
        if isinstance(value, str):
            value = datetime.datetime.fromisoformat(value.replace("Z", "+00:00"))
        if value.tzinfo:
            value = value.astimezone(datetime.timezone.utc).replace(tzinfo=None)
    except (ValueError, OverflowError):
        raise Rejected(
            "The time of the message is no ISO 8601 instant.", code="time_invalid"
        ) from None
    if value > fields.Datetime.now() + GRACE:
        raise Rejected(
            "The time of the message lies in the future.", code="time_in_future"
        )
    return value


def _text(moment):
    return moment.isoformat(timespec="milliseconds") + "Z"
