# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
import hashlib
import re

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError

from ..access import check_group
from ..const import DIRECTIONS
from ..protocol import mapping as jsonata
from ..protocol.errors import IntegrationError
from .integration_audited import TRANSITION

APPROVER = "healthcare_integration_base.group_approver"
MAPPER = "healthcare_integration_base.group_mapper"
# RFC 9110 §8.3.1, with at most one parameter
CONTENT_TYPE = re.compile(
    r"[\w!#$&^.+-]{1,100}/[\w!#$&^.+-]{1,100}(; ?[\w-]{1,40}=[\w.+-]{1,80})?", re.ASCII
)
CONTENT = {
    "name",
    "company_id",
    "direction",
    "event_type_id",
    "system_id",
    "kind",
    "line_ids",
    "expression_text",
    "content_type",
}


class IntegrationMapping(models.Model):
    """A version of a transformation between our canonical form and a partner's.

    draft → approved (by somebody who did not write it) → active → retired. What is no
    draft any more never changes: a correction is a new version.
    """

    _name = "integration.mapping"
    _description = "Integration Mapping"
    _inherit = ["mail.thread", "integration.audited"]
    _order = "name, version desc"
    _check_company_auto = True
    _integration_guarded = (
        "state",
        "version",
        "author_id",
        "approver_id",
        "approved_at",
        "previous_id",
    )

    name = fields.Char(required=True, tracking=True)
    version = fields.Integer(default=1, required=True, readonly=True, copy=False)
    company_id = fields.Many2one(
        "res.company",
        compute="_compute_company_id",
        store=True,
        readonly=False,
        precompute=True,
        ondelete="restrict",
        help="Empty: a mapping that all companies share.",
    )
    direction = fields.Selection(DIRECTIONS, default="out", required=True)
    event_type_id = fields.Many2one(
        "integration.event.type", required=True, ondelete="restrict"
    )
    system_id = fields.Many2one(
        "integration.system", check_company=True, help="Whose crosswalks are used."
    )
    state = fields.Selection(
        [
            ("draft", "Draft"),
            ("approved", "Approved"),
            ("active", "Active"),
            ("retired", "Retired"),
        ],
        default="draft",
        required=True,
        readonly=True,
        copy=False,
        tracking=True,
    )
    kind = fields.Selection(
        [("table", "Field table"), ("jsonata", "JSONata expression")],
        default="table",
        required=True,
    )
    line_ids = fields.One2many("integration.mapping.line", "mapping_id", copy=True)
    expression_text = fields.Text("JSONata")
    expression = fields.Text(
        compute="_compute_expression",
        help="What is evaluated: typed, or compiled from the table.",
    )
    content_type = fields.Char(
        default="application/json",
        required=True,
        help="Content type of the mapped body.",
    )
    author_id = fields.Many2one(
        "res.users", readonly=True, default=lambda self: self.env.user, copy=False
    )
    approver_id = fields.Many2one("res.users", readonly=True, copy=False)
    approved_at = fields.Datetime(readonly=True, copy=False)
    previous_id = fields.Many2one("integration.mapping", readonly=True, copy=False)

    _name_version_uniq = models.UniqueIndex(
        "(name, version, COALESCE(company_id, 0))",
        "This mapping has such a version already.",
    )

    @api.depends("system_id")
    def _compute_company_id(self):
        for mapping in self:
            mapping.company_id = mapping.system_id.company_id or mapping.company_id

    @api.depends("name", "version")
    def _compute_display_name(self):
        for mapping in self:
            mapping.display_name = f"{mapping.name} v{mapping.version}"

    def copy_data(self, default=None):
        return [
            dict(vals, name=self.env._("%s (copy)", vals["name"]))
            for vals in super().copy_data(default)
        ]

    # -- expression ----------------------------------------------------------------

    @api.depends(
        "kind",
        "expression_text",
        "line_ids.sequence",
        "line_ids.target",
        "line_ids.source",
        "line_ids.transform",
        "line_ids.default",
        "line_ids.required",
        "line_ids.crosswalk",
    )
    def _compute_expression(self):
        for mapping in self:
            try:
                mapping.expression = mapping._build_expression()
            except IntegrationError:
                mapping.expression = False  # saving tells the reason

    def _build_expression(self):
        if self.kind == "jsonata":
            return self.expression_text or ""
        lines = self.line_ids.sorted("sequence")
        return jsonata.compile_table([line._to_ring1() for line in lines])

    def _check_expression(self):
        """Let only expressions pass that compile.

        :raises ValidationError: with the position of the error
        """
        for mapping in self:
            try:
                jsonata.compile_expression(mapping._build_expression())
            except IntegrationError as error:
                raise ValidationError(mapping._expression_error(error)) from None

    def _expression_error(self, error):
        position = getattr(error, "position", None)
        if position is None:
            return self.env._(
                "Mapping %(name)s: %(error)s", name=self.name, error=error.message
            )
        return self.env._(
            "Mapping %(name)s, position %(position)s: %(error)s",
            name=self.name,
            position=position,
            error=error.message,
        )

    @api.constrains("content_type")
    def _check_content_type(self):
        for mapping in self:
            if not CONTENT_TYPE.fullmatch(mapping.content_type):
                raise ValidationError(
                    self.env._(
                        "The content type must read like application/json or"
                        " text/plain; charset=utf-8."
                    )
                )

    @api.constrains("kind", "expression_text", "line_ids")
    def _constrain_expression(self):
        # A table may be saved while it has no rows yet; it cannot be approved like that.
        self.filtered(
            lambda one: one.kind == "jsonata" or one.line_ids
        )._check_expression()

    def _evaluate(self, data, meta):
        """Apply the mapping to one event or incoming document.

        :param data: canonical data, or the parsed document of a partner
        :param dict meta: id, type, time, subject, source, correlation; readable
            in the expression as ``event``
        :return: JSON value
        :raises MappingError: with a code; never quotes the data
        """
        self.ensure_one()
        document = dict(data) if isinstance(data, dict) else {"data": data}
        document["event"] = meta
        translate = self.env["integration.crosswalk"]._translator(
            self.system_id, self.direction
        )
        compiled = jsonata.compile_expression(self._build_expression())
        return compiled.evaluate(document, crosswalk=translate)

    # -- life cycle ------------------------------------------------------------------

    @api.model_create_multi
    def create(self, vals_list):
        mappings = super().create(vals_list)
        mappings._integration_transition({"author_id": self.env.uid})
        return mappings

    def write(self, vals):
        if CONTENT & vals.keys():
            self._check_draft()
            allowed = self.with_context(integration_transition=TRANSITION)
            return super(IntegrationMapping, allowed).write(
                dict(vals, author_id=self.env.uid)
            )
        return super().write(vals)

    def _check_draft(self):
        fixed = self.filtered(lambda one: one.state != "draft")
        if fixed and self.env.registry.ready:
            raise UserError(
                self.env._(
                    "%s is no draft any more; make a new version to change it.",
                    fixed[0].display_name,
                )
            )

    @api.ondelete(at_uninstall=False)
    def _unlink_except_used(self):
        self._check_draft()

    def action_approve(self):
        """Approve drafts that somebody else has written.

        :raises AccessError: the user is no approver, or had a hand in it
        """
        check_group(self, APPROVER)
        for mapping in self:
            if self.env.user in mapping.author_id | mapping.create_uid:
                raise AccessError(
                    self.env._(
                        "You wrote %s yourself; somebody else has to approve it.",
                        mapping.display_name,
                    )
                )
        self._advance(
            "draft", "approved", approver_id=self.env.uid, approved_at=self._now()
        )

    def action_activate(self):
        """Use approved mappings in place of their earlier versions.

        Subscriptions and endpoints of the earlier version change over; messages that
        are rendered already keep the bytes they have.
        """
        check_group(self, APPROVER)
        self._advance("approved", "active")
        for mapping in self.sudo():
            mapping._replace_earlier()

    def action_reject(self):
        """Give approved mappings back to their author as drafts."""
        check_group(self, APPROVER)
        self._advance("approved", "draft", approver_id=False, approved_at=False)

    def action_retire(self):
        """Take active mappings out of use.

        :raises UserError: a subscription or endpoint still uses one
        """
        check_group(self, APPROVER)
        for mapping in self.sudo():
            users = mapping._users("integration.subscription") or mapping._users(
                "integration.endpoint"
            )
            if users:
                raise UserError(
                    self.env._(
                        "%(mapping)s is used by %(user)s.",
                        mapping=mapping.display_name,
                        user=users[0].display_name,
                    )
                )
        self._advance("active", "retired")

    def action_new_version(self):
        """Make a draft from this version.

        :return: action that opens it
        """
        self.ensure_one()
        check_group(self, MAPPER)
        draft = self._new_version()
        return {
            "type": "ir.actions.act_window",
            "res_model": self._name,
            "res_id": draft.id,
            "view_mode": "form",
            "views": [(False, "form")],
        }

    def _new_version(self):
        newest = self.sudo().search(
            [("name", "=", self.name), ("company_id", "=", self.company_id.id)],
            order="version desc",
            limit=1,
        )
        vals = dict(
            self.copy_data()[0],
            name=self.name,
            version=newest.version + 1,
            previous_id=self.id,
        )
        draft = self.with_context(integration_transition=TRANSITION).create([vals])
        return draft.with_env(self.env)

    def action_preview(self):
        """Open the preview on a real event."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Preview Mapping"),
            "res_model": "integration.mapping.preview",
            "view_mode": "form",
            "target": "new",
            "context": {"default_mapping_id": self.id},
        }

    def _now(self):
        return fields.Datetime.now()

    def _advance(self, before, after, **vals):
        wrong = self.filtered(lambda one: one.state != before)
        if wrong:
            states = dict(self._fields["state"]._description_selection(self.env))
            raise UserError(
                self.env._(
                    "%(mapping)s must be in state %(state)s for this.",
                    mapping=wrong[0].display_name,
                    state=states[before],
                )
            )
        self._check_expression()
        self.sudo()._integration_transition(dict(vals, state=after))
        for mapping in self:
            digest = hashlib.sha256(mapping._build_expression().encode()).hexdigest()
            self.env["integration.audit.entry"]._log(
                "state",
                mapping,
                detail={"state": [before, after], "expression_sha256": digest},
            )

    def _replace_earlier(self):
        earlier = self.search(
            [
                ("name", "=", self.name),
                ("company_id", "=", self.company_id.id),
                ("version", "<", self.version),
                ("state", "in", ("active", "approved")),
            ]
        )
        for model in ("integration.subscription", "integration.endpoint"):
            earlier._users(model).write({"mapping_id": self.id})
        for mapping in earlier:
            mapping._advance(mapping.state, "retired")

    def _users(self, model):
        users = self.env[model].with_context(active_test=False)
        return users.search([("mapping_id", "in", self.ids)])
