# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo import api, fields, models
from odoo.exceptions import ValidationError


class IntegrationOwnership(models.Model):
    """Who keeps a group of fields: Odoo, or an external system.

    What Odoo owns no partner overwrites; what a system owns only that system may change.
    Groups without a row belong to nobody: a person decides about each change.
    """

    _name = "integration.ownership"
    _description = "System of Record"
    _inherit = ["integration.audited"]
    _order = "field_group, company_id"
    _check_company_auto = True

    field_group = fields.Selection(
        selection="_selection_field_group", string="Fields", required=True
    )
    owner = fields.Selection(
        [("odoo", "Odoo"), ("system", "External system")],
        "Kept by",
        required=True,
        default="odoo",
    )
    system_id = fields.Many2one(
        "integration.system", ondelete="cascade", check_company=True
    )
    auto_apply = fields.Boolean(
        "Apply without Approval",
        help="Changes of the owning system take effect at once. New records, and changes "
        "of other fields in the same message, still wait for approval.",
    )
    company_id = fields.Many2one(
        "res.company",
        index=True,
        help="Empty: the rule holds for all companies that have none of their own.",
    )
    field_names = fields.Char("Contains", compute="_compute_field_names")

    _group_uniq = models.UniqueIndex(
        "(field_group, COALESCE(company_id, 0))",
        "It is said already who keeps these fields.",
    )

    @api.model
    def _field_groups(self):
        """Return the groups of fields that can have an owner; connectors add theirs.

        :return: dict of ``<model>:<group>`` -> (label, tuple of field names)
        """
        return {}

    @api.model
    def _selection_field_group(self):
        groups = self._field_groups().items()
        return [(key, label) for key, (label, _names) in groups]

    @api.depends("field_group")
    def _compute_field_names(self):
        groups = self._field_groups()
        for row in self:
            key = row.field_group or ""
            model = self.env.get(key.partition(":")[0])
            names = groups.get(key, ("", ()))[1]
            row.field_names = ", ".join(
                model._fields[name].string if model is not None else name
                for name in names
                if model is None or name in model._fields
            )

    @api.depends("field_group")
    def _compute_display_name(self):
        labels = dict(self._selection_field_group())
        for row in self:
            row.display_name = labels.get(row.field_group, row.field_group)

    @api.constrains("owner", "system_id", "auto_apply")
    def _check_system(self):
        for row in self:
            if (row.owner == "system") != bool(row.system_id):
                raise ValidationError(
                    self.env._("Say which system keeps the fields, if Odoo does not.")
                )
            if row.auto_apply and row.owner != "system":
                raise ValidationError(
                    self.env._("Only what a system keeps is applied without approval.")
                )

    @api.model
    def _rules(self, model, company, system):
        """Return who keeps each field of a model, as a system sees it.

        :param str model: name of the model
        :param company: res.company; its own rule goes before the common one
        :param system: integration.system that wants to change something
        :return: dict of field name -> ``odoo`` (Odoo keeps it), ``other`` (another system
            does), ``own`` (this system does), ``auto`` (so, and without approval)
        """
        groups = self._field_groups()
        keys = [key for key in groups if key.partition(":")[0] == model]
        rows = self.sudo().search(
            [("field_group", "in", keys), ("company_id", "in", [False, company.id])]
        )
        result = {}
        for row in rows.sorted(lambda row: bool(row.company_id)):
            result.update(
                dict.fromkeys(groups[row.field_group][1], row._seen_by(system))
            )
        return result

    def _seen_by(self, system):
        if self.owner == "odoo":
            return "odoo"
        if self.system_id != system:
            return "other"
        return "auto" if self.auto_apply else "own"
