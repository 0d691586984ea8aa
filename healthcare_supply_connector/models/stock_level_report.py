# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo import api, fields, models
from odoo.exceptions import UserError

from odoo.addons.healthcare_integration_base.access import check_group

from ..inbound import stock_levels

STOCK_MANAGER = "stock.group_stock_manager"


class StockLevelReport(models.Model):
    """What the operator of a warehouse says is there, next to what our stock says.

    Stock never changes by it: a person adjusts, line by line or all.
    """

    _name = "stock.level.report"
    _description = "Stock Level Report"
    _inherit = ["integration.document"]
    _order = "counted_at desc, id desc"

    name = fields.Char("Operator's Number", required=True, readonly=True)
    system_id = fields.Many2one(
        "integration.system", readonly=True, ondelete="restrict"
    )
    partner_id = fields.Many2one(
        "res.partner", "Operator", readonly=True, ondelete="restrict"
    )
    company_id = fields.Many2one(
        "res.company", required=True, readonly=True, index=True
    )
    location_id = fields.Many2one(
        "stock.location", required=True, readonly=True, index=True
    )
    counted_at = fields.Datetime(required=True, readonly=True)
    compared_at = fields.Datetime(
        required=True, readonly=True, default=fields.Datetime.now
    )
    complete = fields.Boolean(
        readonly=True, help="What is not listed was said not to be there."
    )
    message_uid = fields.Char("Message ID", readonly=True)
    digest = fields.Char(readonly=True)
    line_ids = fields.One2many("stock.level.report.line", "report_id")
    currency_id = fields.Many2one(related="company_id.currency_id")
    line_count = fields.Integer(readonly=True)
    difference_count = fields.Integer(compute="_compute_differences", store=True)
    difference_value = fields.Monetary(
        compute="_compute_differences",
        store=True,
        help="What all differences are worth at cost, surplus and lack added up.",
    )
    state = fields.Selection(
        [
            ("equal", "Equal"),
            ("different", "Different"),
            ("superseded", "Superseded"),
            ("adjusted", "Adjusted"),
        ],
        compute="_compute_differences",
        store=True,
    )
    superseded = fields.Boolean(readonly=True)

    _number_uniq = models.UniqueIndex(
        "(company_id, system_id, name)", "This report came before."
    )

    @api.depends("line_ids.difference", "line_ids.adjusted_at", "superseded")
    def _compute_differences(self):
        for report in self:
            different = report.line_ids.filtered("is_different")
            left = different.filtered(lambda line: not line.adjusted_at)
            report.difference_count = len(left)
            report.difference_value = sum(abs(line.value) for line in left)
            report.state = (
                "superseded"
                if report.superseded
                else "different"
                if left
                else "adjusted"
                if different
                else "equal"
            )

    def action_adjust_all(self):
        """Adjust our stock to what was reported, on all lines that differ.

        :raises AccessError: the user does not manage the stock
        :raises UserError: nothing differs, or stock has moved since
        """
        self.ensure_one()
        return self.line_ids.filtered(
            lambda line: line.is_different and not line.adjusted_at
        ).action_adjust()

    def _check_adjustable(self):
        check_group(self, STOCK_MANAGER)
        if any(report.superseded for report in self):
            raise UserError(
                self.env._("A newer report of this location came: adjust by that one.")
            )

    def _settle_if_equal(self):
        """Resolve the case of the location when no difference is left."""
        if self.env.context.get("integration_case"):
            return  # the button finishes its case itself
        for report in self.filtered(lambda one: one.state in ("equal", "adjusted")):
            stock_levels.settle(
                report,
                self.env._("Stock was adjusted to report %s.", report.name)
                if report.state == "adjusted"
                else self.env._("Report %s differs in nothing.", report.name),
            )

    @api.model
    def _integration_apply_stock_levels_reported(self, data, message):
        """Compare what was reported with our stock; open a case where it differs.

        :param data: canonical data, valid against the schema of the event type
        :param message: the ``integration.message`` it came in
        :return: the report; stock never changes by it
        :raise Rejected: location not the sender's, item unknown, line twice, …
        :raise Filtered: reported before, or older than the last report
        """
        return stock_levels.apply(self.env, data, message)
