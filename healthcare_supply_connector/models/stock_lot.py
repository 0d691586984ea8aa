# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo import api, fields, models
from odoo.tools import split_every

from ..payloads import stock

CREATED = "supply.lot.created"
EXPIRING = "supply.lot.expiring"
BATCH = 1000


class StockLot(models.Model):
    _name = "stock.lot"
    _inherit = ["stock.lot", "integration.document"]

    integration_expiry_notified = fields.Char(
        "Published Expiry",
        company_dependent=True,
        copy=False,
        help="Horizon and expiry date for which the lot was published as expiring.",
    )

    @api.model
    def _integration_builders(self):
        return {CREATED: stock.lots, EXPIRING: stock.expiring_lots}

    @api.model_create_multi
    def create(self, vals_list):
        lots = super().create(vals_list)
        lots._integration_emit(CREATED)
        return lots

    @api.model
    def _cron_publish_expiring(self):
        """Publish the lots on hand that expire within their company's horizon.

        Each lot once per horizon and expiry date: a new horizon or a corrected date
        publishes it again.
        """
        if not self._integration_wanted(EXPIRING):
            return
        companies = self.env["res.company"].search(
            [("lot_expiry_horizon_days", ">", 0)]
        )
        for company in companies:
            lots = self.with_company(company)._expiring_unpublished(company)
            for batch in split_every(BATCH, lots.ids, lots.browse):
                batch._publish_expiring(company.lot_expiry_horizon_days)
                self.env["ir.cron"]._commit_progress(len(batch))

    @api.model
    def _expiring_unpublished(self, company):
        """Return the lots in the company's own stock that are due to be published."""
        limit = fields.Datetime.add(
            fields.Datetime.now(), days=company.lot_expiry_horizon_days
        )
        groups = self.env["stock.quant"]._read_group(
            [
                ("company_id", "=", company.id),
                ("location_id.usage", "=", "internal"),
                ("quantity", ">", 0),
                ("lot_id.expiration_date", "<=", limit),
            ],
            ["lot_id"],
        )
        lots = self.concat(*(lot.with_env(self.env) for (lot,) in groups))
        horizon = company.lot_expiry_horizon_days
        return lots.filtered(
            lambda lot: lot.integration_expiry_notified != lot._expiry_key(horizon)
        )

    def _publish_expiring(self, horizon):
        self._integration_emit(EXPIRING)
        for key, lots in self.grouped(lambda lot: lot._expiry_key(horizon)).items():
            lots.integration_expiry_notified = key

    def _expiry_key(self, horizon):
        return f"{horizon} {self.expiration_date:%Y-%m-%d}"
