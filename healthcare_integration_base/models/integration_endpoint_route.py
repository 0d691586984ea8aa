# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo import api, fields, models
from odoo.exceptions import ValidationError

from ..protocol import mapping, routing
from ..protocol.errors import IntegrationError


class IntegrationEndpointRoute(models.Model):
    """A rule of an incoming endpoint: messages with this content are of that type."""

    _name = "integration.endpoint.route"
    _description = "Route of an Endpoint"
    _inherit = ["integration.audited", "integration.captured"]
    _order = "endpoint_id, sequence, id"
    _rec_name = "event_type_id"
    _check_company_auto = True
    _integration_captured_fields = (
        "endpoint_id",
        "sequence",
        "active",
        "condition",
        "path",
        "value",
        "expression",
        "event_type_id",
    )

    endpoint_id = fields.Many2one(
        "integration.endpoint", required=True, ondelete="cascade", index=True
    )
    company_id = fields.Many2one(related="endpoint_id.company_id", store=True)
    sequence = fields.Integer(default=10)
    active = fields.Boolean(default=True)
    condition = fields.Selection(
        [
            ("equals", "Value is one of"),
            ("exists", "Value is there"),
            ("matches", "Value matches"),
            ("content_type", "Content type is"),
            ("jsonata", "JSONata expression"),
            ("always", "Everything else"),
        ],
        default="equals",
        required=True,
        help="All but JSONata expressions are decided when the message comes in; those when "
        "it is applied, so that the partner is never told at once that no route takes it.",
    )
    path = fields.Char(
        help="Where the value is: order.lines[0].sku in the content, $event.type of a "
        "CloudEvent's attributes (id, type, time, subject, source, correlation)."
    )
    value = fields.Text(help="One or more values, one a line; or a regular expression.")
    expression = fields.Text(
        help="True for messages of this route. The attributes of a CloudEvent are in event."
    )
    event_type_id = fields.Many2one(
        "integration.event.type",
        required=True,
        ondelete="restrict",
        domain="[('direction', '=', 'in')]",
    )
    mapping_id = fields.Many2one(
        "integration.mapping",
        ondelete="restrict",
        domain="[('direction', '=', 'in'), ('event_type_id', '=', event_type_id)]",
        check_company=True,
        help="None: the content is in canonical form.",
    )

    @api.constrains("condition", "path", "value", "expression")
    def _check_condition(self):
        for route in self:
            try:
                route._condition()
                if route.condition == "jsonata":
                    mapping.compile_expression(route.expression or "")
            except (ValueError, IntegrationError) as error:
                raise ValidationError(
                    self.env._(
                        "Route to %(type)s: %(error)s",
                        type=route.event_type_id.code,
                        error=getattr(error, "message", error),
                    )
                ) from None

    @api.constrains("event_type_id", "mapping_id")
    def _check_types(self):
        for route in self:
            target = route.event_type_id
            if target.direction != "in":
                raise ValidationError(
                    self.env._("Event type %s is not an incoming one.", target.code)
                )
            if route.mapping_id and route.mapping_id.event_type_id != target:
                raise ValidationError(
                    self.env._(
                        "Mapping %(mapping)s does not make messages of type %(type)s.",
                        mapping=route.mapping_id.display_name,
                        type=target.code,
                    )
                )

    def _condition(self):
        """Return the condition in the form that is evaluated.

        :rtype: protocol.routing.Condition
        :raises ValueError: it is incomplete or cannot be read
        """
        self.ensure_one()
        return routing.condition(
            self.condition, self.path or "", self.value or "", self.expression or ""
        )

    def _rules(self):
        """Return the routes as rules, in their order."""
        return tuple(
            routing.Rule(route.id, route._condition(), route.event_type_id.id)
            for route in self.sorted(lambda one: (one.sequence, one.id))
        )

    def _holds(self, document):
        """Tell whether a message takes this route; evaluates JSONata, so not in a request.

        :param document: protocol.routing.Document
        :raises MappingError: the expression fails on these data
        """
        verdict = self._condition().holds(document)
        if verdict is not None:
            return verdict
        data = document.data if isinstance(document.data, dict) else {}
        compiled = mapping.compile_expression(self.expression)
        return compiled.evaluate({**data, "event": dict(document.event)}) is True
