# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo import api, fields, models, tools
from odoo.fields import Domain

from ..const import ERROR_CLASSES


class IntegrationExceptionCode(models.Model):
    """What a code of a cause means to people, and what they can do about it.

    Connectors bring the codes of their causes as data. A row without a code stands for
    all codes of its category that have no row of their own.
    """

    _name = "integration.exception.code"
    _description = "Kind of Integration Exception"
    _inherit = ["integration.audited"]
    _order = "category, code"

    name = fields.Char("Title", required=True, translate=True)
    code = fields.Char(help="Stable error code; empty: all others of the category.")
    category = fields.Selection(ERROR_CLASSES, required=True, default="business")
    active = fields.Boolean(default=True)
    meaning = fields.Text(
        "What Happened", translate=True, help="In business words, for staff."
    )
    advice = fields.Text(
        "What to Do", translate=True, help="How such a case is finished, step by step."
    )
    queue_id = fields.Many2one(
        "integration.exception.queue",
        "Default Queue",
        ondelete="restrict",
        help="Where such cases go when no routing rule and no endpoint says otherwise.",
    )
    template_id = fields.Many2one(
        "mail.template",
        "Dispute E-mail",
        domain=[("model", "=", "integration.exception")],
        ondelete="restrict",
        help="What the partner is sent when such a case is disputed.",
    )

    _code_uniq = models.UniqueIndex(
        "(code) WHERE code IS NOT NULL", "This code is described already."
    )
    _category_uniq = models.UniqueIndex(
        "(category) WHERE code IS NULL",
        "The other codes of this category are described already.",
    )

    @api.model
    def _of(self, code, category):
        """Return the description of a code, else of its category, else an empty one.

        :param str code: stable error code
        :param str category: error class
        """
        return self.browse(self._id_of(code or "", category))

    @api.model
    @tools.ormcache("code", "category")
    def _id_of(self, code, category):
        domain = Domain("code", "=", code) if code else Domain.FALSE
        fallback = Domain("code", "=", False) & Domain("category", "=", category)
        found = self.sudo().search(domain) or self.sudo().search(fallback)
        return found.id or False

    @api.model_create_multi
    def create(self, vals_list):
        self.env.registry.clear_cache()
        return super().create(vals_list)

    def write(self, vals):
        self.env.registry.clear_cache()
        return super().write(vals)

    def unlink(self):
        self.env.registry.clear_cache()
        return super().unlink()
