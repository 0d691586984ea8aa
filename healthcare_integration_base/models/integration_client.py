# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
import hashlib
import secrets

from odoo import SUPERUSER_ID, Command, api, fields, models, tools
from odoo.exceptions import AccessError, ValidationError
from odoo.tools import consteq

from ..engine import book
from ..protocol import addresses, jwks
from ..protocol.errors import Configuration
from .integration_client_scope import ALL_RESOURCES, DEFAULT_SCOPES

ADMINISTRATOR = "healthcare_integration_base.group_administrator"
# what *:read does not cover
NO_RESOURCES = ("messages", "feeds", "schemas", "attachments", "validations")
NO_HASH = "0" * 64


class IntegrationClient(models.Model):
    """A machine identity that may call us."""

    _name = "integration.client"
    _description = "Integration Client"
    _inherit = ["mail.thread", "integration.audited", "integration.captured"]
    _order = "name"
    _check_company_auto = True
    _integration_captured_fields = (
        "active",
        "system_id",
        "user_id",
        "expires_at",
        "endpoint_ids",
        "credential_ids",
        "scope_ids",
        "allowed_networks",
        "rate_limit",
        "rate_burst",
        "require_signature",
        "require_certificate",
        "jwks",
        "tokens_after",
    )

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
        domain="['|', ('direction', '=', 'in'), ('transport', '=', 'feed')]",
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
    key_ids = fields.One2many(
        "integration.client.key", "client_id", domain=[("kind", "=", "api_key")]
    )
    secret_ids = fields.One2many(
        "integration.client.key",
        "client_id",
        "OAuth Secrets",
        domain=[("kind", "=", "client_secret")],
    )
    certificate_ids = fields.One2many("integration.client.certificate", "client_id")
    oauth_id = fields.Char(
        "OAuth Client ID",
        compute="_compute_oauth_id",
        store=True,
        precompute=True,
        copy=False,
        help="With this id and a secret, or a key pair, it obtains access tokens.",
    )
    jwks = fields.Text(
        "Public Keys",
        copy=False,
        help="JSON Web Key Set: public keys (EC P-256, EC P-384, RSA from 2048 bits) with"
        " which the client signs its assertions (private_key_jwt).",
    )
    tokens_after = fields.Datetime(
        "Tokens Void Before",
        readonly=True,
        copy=False,
        help="Access tokens issued before are refused.",
    )
    require_signature = fields.Boolean(
        tracking=True,
        help="A key, token or certificate alone is not enough: the body must be signed.",
    )
    require_certificate = fields.Boolean(
        tracking=True,
        help="A key, token or signature alone is not enough: the connection must show"
        " one of the client's certificates.",
    )
    allowed_networks = fields.Text(
        tracking=True,
        help="Networks such as 203.0.113.0/24 or 2001:db8::/48, one per line; empty:"
        " from everywhere.",
    )
    rate_limit = fields.Float(
        "Requests per Second",
        default=100.0,
        digits=(12, 2),
        tracking=True,
        help="Lasting rate; 0 for unlimited.",
    )
    rate_burst = fields.Float(
        "Burst",
        default=1000.0,
        digits=(12, 0),
        tracking=True,
        help="So many requests may come at once after a pause.",
    )
    last_used_at = fields.Datetime("Last Call", readonly=True, copy=False)
    last_used_from = fields.Char("Last Called From", readonly=True, copy=False)
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

    _oauth_id_uniq = models.UniqueIndex("(oauth_id)")

    def _compute_oauth_id(self):
        for client in self.filtered(lambda one: not one.oauth_id):
            client.oauth_id = f"hic_{secrets.token_hex(8)}"

    @api.constrains("allowed_networks")
    def _check_networks(self):
        for client in self:
            try:
                addresses.parse_networks(client.allowed_networks or "")
            except ValueError as error:
                raise ValidationError(
                    self.env._("Allowed networks: %s.", error)
                ) from None

    @api.constrains("rate_limit", "rate_burst")
    def _check_rate(self):
        for client in self:
            if client.rate_limit < 0 or (client.rate_limit and client.rate_burst < 1):
                raise ValidationError(
                    self.env._(
                        "The rate must not be negative (0 is unlimited), the burst at"
                        " least 1."
                    )
                )

    @api.constrains("jwks")
    def _check_jwks(self):
        for client in self.filtered("jwks"):
            try:
                jwks.parse(client.jwks)
            except ValueError as error:
                raise ValidationError(self.env._("Public keys: %s.", error)) from None

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

    @api.constrains("user_id", "company_id")
    def _check_rights_given(self):
        """Let nobody give a client rights that he does not have himself.

        Who administers users may: he could give them to anybody.
        """
        giver = self.env.user
        if giver._is_superuser() or giver.has_group("base.group_erp_manager"):
            return
        for client in self:
            user = client.user_id.sudo()
            more = user.all_group_ids - giver.sudo().all_group_ids
            if more or client.sudo()._company() not in giver.sudo().company_ids:
                raise ValidationError(
                    self.env._(
                        "User %(user)s has rights that you don't have (%(rights)s): have "
                        "an administrator of users choose whom the client acts as.",
                        user=user.name,
                        rights=", ".join(more[:3].mapped("full_name"))
                        or client.sudo()._company().name,
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
        return self._covers(set(self.sudo().scope_ids.mapped("scope")), scope)

    @api.model
    def _covers(self, scopes, scope):
        """Tell whether a set of scopes contains one, or has ``*:read`` for it."""
        resource, _colon, access = scope.partition(":")
        is_resource = access == "read" and resource not in NO_RESOURCES
        return scope in scopes or (is_resource and ALL_RESOURCES in scopes)

    # -- keys ------------------------------------------------------------------------

    def action_new_key(self):
        """Open the wizard that makes an API key and shows it once."""
        return self._open_key_wizard("api_key", self.env._("New API Key"))

    def action_new_secret(self):
        """Open the wizard that makes an OAuth client secret and shows it once."""
        return self._open_key_wizard("client_secret", self.env._("New OAuth Secret"))

    def _open_key_wizard(self, kind, title):
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": title,
            "res_model": "integration.client.key.generate",
            "view_mode": "form",
            "target": "new",
            "context": {"default_client_id": self.id, "default_kind": kind},
        }

    def action_revoke_tokens(self):
        """Refuse all access tokens that were issued until now."""
        self.write({"tokens_after": fields.Datetime.now()})

    def _generate_key(self, name, expires_at=False, kind="api_key"):
        """Make an API key or OAuth secret; only its hash is kept.

        :param str name: to tell the keys of a client apart
        :param datetime expires_at: naive UTC, or False for no end of its own
        :param str kind: ``api_key`` or ``client_secret``
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
        key = f"hi{book.LETTERS[kind]}_{prefix}_{secret}"
        record = (
            self.env["integration.client.key"]
            .sudo()
            .create(
                {
                    "client_id": self.id,
                    "kind": kind,
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

    # -- who calls -------------------------------------------------------------------

    @api.model
    @tools.ormcache()
    def _book(self):
        """Return the book of callers, made anew when something in it has changed.

        Filled from a fresh cursor: the snapshot of a long transaction would cache what
        has been revoked since.

        :rtype: ~odoo.addons.healthcare_integration_base.engine.book.Book
        """
        with self.env.registry.cursor() as cr:
            return book.write(api.Environment(cr, SUPERUSER_ID, {}))

    @api.model
    def _find_key(self, token, kind="api_key"):
        """Return the key a caller shows, from the book; None if it is not valid.

        The whole key is compared in constant time, and a comparison is made for
        unknown prefixes as well.

        :param str token: what the caller sent
        """
        token = token or ""
        match = book.KEY.fullmatch(token)
        key = self._book().keys.get(match[2]) if match else None
        fits = consteq(key.key_hash if key else NO_HASH, self._key_hash(token))
        now = fields.Datetime.now()
        in_time = key and (key.expires_at is None or key.expires_at > now)
        return key if fits and in_time and key.kind == kind else None

    @api.model
    def _authenticate_key(self, token):
        """Return the client an API key belongs to.

        :param str token: what the caller sent
        :return: the client as superuser; empty when the key is unknown, revoked or
            expired, or the client or its user is not active
        """
        key = self._find_key(token)
        caller = key and self._book().caller(key.client_id, fields.Datetime.now())
        return self.sudo().browse(caller.id if caller else [])

    def _is_usable(self, now):
        """Tell whether the client may call us at ``now`` (naive UTC)."""
        self.ensure_one()
        return self._book().caller(self.id, now) is not None

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
