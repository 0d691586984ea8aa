# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
import hashlib
import re
import secrets

from odoo import Command, api, fields, models
from odoo.exceptions import AccessError, ValidationError
from odoo.tools import consteq

from ..protocol.errors import Configuration
from .integration_client_scope import ALL_RESOURCES, DEFAULT_SCOPES

ADMINISTRATOR = "healthcare_integration_base.group_administrator"
# hik_<prefix to find it by>_<256 random bits>
KEY = re.compile(r"hik_([a-z0-9]{8})_([A-Za-z0-9_-]{43})")
# what *:read does not cover
NO_RESOURCES = ("messages", "feeds", "schemas", "attachments", "validations")
NO_HASH = "0" * 64


class IntegrationClient(models.Model):
    """A machine identity that may call us."""

    _name = "integration.client"
    _description = "Integration Client"
    _inherit = ["mail.thread", "integration.audited"]
    _order = "name"
    _check_company_auto = True

    name = fields.Char(required=True, tracking=True)
    active = fields.Boolean(default=True, tracking=True)
    # Its company is this record's: nothing to compare it with.
    system_id = fields.Many2one(
        "integration.system",
        required=True,
        ondelete="restrict",
        tracking=True,
    )
    company_id = fields.Many2one(related="system_id.company_id", store=True)
    user_id = fields.Many2one(
        "res.users",
        string="Acts As",
        required=True,
        tracking=True,
        help="The user with whose rights its messages are applied.",
    )
    owner_id = fields.Many2one("res.users", tracking=True)
    expires_at = fields.Datetime(tracking=True)
    endpoint_ids = fields.Many2many(
        "integration.endpoint",
        "integration_client_endpoint_rel",
        "client_id",
        "endpoint_id",
        domain="[('direction', '=', 'in')]",
        check_company=True,
    )
    credential_ids = fields.Many2many(
        "integration.credential",
        "integration_client_credential_rel",
        "client_id",
        "credential_id",
        domain="[('kind', '=', 'signing_secret')]",
        check_company=True,
        help="Secrets with which the client signs its calls (Standard Webhooks).",
    )
    key_ids = fields.One2many("integration.client.key", "client_id")
    scope_ids = fields.One2many(
        "integration.client.scope",
        "client_id",
        default=lambda self: self._default_scope_ids(),
        help="What the client may do; everything else is refused.",
    )
    record_scope = fields.Selection(
        [
            ("partner", "Documents of its system's partner"),
            ("company", "All of its company"),
        ],
        string="Sees",
        compute="_compute_record_scope",
        store=True,
        readonly=False,
        precompute=True,
        required=True,
        tracking=True,
        help="Which records the system APIs and attachments show it.",
    )

    @api.model
    def _default_scope_ids(self):
        return [Command.create({"scope": code}) for code in DEFAULT_SCOPES]

    @api.depends("system_id")
    def _compute_record_scope(self):
        # only at first: another system must not widen what somebody has chosen
        for client in self.filtered(lambda one: not one.record_scope):
            has_partner = client.system_id.partner_id
            client.record_scope = "partner" if has_partner else "company"

    @api.constrains("user_id", "system_id")
    def _check_user(self):
        for client in self:
            user = client.user_id.sudo()
            if user._is_superuser() or not user.active:
                raise ValidationError(
                    self.env._(
                        "A client acts as an active user of its own, never as the system."
                    )
                )
            if client.company_id and client.company_id not in user.company_ids:
                raise ValidationError(
                    self.env._(
                        "User %(user)s has no access to company %(company)s of the client.",
                        user=user.name,
                        company=client.company_id.name,
                    )
                )

    def _company(self):
        """Return the one company in which the client's messages are applied."""
        self.ensure_one()
        return self.company_id or self.user_id.company_id

    def _acting_env(self, env, **context):
        """Return the environment in which the client's work is done.

        It is that of the client's user, with its rights and no more, in the client's
        one company. What is changed in it is not echoed to the client's system.

        :param env: any environment of the same transaction
        :param context: further values of the context
        :raises Configuration: the user is gone, or is the system itself
        """
        client = self.sudo()
        user = client.user_id
        if not user.active or user._is_superuser():
            raise Configuration(
                "The client, or the user it acts as, is gone", code="no_acting_user"
            )
        values = {
            "allowed_company_ids": client._company().ids,
            "lang": user.lang,
            "tz": user.tz,
            "integration_origin": client.system_id.id,
            **context,
        }
        return env(user=user.id, su=False, context=values)

    def _may(self, scope):
        """Tell whether the client has a scope, itself or by ``*:read``.

        :param str scope: for example ``messages:write`` or ``products:read``
        """
        own = set(self.sudo().scope_ids.mapped("scope"))
        return scope in own or (ALL_RESOURCES in own and self._is_resource(scope))

    @api.model
    def _is_resource(self, scope):
        return scope.endswith(":read") and scope.partition(":")[0] not in NO_RESOURCES

    # -- keys ------------------------------------------------------------------------

    def action_new_key(self):
        """Open the wizard that makes an API key and shows it once."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("New API Key"),
            "res_model": "integration.client.key.generate",
            "view_mode": "form",
            "target": "new",
            "context": {"default_client_id": self.id},
        }

    def _generate_key(self, name, expires_at=False):
        """Make an API key; only its hash is kept.

        :param str name: to tell the keys of a client apart
        :param datetime expires_at: naive UTC, or False for no end of its own
        :return: the key, to be shown once
        :rtype: str
        :raises AccessError: the user is no integration administrator, or none of the
            client's company
        """
        self.ensure_one()
        if not self.env.su and not self.env.user.has_group(ADMINISTRATOR):
            raise AccessError(
                self.env._("Only an integration administrator may make API keys.")
            )
        self.check_access("write")
        prefix, secret = secrets.token_hex(4), secrets.token_urlsafe(32)
        key = f"hik_{prefix}_{secret}"
        record = (
            self.env["integration.client.key"]
            .sudo()
            .create(
                {
                    "client_id": self.id,
                    "name": name,
                    "prefix": prefix,
                    "key_hash": self._key_hash(key),
                    "expires_at": expires_at,
                }
            )
        )
        self.env["integration.audit.entry"]._log(
            "secret", self, detail={"key_made": prefix, "key_id": record.id}
        )
        return key

    @api.model
    def _key_hash(self, key):
        # 256 random bits: nothing to guess, so a plain digest needs no salt and no key ring.
        return hashlib.sha256(key.encode()).hexdigest()

    @api.model
    def _authenticate_key(self, token):
        """Return the client an API key belongs to.

        The whole key is compared in constant time, and a comparison is made for
        unknown prefixes as well.

        :param str token: what the caller sent
        :return: the client as superuser; empty when the key is unknown, revoked or
            expired, or the client or its user is not active
        """
        match = KEY.fullmatch(token or "")
        key = self._find_key(match[1]) if match else self.env["integration.client.key"]
        fits = consteq(key.sudo().key_hash or NO_HASH, self._key_hash(token or ""))
        if not (fits and key._is_usable(fields.Datetime.now())):
            return self.sudo().browse()
        return key.sudo().client_id

    @api.model
    def _find_key(self, prefix):
        return (
            self.env["integration.client.key"]
            .sudo()
            .search([("prefix", "=", prefix)], limit=1)
        )

    def _is_usable(self, now):
        """Tell whether the client may call us at ``now`` (naive UTC)."""
        self.ensure_one()
        client = self.sudo()
        in_time = not client.expires_at or client.expires_at > now
        return client.active and in_time and client.user_id.active

    def _signing_secrets(self, now=None):
        """Return the keys the client may have signed with, old ones in grace included.

        :param datetime now: naive UTC, default the present
        :rtype: list[bytes]
        :raises Configuration: this node cannot decrypt them
        """
        self.ensure_one()
        return self.sudo().credential_ids._all_signing_secrets(
            now or fields.Datetime.now()
        )
