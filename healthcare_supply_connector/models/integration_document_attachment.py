# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo import api, fields, models


class IntegrationDocument(models.AbstractModel):
    """Business documents show the files partners sent with their messages."""

    _inherit = "integration.document"

    integration_attachment_count = fields.Integer(
        "Partner Documents", compute="_compute_integration_attachment_count"
    )

    def _compute_integration_attachment_count(self):
        groups = (
            self.env["integration.attachment"]
            .sudo()
            ._read_group(
                [("res_model", "=", self._name), ("res_id", "in", self.ids)],
                ["res_id"],
                ["__count"],
            )
        )
        counts = dict(groups)
        for record in self:
            record.integration_attachment_count = counts.get(record.id, 0)

    def action_open_integration_attachments(self):
        """Open the documents of this record.

        :return: window action on ``integration.attachment``
        """
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Documents of %s", self.display_name),
            "res_model": "integration.attachment",
            "view_mode": "list,form",
            "domain": [("res_model", "=", self._name), ("res_id", "=", self.id)],
            "context": {"default_res_model": self._name, "default_res_id": self.id},
        }


class IntegrationAttachment(models.Model):
    """Which documents partners may ask for."""

    _inherit = "integration.attachment"

    @api.model
    def _document_kinds(self):
        return {
            **super()._document_kinds(),
            "purchase-orders": ("purchase.order", "name"),
            "receipts": ("stock.picking", "name"),
            "lots": ("stock.lot", "name"),
            "invoices": ("account.move", "name"),
            "supplier-invoices": ("account.move", "ref"),
            "sales-orders": ("sale.order", "name"),
        }

    @api.model
    def _records_of_partner(self, records, partner):
        """Return the partner's; a lot is his who delivered it or got it delivered."""
        if records._name != "stock.lot":
            return super()._records_of_partner(records, partner)
        lines = (
            self.env["stock.move.line"]
            .sudo()
            .search(
                [
                    ("lot_id", "in", records.ids),
                    ("state", "=", "done"),
                    ("picking_id.partner_id", "child_of", partner.id),
                ]
            )
        )
        return records & lines.lot_id.with_env(records.env)
