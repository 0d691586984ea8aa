# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
import datetime

from odoo import api, fields, models
from odoo.tools import SQL

CACHE = "integration.crosswalk"


class IntegrationCrosswalk(models.Model):
    """Our value and the partner's value for the same thing."""

    _name = "integration.crosswalk"
    _description = "Integration Crosswalk"
    _inherit = ["integration.audited"]
    _order = "system_id, domain, external_value"
    _rec_name = "external_value"

    system_id = fields.Many2one(
        "integration.system", required=True, ondelete="cascade", index=True
    )
    company_id = fields.Many2one(related="system_id.company_id", store=True)
    domain = fields.Char(
        required=True,
        index=True,
        help="What is translated. Incoming messages look their references up in item, uom, "
        "item_unit, tax, location, supplier, customer, account, cost_center and "
        "payment_term; mappings may use any name.",
    )
    external_value = fields.Char(required=True)
    internal_value = fields.Char(required=True)
    valid_from = fields.Date()
    valid_to = fields.Date()
    active = fields.Boolean(default=True)

    internal_name = fields.Char(
        "Our Record",
        compute="_compute_internal_name",
        help="The record, where our value names one by model and number.",
    )

    _lookup_idx = models.Index("(system_id, domain, external_value) WHERE active")
    _period = models.Constraint(
        "CHECK(valid_from IS NULL OR valid_to IS NULL OR valid_from <= valid_to)",
        "A crosswalk cannot end before it begins.",
    )

    @api.depends("internal_value")
    def _compute_internal_name(self):
        for crosswalk in self:
            model, _comma, number = (crosswalk.internal_value or "").partition(",")
            found = None
            if number.isdecimal() and len(number) < 10 and model in self.env:
                records = self.env[model]
                if records.has_access("read"):
                    found = records.search([("id", "=", int(number))])
            crosswalk.internal_name = found.display_name if found else False

    def action_export_csv(self):
        """Download the selected crosswalks as CSV; all one sees where none is selected."""
        records = self or self.search([])
        records.check_access("read")
        return self.env["integration.table.export"]._download(records)

    @api.model_create_multi
    def create(self, vals_list):
        self._forget_tables()
        return super().create(vals_list)

    def write(self, vals):
        self._forget_tables()
        return super().write(vals)

    def unlink(self):
        self._forget_tables()
        return super().unlink()

    def _forget_tables(self):
        self.env.cr.cache.pop(CACHE, None)

    @api.model
    def _translator(self, system, direction):
        """Return the function behind ``$crosswalk(domain, value)`` of a mapping.

        Each domain is read once per transaction, which is once per batch of messages.

        :param system: whose values; empty: nothing is ever found
        :param str direction: ``out`` or ``in``
        :return: callable (domain, value) → translated value or None
        """

        def translate(domain, value):
            return self._cached_table(system.id, domain, direction).get(str(value))

        return translate

    def _cached_table(self, system_id, domain, direction):
        tables = self.env.cr.cache.setdefault(CACHE, {})
        key = (system_id, domain, direction)
        if key not in tables:
            tables[key] = (
                self._valid_pairs(system_id, domain, direction) if system_id else {}
            )
        return tables[key]

    @api.model
    def _valid_pairs(self, system_id, domain, direction, on_date=None):
        """Return all pairs of one domain that are valid, in one query.

        :param int system_id: whose values
        :param str domain: e.g. ``uom``
        :param str direction: ``out`` translates ours into theirs, ``in`` theirs into ours
        :param date on_date: day of validity, default today
        :return: value → value; of several pairs the one valid from the latest day counts
        :rtype: dict[str, str]
        """
        return dict(self._valid_rows(system_id, domain, direction, on_date))

    @api.model
    def _lookup(self, system, domain, values):
        """Return what our value for some of a system's values is, in one query.

        :param system: integration.system; empty finds nothing
        :param str domain: e.g. ``item``
        :param values: the partner's values
        :return: their value → ours; what is unknown is left out
        :rtype: dict[str, str]
        """
        values = [value for value in values if value]
        if not (system and values):
            return {}
        return dict(self._valid_rows(system.id, domain, "in", values=values))

    @api.model
    def _learn(self, system, domain, external_value, internal_value):
        """Let a partner's value stand for ours from now on, as superuser, audited.

        For wizards that have checked the right of who picks. The pair in force is
        corrected, since it led nowhere; without one it is made.

        :param system: integration.system
        :param str domain: e.g. ``item``
        :param str external_value: the partner's value
        :param str internal_value: ours
        :return: the crosswalk
        """
        day = fields.Date.context_today(self)
        known = self.sudo().search(
            [
                ("system_id", "=", system.id),
                ("domain", "=", domain),
                ("external_value", "=", external_value),
                "|",
                ("valid_from", "=", False),
                ("valid_from", "<=", day),
                "|",
                ("valid_to", "=", False),
                ("valid_to", ">=", day),
            ]
        )
        if known:
            # the one that counts: valid from the latest day, made last
            newest = max(
                known, key=lambda row: (row.valid_from or datetime.date.min, row.id)
            )
            newest.internal_value = internal_value
            return newest
        return self.sudo().create(
            {
                "system_id": system.id,
                "domain": domain,
                "external_value": external_value,
                "internal_value": internal_value,
            }
        )

    def _valid_rows(self, system_id, domain, direction, on_date=None, values=None):
        self.flush_model()
        source, target = ("internal_value", "external_value")
        if direction == "in":
            source, target = target, source
        day = on_date or fields.Date.context_today(self)
        only = SQL("TRUE")
        if values is not None:
            only = SQL("%s = ANY(%s)", SQL.identifier(source), list(values))
        return self.env.execute_query(
            SQL(
                """SELECT %s, %s FROM integration_crosswalk
                    WHERE system_id = %s AND domain = %s AND active AND %s
                      AND COALESCE(valid_from, %s) <= %s AND COALESCE(valid_to, %s) >= %s
                    ORDER BY valid_from NULLS FIRST, id""",
                SQL.identifier(source),
                SQL.identifier(target),
                system_id,
                domain,
                only,
                *[day] * 4,
            )
        )
