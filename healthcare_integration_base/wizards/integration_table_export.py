# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
import base64

from odoo import fields, models

from ..protocol import table_csv
from .integration_table_import import COLUMNS, CROSSWALK

MOST = 50_000


class IntegrationTableExport(models.TransientModel):
    """A CSV file of crosswalks or identifiers, as the import reads it again."""

    _name = "integration.table.export"
    _description = "Export Crosswalks or Identifiers"

    file = fields.Binary(attachment=False, readonly=True)
    file_name = fields.Char(readonly=True)

    def _download(self, records):
        """Return the action that downloads the records as CSV.

        :param records: of integration.crosswalk or integration.identifier, which the user
            may read; protected identifiers are left out
        """
        columns = COLUMNS[records._name]
        of = self._crosswalk if records._name == CROSSWALK else self._identifier
        if records._name != CROSSWALK:
            records = records.filtered(lambda one: one.sensitivity != "phi")
        data = table_csv.write(columns, [of(record) for record in records[:MOST]])
        name = records._name.replace("integration.", "") + "s.csv"
        export = self.create({"file": base64.b64encode(data), "file_name": name})
        url = f"/web/content/{self._name}/{export.id}/file/{name}?download=true"
        return {"type": "ir.actions.act_url", "url": url, "target": "download"}

    def _crosswalk(self, record):
        return [
            record.system_id.code,
            record.domain,
            record.external_value,
            record.internal_value,
            fields.Date.to_string(record.valid_from) or "",
            fields.Date.to_string(record.valid_to) or "",
        ]

    def _identifier(self, record):
        return [
            record.system_id.code,
            record.kind,
            record.value,
            record.res_model,
            str(record.res_id),
            record.sensitivity,
        ]
