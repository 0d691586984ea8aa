# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo import api, fields, models
from odoo.exceptions import ValidationError


class IntegrationApiResource(models.Model):
    """What an administrator decided about one resource of the system APIs."""

    _name = "integration.api.resource"
    _description = "System API Resource"
    _inherit = ["integration.audited"]
    _order = "name"

    name = fields.Char(required=True, readonly=True)
    title = fields.Char(compute="_compute_published")
    path = fields.Char(compute="_compute_published")
    scope = fields.Char(compute="_compute_published")
    enabled = fields.Boolean(
        default=True, help="Switched off, the address answers as if it did not exist."
    )
    deprecated_on = fields.Date(
        help="From this day on callers are told not to begin using it"
        " (header Deprecation, RFC 9745)."
    )
    sunset_on = fields.Date(
        help="From this day on it may be gone (header Sunset, RFC 8594). It is not switched"
        " off by itself."
    )
    description = fields.Text(
        help="What the readers of the API description should know."
    )

    _name_uniq = models.Constraint("UNIQUE(name)", "A resource is listed once.")

    @api.constrains("deprecated_on", "sunset_on")
    def _check_dates(self):
        for resource in self:
            begin, end = resource.deprecated_on, resource.sunset_on
            if begin and end and end < begin:
                raise ValidationError(
                    self.env._("A resource cannot go before it is deprecated.")
                )

    def _compute_published(self):
        published = self.env["integration.api"]._resources()
        for record in self:
            resource = published.get(record.name)
            record.title = resource.title if resource else self.env._("No longer there")
            record.path = f"/integration/v1/{record.name}"
            record.scope = resource.scope if resource else False

    @api.model
    def _sync(self):
        """List what the installed connectors publish; called when one is installed."""
        known = set(self.search([]).mapped("name"))
        self.create(
            [
                {"name": name}
                for name in sorted(self.env["integration.api"]._resources())
                if name not in known
            ]
        )

    @api.model
    def _switched_off(self):
        return set(self.sudo().search([("enabled", "=", False)]).mapped("name"))

    @api.model
    def _of(self, name):
        """Return the decisions about a resource, as superuser; empty if there are none."""
        return self.sudo().search([("name", "=", name)], limit=1)
