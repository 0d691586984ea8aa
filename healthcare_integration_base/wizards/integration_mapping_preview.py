# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError

from .. import codecs
from ..engine import payload, render
from ..models.integration_audited import TRANSITION
from ..protocol.errors import IntegrationError, Rejected

PAYLOAD_READER = "healthcare_integration_base.group_payload_reader"
MAPPER = "healthcare_integration_base.group_mapper"
APPROVER = "healthcare_integration_base.group_approver"


class IntegrationMappingPreview(models.TransientModel):
    """What a mapping makes of a real event, by the very function that sends.

    The result is computed when it is read and has no column, so no payload is copied
    into this table.
    """

    _name = "integration.mapping.preview"
    _description = "Preview of a Mapping"
    _allow_sudo_commands = False

    mapping_id = fields.Many2one(
        "integration.mapping", required=True, ondelete="cascade"
    )
    direction = fields.Selection(related="mapping_id.direction")
    event_type_id = fields.Many2one(related="mapping_id.event_type_id")
    expression = fields.Text(related="mapping_id.expression", related_sudo=False)
    event_id = fields.Many2one(
        "integration.event",
        compute="_compute_sample",
        store=True,
        readonly=False,
        domain="[('type_id', '=', event_type_id)]",
        help="The newest event of the type, or another one.",
    )
    message_id = fields.Many2one(
        "integration.message",
        compute="_compute_sample",
        store=True,
        readonly=False,
        domain="[('direction', '=', 'in'), ('event_type_id', '=', event_type_id)]",
        help="The newest incoming message of the type, or another one.",
    )
    shown = fields.Boolean(
        readonly=True, help="Viewing was asked for and is in the audit trail."
    )
    result = fields.Text(compute="_compute_result")
    error = fields.Char(compute="_compute_result")
    schema_errors = fields.Text(compute="_compute_result")
    content_type = fields.Char(compute="_compute_result")

    @api.depends("mapping_id")
    def _compute_sample(self):
        for preview in self:
            newest = [("type_id", "=", preview.event_type_id.id)]
            preview.event_id = preview.direction == "out" and self.env[
                "integration.event"
            ].search(newest, limit=1)
            incoming = [
                ("direction", "=", "in"),
                ("event_type_id", "=", preview.event_type_id.id),
            ]
            preview.message_id = preview.direction == "in" and self.env[
                "integration.message"
            ].search(incoming, limit=1)

    def action_preview(self):
        """Show the result; the view of the content is an audit entry.

        :return: the same form
        :raises AccessError: no right for mappings, or for content of this sensitivity
        :raises UserError: nothing to preview on, or of another type than the mapping's
        """
        self.ensure_one()
        self._check_rights()
        sample = self._sample()
        if not sample:
            raise UserError(
                self.env._("Choose an event or message to preview the mapping on.")
            )
        if self._sample_type() != self.event_type_id:
            raise UserError(
                self.env._(
                    "The mapping is for %(code)s; choose one of this type.",
                    code=self.event_type_id.display_name,
                )
            )
        self.env["integration.audit.entry"]._log(
            "payload_view",
            sample,
            self.env._("Preview of %s", self.mapping_id.display_name),
        )
        self.with_context(integration_transition=TRANSITION).shown = True
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Preview Mapping"),
            "res_model": self._name,
            "res_id": self.id,
            "view_mode": "form",
            "views": [(False, "form")],
            "target": "new",
        }

    @api.model_create_multi
    def create(self, vals_list):
        return super().create([dict(vals, shown=False) for vals in vals_list])

    def write(self, vals):
        # Another content is another view, and only action_preview begins one.
        if self.env.context.get("integration_transition") is not TRANSITION:
            vals = dict(vals, shown=False)
        return super().write(vals)

    def _sample(self):
        sample = self.event_id if self.direction == "out" else self.message_id
        sample.check_access("read")
        return sample

    def _sample_type(self):
        sample = self._sample().sudo()
        return sample.type_id if self.direction == "out" else sample.event_type_id

    def _check_rights(self):
        user = self.env.user
        if not self.env.su and not (user.has_group(MAPPER) or user.has_group(APPROVER)):
            raise AccessError(
                self.env._("Only mappers and approvers may preview mappings.")
            )
        protected = self._sample_type().sensitivity == "phi" or self.direction == "in"
        if protected and not self.env.su and not user.has_group(PAYLOAD_READER):
            raise AccessError(
                self.env._(
                    "Only payload readers may see protected or incoming content."
                )
            )

    @api.depends("shown", "mapping_id", "event_id", "message_id")
    def _compute_result(self):
        for preview in self:
            preview.update(
                {"result": "", "error": "", "schema_errors": "", "content_type": ""}
            )
            # An onchange could bring its own "shown"; only a saved one is in the audit trail.
            if preview.shown and isinstance(preview.id, int):
                preview._check_rights()
                preview._show()

    def _show(self):
        try:
            made = self._outgoing() if self.direction == "out" else self._incoming()
        except IntegrationError as error:
            self.error = f"{error.code}: {error.message}"
            return
        self.result = made.body.decode("utf-8", "replace")
        self.content_type = made.content_type
        self.schema_errors = "\n".join(
            f"{one['path'] or '/'}: {one['message']}" for one in made.schema_errors
        )

    def _outgoing(self):
        values = render.event_values(self._sample())
        return render.render(values, self.mapping_id, self.env["integration.endpoint"])

    def _incoming(self):
        message = self._sample().sudo()
        stored = payload.load(self.env.cr, message.ids).get(message.id)
        if stored is None:
            raise Rejected("The body is no longer stored", code="body_missing")
        mimetype, charset = codecs.parse_content_type(message.content_type or "")
        codec = codecs.get(message.endpoint_id.codec)
        received = codec.parse(payload.clear(stored), mimetype, charset)
        return render.render_incoming(received.data, received.meta(), self.mapping_id)
