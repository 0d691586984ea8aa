# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo import fields, models


class IntegrationExceptionQueue(models.Model):
    _name = "integration.exception.queue"
    _description = "Integration Exception Queue"
    _order = "sequence, name"
    _check_company_auto = True

    name = fields.Char(required=True, translate=True)
    sequence = fields.Integer(default=10)
    active = fields.Boolean(default=True)
    company_id = fields.Many2one("res.company")
    member_ids = fields.Many2many("res.users", string="Members")
    category_codes = fields.Char(
        help="Categories that come here, separated by commas; empty: what no other queue takes."
    )
    event_prefixes = fields.Char(
        help="Event type codes that come here, by their beginning and separated by commas, e.g. finance."
    )
    hours_to_resolve = fields.Float(default=24.0, required=True)
    color = fields.Integer()
    exception_ids = fields.One2many("integration.exception", "queue_id")
