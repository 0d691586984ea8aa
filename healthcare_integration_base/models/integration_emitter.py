# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo import api, models

from ..engine import capture


class IntegrationEmitter(models.AbstractModel):
    """Mixin: a model whose business methods publish events.

    A connector calls ``_integration_emit`` in the private method where the thing is
    really done, and overrides the hooks that describe its records.
    """

    _name = "integration.emitter"
    _description = "Integration Emitter"

    @api.model
    def _integration_wanted(self, *codes):
        """Tell whether anybody wants one of these events. Costs no query.

        :param codes: codes of event types
        :rtype: bool
        """
        return capture.wanted(self.env, codes)

    def _integration_emit(self, code):
        """Publish that something happened to these records, once per transaction each.

        Nothing is written before the transaction is flushed, and nothing at all when it
        is rolled back or nobody subscribes. Context: ``integration_no_event`` silences,
        ``integration_origin`` (id of a system) names whom the change came from, so that
        it is not echoed there.

        :param str code: code of an event type
        """
        records = self.filtered(lambda record: isinstance(record.id, int))
        if records and self._integration_wanted(code):
            capture.emit(records, code)

    # -- hooks -------------------------------------------------------------------------

    def _integration_payload(self, code):
        """Return the canonical data of the records, for all of them at once.

        Runs as superuser in the records' company, in English and UTC. Decimals are
        strings or ``Decimal``, moments ``datetime``; the schema of the type is the contract.

        :param str code: code of an event type
        :return: dict of id -> dict
        """
        raise NotImplementedError(f"{self._name} does not describe {code}")

    def _integration_ordering_key(self, code):
        """Return what keeps messages in order: those with the same key wait for each other.

        It must name a record that the transaction writes, so that the order of the
        events is the order of the commits.

        :return: dict of id -> str, None for no order
        """
        return {res_id: f"{self._name},{res_id}" for res_id in self.ids}

    def _integration_company(self, code):
        """Return the company of each record; None for records that companies share.

        :return: dict of id -> company id or None
        """
        if "company_id" not in self._fields:
            return dict.fromkeys(self.ids)
        return {record.id: record.company_id.id or None for record in self}

    def _integration_correlation(self, code):
        """Return what ties events of one business transaction together.

        :return: dict of id -> str, None for the event's own id
        """
        return dict.fromkeys(self.ids)
