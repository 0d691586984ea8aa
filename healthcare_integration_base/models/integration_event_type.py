# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
import re

from odoo import api, fields, models, tools
from odoo.exceptions import UserError, ValidationError

from ..const import DIRECTIONS, SENSITIVITIES
from ..protocol import envelope, schema
from ..protocol.errors import Configuration, IntegrationError

CODE = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+")
HANDLER_PREFIX = "_integration_apply_"


class IntegrationEventType(models.Model):
    """One entry of the catalogue: what can happen, and what its data look like."""

    _name = "integration.event.type"
    _description = "Integration Event Type"
    _inherit = ["mail.thread", "integration.audited", "integration.captured"]
    _order = "code, version desc"
    _integration_captured_fields = (
        "active",
        "code",
        "version",
        "direction",
        "sensitivity",
        "keep_without_subscriber",
    )
    _rec_name = "code"
    _rec_names_search = ["code", "name"]

    name = fields.Char(required=True, translate=True)
    code = fields.Char(
        required=True,
        help="domain.entity.past_participle, e.g. supply.purchase_order.released",
    )
    version = fields.Integer(default=1, required=True)
    active = fields.Boolean(default=True)
    direction = fields.Selection(
        DIRECTIONS,
        default="out",
        required=True,
        help="Outgoing: Odoo emits it. Incoming: partners send it.",
    )
    description = fields.Text(translate=True)
    schema_path = fields.Char(
        help="File of the JSON Schema in an addon, "
        "e.g. healthcare_supply_connector/schemas/x.v1.json"
    )
    schema_text = fields.Text("JSON Schema", help="Overrides the file.")
    source_of_truth = fields.Selection(
        [("odoo", "Odoo"), ("partner", "Partner")], default="odoo", required=True
    )
    owner_id = fields.Many2one("res.users")
    sensitivity = fields.Selection(
        SENSITIVITIES, default="internal", required=True, tracking=True
    )
    retention_days = fields.Integer(default=365)
    deprecated_on = fields.Date(tracking=True)
    sunset_on = fields.Date(tracking=True)
    model_id = fields.Many2one("ir.model", ondelete="cascade")
    model = fields.Char("Model Name", related="model_id.model", store=True, index=True)
    keep_without_subscriber = fields.Boolean(tracking=True)
    handler_model = fields.Char(help="Model whose method applies an incoming message.")
    handler_method = fields.Char(help="Name starts with _integration_apply_.")

    _code_version_uniq = models.Constraint(
        "UNIQUE(code, version)", "An event type has one record per version."
    )
    _version_positive = models.Constraint("CHECK(version > 0)", "Versions start at 1.")

    # -- catalogue look-up ---------------------------------------------------------

    @api.model
    def _get(self, code, version=None):
        """Return the id of an active event type.

        :param str code: e.g. ``supply.purchase_order.released``
        :param int version: None for the newest
        :return: id, or False when the catalogue has none
        """
        try:
            return self._get_cached(code, version)
        except KeyError:
            return False

    @api.model
    @tools.ormcache("code", "version")
    def _get_cached(self, code, version):
        domain = [("code", "=", code)] + (
            [("version", "=", version)] if version else []
        )
        found = self.sudo().search(domain, order="version desc", limit=1)
        if not found:
            # An exception is not cached: an old snapshot must not hide a type for ever.
            raise KeyError(code)
        return found.id

    @api.model
    def _get_by_type(self, text):
        """Return the id for ``healthcare.<code>.v<n>`` or a bare code, False if unknown."""
        try:
            return self._get(*envelope.parse_type(text))
        except IntegrationError:
            return self._get(text)

    def _cloudevent_type(self):
        """Return the CloudEvents ``type`` of this version."""
        self.ensure_one()
        return envelope.type_of(self.code, self.version)

    @api.model_create_multi
    def create(self, vals_list):
        self.env.registry.clear_cache()
        return super().create(vals_list)

    def write(self, vals):
        if "sensitivity" in vals:
            self._check_protection_kept(vals["sensitivity"])
        self.env.registry.clear_cache()
        return super().write(vals)

    def copy_data(self, default=None):
        """A copy is the next version, unless it gets another code."""
        if {"code", "version"} & set(default or ()):
            return super().copy_data(default)
        return [
            {**vals, "version": event_type._newest().version + 1}
            for event_type, vals in zip(self, super().copy_data(default), strict=True)
        ]

    def _newest(self):
        versions = self.sudo().with_context(active_test=False)
        return versions.search(
            [("code", "=", self.code)], order="version desc", limit=1
        )

    def _check_protection_kept(self, sensitivity):
        """Events at rest are ciphertext or not; a type cannot change that behind them.

        :raises UserError: there are events and protection would begin or end
        """
        changed = self.filtered(
            lambda one: (one.sensitivity == "phi") != (sensitivity == "phi")
        )
        events = self.env["integration.event"].sudo()
        if changed and events.search_count([("type_id", "in", changed.ids)], limit=1):
            raise UserError(
                self.env._(
                    "There are events of this type; make a new version of it to change whether"
                    " it is protected health information."
                )
            )

    def unlink(self):
        self.env.registry.clear_cache()
        return super().unlink()

    # -- schema ----------------------------------------------------------------------

    def _schema(self):
        """Return the JSON Schema (2020-12) of the data; it must not be changed.

        :rtype: dict
        :return: empty when the type has no schema: then all data fit
        :raises Configuration: the schema file is missing or broken
        """
        self.ensure_one()
        return self._schema_cached()

    @tools.ormcache("self.id")
    def _schema_cached(self):
        return schema.check_schema(self._schema_source() or "{}")

    def _has_schema(self):
        """Tell whether the type has a schema that partners can fetch."""
        return bool(self.schema_text or self.schema_path)

    def _schema_source(self):
        self_sudo = self.sudo()
        if self_sudo.schema_text or not self_sudo.schema_path:
            return self_sudo.schema_text
        try:
            with tools.file_open(self_sudo.schema_path, filter_ext=(".json",)) as file:
                return file.read()
        except (OSError, ValueError):
            raise Configuration(
                f"The schema file {self_sudo.schema_path} of {self_sudo.code} cannot be read",
                code="schema_unreadable",
            ) from None

    def _validate(self, data):
        """Return how ``data`` deviate from the schema, without quoting a value.

        :rtype: list[dict]
        :return: ``{"path", "message"}`` of each deviation; empty when they fit
        """
        found = self._schema()
        return schema.validate(found, data) if found else []

    # -- form errors ------------------------------------------------------------------

    @api.constrains("code")
    def _check_code(self):
        for event_type in self:
            if not CODE.fullmatch(event_type.code):
                raise ValidationError(
                    self.env._(
                        "The code %s must be lower-case words joined by dots, "
                        "e.g. supply.purchase_order.released.",
                        event_type.code,
                    )
                )

    @api.constrains("schema_text", "schema_path")
    def _check_schema(self):
        for event_type in self:
            try:
                schema.check_schema(event_type._schema_source() or "{}")
            except IntegrationError as error:
                raise ValidationError(
                    self.env._(
                        "JSON Schema of %(code)s: %(error)s",
                        code=event_type.code,
                        error=error.message,
                    )
                ) from None

    @api.constrains("handler_model", "handler_method", "direction")
    def _check_handler(self):
        for event_type in self.filtered(
            lambda one: one.handler_model or one.handler_method
        ):
            event_type._check_handler_exists()

    def _check_handler_exists(self):
        if not (self.handler_model and self.handler_method):
            raise ValidationError(
                self.env._("A handler needs both its model and its method.")
            )
        if not self.handler_method.startswith(HANDLER_PREFIX):
            raise ValidationError(
                self.env._(
                    "The handler %(method)s is refused: names of handlers start with %(prefix)s.",
                    method=self.handler_method,
                    prefix=HANDLER_PREFIX,
                )
            )
        model = self.env.get(self.handler_model)
        if model is None or not hasattr(model, self.handler_method):
            raise ValidationError(
                self.env._(
                    "There is no method %(method)s on model %(model)s.",
                    method=self.handler_method,
                    model=self.handler_model,
                )
            )
